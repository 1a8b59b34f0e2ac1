"""What an examiner fills in, held against what stood there: only what was changed is written, the rest stays as it is.

Two examiners may have the same trainee's page open. What both changed, and differently, is a conflict that a person decides;
the examiner's name is none: whoever saved first stays the attempt's examiner unless the name is chosen anew.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from lms.core.errors import N_, DomainError

NOTHING = ""
THEORY, EXAMINER, NOTE, SKILL = "theory", "examiner", "note", "skill-"
PASSED, FAILED = "1", "0"

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Marks:
    """One attempt as an examiner entered it. `skills`: only those that were examined, with whether they were passed."""

    theory_score: int | None
    skills: Mapping[int, bool] = field(default_factory=dict)
    examiner_id: int | None = None
    note: str | None = None


def cells_of(marks: Marks) -> dict[str, str]:
    """Marks as named values that can be compared and sent; a note as its fingerprint. What is empty is left out."""
    note = hashlib.sha256(marks.note.encode()).hexdigest()[:16] if marks.note else NOTHING
    found = {
        THEORY: NOTHING if marks.theory_score is None else str(marks.theory_score),
        EXAMINER: NOTHING if marks.examiner_id is None else str(marks.examiner_id),
        NOTE: note,
        **{f"{SKILL}{skill_id}": PASSED if passed else FAILED for skill_id, passed in sorted(marks.skills.items())},
    }
    return {name: value for name, value in found.items() if value != NOTHING}


def written(attempt: int, waiting: int, cells: Cells) -> str:
    """What a form carries: attempt, late results waiting, and the cells, as `1.0;theory=55;skill-3=1`."""
    return ";".join([f"{attempt}.{waiting}", *(f"{name}={value}" for name, value in cells.items())])


def merged(seen: str, marks: Marks, there: Marks, *, attempts: int, retest: bool, waiting: int) -> Marks:
    """What is to stand: `marks` where the form changed something since `seen`, `there` everywhere else.

    Raises DomainError `result_changed` where both changed the same thing, and where another attempt or a late result
    came in meanwhile.
    """
    attempt, came, base = _read(seen)
    # The first attempt may be opened by somebody else meanwhile; a retest is a decision and takes no one by surprise.
    same = attempt == attempts or (attempt == 0 and attempts == 1 and not retest)
    if not same or came != waiting:
        raise _changed()
    sent, stands = cells_of(marks), cells_of(there)
    base = {} if retest else base
    for name in {**base, **sent, **stands} if not retest else ():
        mine, theirs = _changes(name, base, sent), _changes(name, base, stands)
        if mine and theirs and sent.get(name) != stands.get(name) and name != EXAMINER:
            raise _changed()
    return _taken(marks, there, base, sent, stands)


def shown(seen: str, marks: Marks, there: Marks) -> Marks:
    """What a form shows again after a conflict: what was changed on it, and for the rest what stands there now."""
    try:
        base = _read(seen)[2]
    except DomainError:
        return marks
    return _taken(marks, there, base, cells_of(marks), cells_of(there))


def _taken(marks: Marks, there: Marks, base: Cells, sent: Cells, stands: Cells) -> Marks:
    def mine(name: str) -> bool:
        if name == EXAMINER and _changes(name, base, stands) and stands.get(name):
            return False
        return _changes(name, base, sent)

    skills = dict(there.skills)
    for skill_id in {*marks.skills, *there.skills}:
        if mine(f"{SKILL}{skill_id}"):
            skills.pop(skill_id, None)
            skills |= {skill_id: marks.skills[skill_id]} if skill_id in marks.skills else {}
    return Marks(
        marks.theory_score if mine(THEORY) else there.theory_score,
        skills,
        marks.examiner_id if mine(EXAMINER) else there.examiner_id,
        marks.note if mine(NOTE) else there.note,
    )


def _changes(name: str, base: Cells, other: Cells) -> bool:
    return base.get(name) != other.get(name)


def _read(seen: str) -> tuple[int, int, dict[str, str]]:
    head, *rest = seen.split(";")
    attempt, _, waiting = head.partition(".")
    if not (attempt.isdigit() and waiting.isdigit()) or not all("=" in part for part in rest):
        raise _changed()
    return int(attempt), int(waiting), dict(part.split("=", 1) for part in rest)


def _changed() -> DomainError:
    return DomainError(
        "result_changed",
        N_(
            "Another user saved results for this trainee in the meantime. They are shown above; check them, then save again."
        ),
    )
