"""Labels of imports: states, outcomes of rows, and the numbers of records."""

from typing import Any

from flask_babel import lazy_gettext as _l

from courses.models.imports import ImportRun, ImportState

STATES = {
    ImportState.RECEIVED: (_l("Columns to choose"), "info"),
    ImportState.CHECKING: (_l("Being checked"), "info"),
    ImportState.CHECKED: (_l("Checked"), "warning"),
    ImportState.RUNNING: (_l("Being imported"), "info"),
    ImportState.DONE: (_l("Import done"), "success"),
    ImportState.UNDOING: (_l("Being undone"), "info"),
    ImportState.UNDONE: (_l("Undone"), "secondary"),
    ImportState.STOPPED: (_l("Stopped"), "warning"),
    ImportState.FAILED: (_l("Import failed"), "danger"),
}

# The outcomes of rows, before the import.
OUTCOMES = {
    "new": _l("Can be imported"),
    "known": _l("Already in the system"),
    "double": _l("Duplicate in the file"),
    "refused": _l("Refused"),
}
OUTCOMES_DONE = {**OUTCOMES, "new": _l("Rows imported")}

# Endpoint and label of the link to the imported records, by kind.
DESTINATIONS = {
    "past": ("offerings.index", _l("To the offerings")),
    "organisations": ("organisations.index", _l("To the organisations")),
    "instructors": ("instructors.index", _l("To the instructors")),
    "opening_balances": ("opening_balances.index", _l("To the totals from before this system")),
    "legacy_certificates": ("legacy.index", _l("To the legacy certificates")),
}

# The records that an import made.
CREATED = {
    "offerings": _l("Offerings created"),
    "enrolments": _l("Enrolments created"),
    "certificates": _l("Legacy certificates created"),
}

# The records that an undo removed, and those that it left.
UNDONE = {
    "undone_offerings": _l("Offerings removed"),
    "kept_offerings": _l("Offerings kept"),
    "undone_people": _l("Trainees removed"),
    "kept_people": _l("Trainees kept"),
    "undone_rows": _l("Rows removed"),
    "kept_rows": _l("Rows kept"),
}


def tally(run: ImportRun) -> list[tuple[int, Any]]:
    """Return the numbers that matter in the state of an import, each with its label; none before the check."""
    if not run.tally:
        return []
    if run.state is ImportState.UNDONE:
        undone = {name: label for name, label in UNDONE.items() if run.tally.get(name) or name.startswith("undone")}
        return [(run.tally[name], label) for name, label in undone.items() if name in run.tally]
    outcomes = OUTCOMES_DONE if run.state in {ImportState.DONE, ImportState.UNDOING} else OUTCOMES
    created = {**CREATED, **UNDONE} if run.state is not ImportState.DONE else CREATED
    return [(run.tally.get(name, 0), label) for name, label in outcomes.items()] + [
        (run.tally[name], label) for name, label in created.items() if name in run.tally
    ]
