"""The grid of results: one form for the whole class, whose cells are saved each by itself.

A cell that cannot be saved is refused with its reason, and all others are saved. Only cells that were changed on the form
are written (`courses.assessment.marking`), so examiners who have the grid open at once overwrite nothing of each other.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from courses.assessment import assessment, late_results, marking
from courses.assessment.assessment import AttemptFacts
from courses.assessment.marking import Marks
from courses.models.assessment import Assessment
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import Offering, OfferingState
from lms.core.errors import N_, DomainError

SCORE_RANGE = N_("The theory score is between 0 and 100.")
CELL_CHANGED = N_(
    "Another user saved a different result here in the meantime. Yours is shown: check it, then save again."
)


@dataclass(frozen=True)
class GridRow:
    """A row as the form sent it.

    seen: the `assessment.form_version` of the row. theory: as typed. skills: skill id → passed. examiner_id: of this person;
    None where the form did not change it. examiner_by_default: it was not chosen, so by itself it changes nothing.
    """

    enrolment_id: int
    seen: str
    theory: str = ""
    skills: Mapping[int, bool] = field(default_factory=dict)
    examiner_id: int | None = None
    examiner_by_default: bool = False

    @property
    def seen_attempt(self) -> int:
        """The number of the attempt that the form showed, 0 for none or for a malformed version."""
        number = self.seen.partition(".")[0]
        return int(number) if number.isdecimal() and len(number) < len("10000") else 0


@dataclass(frozen=True)
class GridOutcome:
    """The result of saving. saved: the number of changed rows. refusals: enrolment id → field name → msgid.

    The field "" is the whole row.
    """

    saved: int
    refusals: Mapping[int, Mapping[str, str]]


@dataclass(frozen=True)
class GridView:
    """A row's latest attempt as the grid shows it. version: for the form. earlier: the attempts before it.

    attempt: its number, 1 where there is none yet.
    """

    version: str
    attempt: int
    marks: Marks
    earlier: Sequence[AttemptFacts]
    retest_due: bool


def views(
    db: Session, offering: Offering, enrolment_ids: Collection[int], skill_ids: Collection[int]
) -> dict[int, GridView]:
    """Read what the grid shows of each enrolment."""
    attempts = _attempts(db, enrolment_ids)
    waiting = Counter(late.enrolment_id for late in late_results.waiting(db, offering.id))
    mark = offering.course.pass_mark
    return {
        enrolment_id: _view(attempts.get(enrolment_id, []), waiting[enrolment_id], mark, skill_ids)
        for enrolment_id in enrolment_ids
    }


def retest_due(attempts: Sequence[AttemptFacts], mark: int | None, skill_ids: Collection[int]) -> bool:
    """Tell whether the latest attempt failed in something that no attempt has passed, so that a retest may follow.

    A retest that was started and has no such result yet is not due again.
    """
    if not attempts:
        return False
    latest, results = attempts[-1], assessment.results_of(attempts)
    theory_failed = mark is not None and latest.theory is not None and not results.passed_theory(mark)
    return theory_failed or any(
        passed is False and results.skill(skill_id) is False
        for skill_id, passed in latest.skills.items()
        if skill_id in skill_ids
    )


def save(db: Session, offering_id: int, rows: Iterable[GridRow], skill_ids: Collection[int]) -> GridOutcome:
    """Save the changed cells of an open offering. Raises DomainError `not_running` for any other offering."""
    offering = db.scalars(
        select(Offering)
        .where(Offering.id == offering_id)
        .options(joinedload(Offering.course))
        .with_for_update(read=True, of=Offering)
    ).one()
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_running", N_("This offering is not running, so results cannot be entered."))
    by_id = {row.enrolment_id: row for row in rows}
    enrolled = db.scalars(
        select(Enrolment.id)
        .where(Enrolment.id.in_(by_id), Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .order_by(Enrolment.id)
        .with_for_update()
    ).all()
    attempts = _attempts(db, enrolled)
    waiting = Counter(late.enrolment_id for late in late_results.waiting(db, offering_id))
    refusals: dict[int, dict[str, str]] = {}
    saved = 0
    for enrolment_id in enrolled:
        refused: dict[str, str] = {}
        of_person = attempts.get(enrolment_id, [])
        saved += _save_row(
            db, by_id[enrolment_id], of_person, waiting[enrolment_id], skill_ids=skill_ids, refused=refused
        )
        if refused:
            refusals[enrolment_id] = refused
    return GridOutcome(saved, refusals)


def _save_row(
    db: Session,
    row: GridRow,
    attempts: Sequence[Assessment],
    waiting: int,
    *,
    skill_ids: Collection[int],
    refused: dict[str, str],
) -> bool:
    """Save one row; tell whether it changed anything. `refused` takes the reason of each field that was not saved."""
    latest = attempts[-1] if attempts else None
    stored = assessment.marks_of(latest)
    try:
        seen = marking.seen_values(row.seen)
        score = _score(row, seen, refused)
        marks = Marks(score, _skills(row, seen, skill_ids), _examiner(row, seen, attempts), stored.note)
        if not _changed(seen, marks, {marking.NOTE, *({marking.EXAMINER} if row.examiner_by_default else ())}):
            return False
        merged, conflicts = marking.merge_cells(row.seen, marks, stored, attempts=len(attempts), waiting=waiting)
    except DomainError as error:
        refused[""] = error.message
        return False
    refused.update(dict.fromkeys(conflicts - {marking.NOTE}, CELL_CHANGED))
    empty = merged.theory_score is None and not merged.skills
    if merged == stored or (latest is None and empty):
        return False
    assessment.write(db, row.enrolment_id, attempts, latest, merged)
    return True


def _score(row: GridRow, seen: Mapping[str, str], refused: dict[str, str]) -> int | None:
    """Read the typed score; one that cannot be read is refused, and the score as the form had it stays."""
    text = row.theory.strip()
    if not text:
        return None
    if text.isdecimal() and int(text) <= 100:
        return int(text)
    refused[marking.THEORY] = SCORE_RANGE
    return int(seen[marking.THEORY]) if seen.get(marking.THEORY, "").isdecimal() else None


def _skills(row: GridRow, seen: Mapping[str, str], skill_ids: Collection[int]) -> dict[int, bool]:
    """The skills as the row sent them; results of skills that the grid does not show stay as the form had them."""
    skills = {skill_id: passed for skill_id, passed in row.skills.items() if skill_id in skill_ids}
    for name, value in seen.items():
        skill = name.removeprefix(marking.SKILL)
        if skill != name and skill.isdecimal() and int(skill) not in skill_ids:
            skills[int(skill)] = value == marking.PASSED
    return skills


def _examiner(row: GridRow, seen: Mapping[str, str], attempts: Sequence[Assessment]) -> int | None:
    """The examiner to write: as the form chose, and otherwise as it was; None only where nobody was chosen."""
    stored = seen.get(marking.EXAMINER, "")
    if row.examiner_id is not None and (attempts or row.theory.strip() or row.skills):
        return row.examiner_id
    return int(stored) if stored.isdecimal() else None


def _changed(seen: Mapping[str, str], marks: Marks, ignored: Collection[str]) -> bool:
    values = marking.field_values(marks)
    return any(seen.get(name) != values.get(name) for name in {*seen, *values} - {*ignored})


def _attempts(db: Session, enrolment_ids: Collection[int]) -> dict[int, list[Assessment]]:
    attempts: dict[int, list[Assessment]] = defaultdict(list)
    for attempt in db.scalars(
        select(Assessment)
        .where(Assessment.enrolment_id.in_(enrolment_ids))
        .options(selectinload(Assessment.skills))
        .order_by(Assessment.attempt)
        .execution_options(populate_existing=True)
    ):
        attempts[attempt.enrolment_id].append(attempt)
    return attempts


def _view(attempts: Sequence[Assessment], waiting: int, mark: int | None, skill_ids: Collection[int]) -> GridView:
    facts = [
        AttemptFacts(
            attempt.attempt,
            attempt.theory_score,
            {result.skill_id: result.passed for result in attempt.skills},
            attempt.examiner_id,
        )
        for attempt in attempts
    ]
    return GridView(
        assessment.form_version(attempts, waiting),
        attempts[-1].attempt if attempts else 1,
        assessment.marks_of(attempts[-1] if attempts else None),
        facts[:-1],
        retest_due(facts, mark, skill_ids),
    )
