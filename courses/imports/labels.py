"""Labels of imports: states, outcomes of rows, lines, meanings of values, and the numbers of records."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.imports import corrections, presence
from courses.imports.known_values import NEW, Target, Vocabulary
from courses.models.imports import ImportRun, ImportState
from instructors.forms import LEVELS
from lms.core.languages import language
from lms.organisations.forms import SECTORS

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


# The fields whose values can be matched.
VOCABULARIES = {
    Vocabulary.PROGRAMME: _l("Programme"),
    Vocabulary.COURSE: _l("Course"),
    Vocabulary.DISTRICT: _l("District"),
    Vocabulary.SECTOR: _l("Sector"),
    Vocabulary.HOST: _l("Host organisation"),
    Vocabulary.LEVEL: _l("Level"),
    Vocabulary.RESULT: _l("Result"),
}
_WORDS = {
    Vocabulary.SECTOR: {sector.value: label for sector, label in SECTORS.items()},
    Vocabulary.LEVEL: {level.value: label for level, label in LEVELS.items()},
    Vocabulary.RESULT: {"passed": _l("Passed"), "failed": _l("Failed")},
}

# Endpoint and argument of the page of a record that an import made, by kind; opening balances have no page each.
RECORDS = {
    "past": ("offerings.page", "offering_id"),
    "organisations": ("organisations.edit", "organisation_id"),
    "instructors": ("instructors.page", "instructor_id"),
    "legacy_certificates": ("legacy.page", "legacy_id"),
}

RANGES_SHOWN = 12
NAMES_SHOWN = 20


def enumerated(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """Return names as a list in the reader's language; the rest of a long list is an ellipsis."""
    comma = "、" if language() == "zh" else ", "
    return comma.join(names[:most]) + ("…" if len(names) > most else "")


def line_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """Return ranges of lines in the reader's language, such as "3, 5–9"."""
    return enumerated([f"{first}" if first == last else f"{first}–{last}" for first, last in ranges], RANGES_SHOWN)


def lines(numbers: Iterable[int]) -> str:
    """Return lines in the reader's language, such as "3, 5–9"."""
    return line_ranges(corrections.ranges(numbers))


def target(vocabulary: Vocabulary, meant: Target, *, chinese: bool) -> str:
    """Return what a value may stand for, in the reader's language; of courses and programmes with the code."""
    if vocabulary in _WORDS:
        return str(_WORDS[vocabulary][meant.code])
    name = meant.zh if chinese else meant.en or meant.zh
    return f"{name} ({meant.code})" if vocabulary is Vocabulary.COURSE else name


def matched(vocabulary: str, name: str) -> str:
    """Return what a remembered value stands for, in the reader's language where it is a word of the program."""
    return str(_WORDS.get(Vocabulary(vocabulary), {}).get(name, name))


def new_hosts() -> list[tuple[str, str]]:
    """Return the choices that enter a host in the register, one for each sector."""
    return [
        (NEW + sector.value, _("New in the register: %(sector)s", sector=str(label)))
        for sector, label in SECTORS.items()
    ]


def meaning(understood: str | None) -> str:
    """Return what a value of the column of presence means, see `courses.imports.presence`, in the reader's language."""
    if understood is None:
        return _("not understood: the row is refused")
    message, params = presence.described(understood)
    return _(message, **params)


def is_checked(run: ImportRun) -> bool:
    """Tell whether the rows of an import have outcomes that were counted."""
    return "new" in run.tally


def tally(run: ImportRun) -> list[tuple[int, Any]]:
    """Return the numbers that matter in the state of an import, each with its label; none before the check."""
    if not is_checked(run):
        return []
    if run.state is ImportState.UNDONE:
        undone = {name: label for name, label in UNDONE.items() if run.tally.get(name) or name.startswith("undone")}
        return [(run.tally[name], label) for name, label in undone.items() if name in run.tally]
    outcomes = OUTCOMES_DONE if run.state in {ImportState.DONE, ImportState.UNDOING} else OUTCOMES
    created = {**CREATED, **UNDONE} if run.state is not ImportState.DONE else CREATED
    return [(run.tally.get(name, 0), label) for name, label in outcomes.items()] + [
        (run.tally[name], label) for name, label in created.items() if name in run.tally
    ]
