"""Merging of an examiner's form with the stored attempt: only fields that were changed on the form are written.

Two examiners may have the page of one trainee open. A field that both changed, to different values, is a conflict, which a
person resolves. The examiner's name is an exception: the name that was saved first stays.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from lms.core.errors import N_, DomainError

NOTHING = ""
THEORY, EXAMINER, NOTE, SKILL = "theory", "examiner", "note", "skill-"
PASSED, FAILED = "1", "0"

FieldValues = Mapping[str, str]


@dataclass(frozen=True)
class Marks:
    """An attempt as an examiner entered it. skills: the examined skills by id, with whether they were passed."""

    theory_score: int | None
    skills: Mapping[int, bool] = field(default_factory=dict)
    examiner_id: int | None = None
    note: str | None = None


def field_values(marks: Marks) -> dict[str, str]:
    """Return the marks as texts by field name, for comparison and for the form's version.

    The note stands as a hash, so that the version stays short. Empty fields are left out.
    """
    note = hashlib.sha256(marks.note.encode()).hexdigest()[:16] if marks.note else NOTHING
    values = {
        THEORY: NOTHING if marks.theory_score is None else str(marks.theory_score),
        EXAMINER: NOTHING if marks.examiner_id is None else str(marks.examiner_id),
        NOTE: note,
        **{f"{SKILL}{skill_id}": PASSED if passed else FAILED for skill_id, passed in sorted(marks.skills.items())},
    }
    return {name: value for name, value in values.items() if value != NOTHING}


def version_text(attempt: int, waiting: int, values: FieldValues) -> str:
    """Return the version: attempt number, number of late results, field values. Example: `1.0;theory=55;skill-3=1`."""
    return ";".join([f"{attempt}.{waiting}", *(f"{name}={value}" for name, value in values.items())])


def merge(seen: str, marks: Marks, stored: Marks, *, attempts: int, retest: bool, waiting: int) -> Marks:
    """Return the marks to write: those of the form where it changed a field since the version `seen`, else the stored ones.

    attempts: how many are stored. retest: the form makes a new attempt, so `stored` is empty. waiting: how many late
    results there are. Raises DomainError `result_changed` where the form and another examiner changed one field to
    different values, and where another attempt or a late result was added since `seen`.
    """
    seen_values = _checked_version(seen, attempts=attempts, retest=retest, waiting=waiting)
    form_values, stored_values = field_values(marks), field_values(stored)
    if not retest and _conflicts(seen_values, form_values, stored_values):
        raise _conflict()
    return _merged(marks, stored, {} if retest else seen_values, form_values, stored_values)


def merge_cells(seen: str, marks: Marks, stored: Marks, *, attempts: int, waiting: int) -> tuple[Marks, frozenset[str]]:
    """Return the marks to write, as `merge` does, and the fields that conflict; these keep their stored marks.

    Raises DomainError `result_changed` only where another attempt or a late result was added since `seen`.
    """
    seen_values = _checked_version(seen, attempts=attempts, retest=False, waiting=waiting)
    form_values, stored_values = field_values(marks), field_values(stored)
    conflicts = _conflicts(seen_values, form_values, stored_values)
    form_values = {name: value for name, value in form_values.items() if name not in conflicts} | {
        name: seen_values[name] for name in conflicts & seen_values.keys()
    }
    return _merged(marks, stored, seen_values, form_values, stored_values), conflicts


def seen_values(seen: str) -> dict[str, str]:
    """Return the field values of a `version_text`. Raises DomainError `result_changed` for a malformed one."""
    return _read_version(seen)[2]


def redisplay(seen: str, marks: Marks, stored: Marks) -> Marks:
    """Return the marks that the form shows after a conflict: its own changes, and for the other fields the stored marks."""
    try:
        seen_values = _read_version(seen)[2]
    except DomainError:
        return marks
    return _merged(marks, stored, seen_values, field_values(marks), field_values(stored))


def _merged(
    marks: Marks, stored: Marks, seen_values: FieldValues, form_values: FieldValues, stored_values: FieldValues
) -> Marks:
    def from_form(name: str) -> bool:
        if name == EXAMINER and _differs(name, seen_values, stored_values) and stored_values.get(name):
            return False
        return _differs(name, seen_values, form_values)

    skills = dict(stored.skills)
    for skill_id in {*marks.skills, *stored.skills}:
        if from_form(f"{SKILL}{skill_id}"):
            skills.pop(skill_id, None)
            skills |= {skill_id: marks.skills[skill_id]} if skill_id in marks.skills else {}
    return Marks(
        marks.theory_score if from_form(THEORY) else stored.theory_score,
        skills,
        marks.examiner_id if from_form(EXAMINER) else stored.examiner_id,
        marks.note if from_form(NOTE) else stored.note,
    )


def _checked_version(seen: str, *, attempts: int, retest: bool, waiting: int) -> dict[str, str]:
    """Return the field values of `seen`. Raises DomainError where an attempt or a late result was added since."""
    seen_attempt, seen_waiting, values = _read_version(seen)
    # Another examiner may have made the first attempt meanwhile; the form then adds to it. A retest is only ever chosen.
    same_attempt = seen_attempt == attempts or (seen_attempt == 0 and attempts == 1 and not retest)
    if not same_attempt or seen_waiting != waiting:
        raise _conflict()
    return values


def _conflicts(seen_values: FieldValues, form_values: FieldValues, stored_values: FieldValues) -> frozenset[str]:
    """Return the fields that the form and another examiner changed to different values, but for the examiner's name."""
    return frozenset(
        name
        for name in {**seen_values, **form_values, **stored_values}
        if name != EXAMINER
        and _differs(name, seen_values, form_values)
        and _differs(name, seen_values, stored_values)
        and _differs(name, form_values, stored_values)
    )


def _differs(name: str, values: FieldValues, other: FieldValues) -> bool:
    return values.get(name) != other.get(name)


def _read_version(seen: str) -> tuple[int, int, dict[str, str]]:
    """Read a `version_text`: attempt number, number of late results, field values. A malformed one is a conflict."""
    head, *fields = seen.split(";")
    attempt, _, waiting = head.partition(".")
    if not (attempt.isdigit() and waiting.isdigit()) or not all("=" in part for part in fields):
        raise _conflict()
    return int(attempt), int(waiting), dict(part.split("=", 1) for part in fields)


def _conflict() -> DomainError:
    return DomainError(
        "result_changed",
        N_(
            "Another user saved results for this trainee in the meantime. They are shown above; check them, then save again."
        ),
    )
