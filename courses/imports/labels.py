"""The words of imports: states, and what was counted."""

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

# What becomes of the rows.
OUTCOMES = {
    "new": _l("Can be imported"),
    "known": _l("Already present"),
    "double": _l("Duplicate in the file"),
    "refused": _l("Refused"),
}
OUTCOMES_DONE = {**OUTCOMES, "new": _l("Rows imported")}

# Where what came in is looked at.
PLACES = {
    "past": ("offerings.index", _l("To the offerings")),
    "organisations": ("organisations.index", _l("To the organisations")),
    "instructors": ("instructors.index", _l("To the instructors")),
    "opening_balances": ("opening_balances.index", _l("To the totals from before this system")),
    "legacy_certificates": ("legacy.index", _l("To the legacy certificates")),
}

# What was made of them.
MADE = {
    "offerings": _l("Offerings created"),
    "enrolments": _l("Enrolments created"),
    "certificates": _l("Legacy certificates created"),
}

# What was taken back, and what stays.
TAKEN_BACK = {
    "undone_offerings": _l("Offerings removed"),
    "kept_offerings": _l("Offerings kept"),
    "undone_people": _l("Trainees removed"),
    "kept_people": _l("Trainees kept"),
    "undone_rows": _l("Rows removed"),
    "kept_rows": _l("Rows kept"),
}


def tally(run: ImportRun) -> list[tuple[int, Any]]:
    """The numbers of an import that tell something in its state, each with its label; none before the check."""
    if not run.tally:
        return []
    if run.state is ImportState.UNDONE:
        shown = {name: label for name, label in TAKEN_BACK.items() if run.tally.get(name) or name.startswith("undone")}
        return [(run.tally[name], label) for name, label in shown.items() if name in run.tally]
    outcomes = OUTCOMES_DONE if run.state in {ImportState.DONE, ImportState.UNDOING} else OUTCOMES
    made = {**MADE, **TAKEN_BACK} if run.state is not ImportState.DONE else MADE
    return [(run.tally.get(name, 0), label) for name, label in outcomes.items()] + [
        (run.tally[name], label) for name, label in made.items() if name in run.tally
    ]
