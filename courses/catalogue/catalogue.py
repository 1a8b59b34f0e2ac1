"""The catalogue: programmes, courses and their skills checklists. All of it is rows; a new programme needs no code."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, func, select, union, update
from sqlalchemy.orm import Session, selectinload

from courses.models.assessment import SkillEvent, SkillResult
from courses.models.catalogue import Course, CourseSkill, Programme
from courses.models.offerings import Offering
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound

# Added to every position before a checklist is renumbered, so that no two lines share a position on the way.
ASIDE = 10_000


@dataclass(frozen=True)
class ProgrammeFacts:
    """What an administrator says of a programme. `code` and `short_code` are fixed once it exists: certificates carry them."""

    code: str
    short_code: str
    name_zh: str
    name_en: str
    position: int = 0


@dataclass(frozen=True)
class CourseFacts:
    """What an administrator says of a course; the fields are those of `Course`."""

    code: str
    programme_code: str
    name_zh: str
    name_en: str
    hours: Decimal
    sessions_needed: int
    capacity: int
    minutes_share: int | None = None
    pass_mark: int | None = None
    validity_months: int | None = None
    trainee_ratio: int | None = None
    certificate_type: int | None = None
    refresher: bool = False
    active: bool = True


@dataclass(frozen=True)
class SkillLine:
    """One line of a checklist as it is to be; `skill_id` where the line exists already."""

    name_zh: str
    name_en: str
    skill_id: int | None = None


@dataclass(frozen=True)
class ProgrammeCourses:
    """A programme and its courses, for the list."""

    programme: Programme
    courses: list[Course]


def programmes(db: Session) -> list[Programme]:
    """All programmes in their order."""
    return list(db.scalars(select(Programme).order_by(Programme.position, Programme.code)))


def programme(db: Session, code: str) -> Programme:
    """One programme. Raises NotFound."""
    found = db.get(Programme, code)
    if found is None:
        raise NotFound
    return found


def listing(db: Session) -> list[ProgrammeCourses]:
    """Every programme with its courses; those no longer offered come last."""
    courses = db.scalars(select(Course).order_by(Course.active.desc(), Course.refresher, Course.id)).all()
    return [
        ProgrammeCourses(row, [course for course in courses if course.programme_code == row.code])
        for row in programmes(db)
    ]


def course(db: Session, course_id: int) -> Course:
    """One course with its programme and checklist. Raises NotFound."""
    found = db.scalars(
        select(Course)
        .where(Course.id == course_id)
        .options(selectinload(Course.programme), selectinload(Course.skills))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def offered(db: Session, *, with_course_id: int | None = None) -> list[ProgrammeCourses]:
    """What may be scheduled: the active courses by programme, and one that an offering has already."""
    return [
        ProgrammeCourses(group.programme, chosen)
        for group in listing(db)
        if (chosen := [row for row in group.courses if row.active or row.id == with_course_id])
    ]


def add_programme(db: Session, facts: ProgrammeFacts) -> Programme:
    """A programme of its own; reports count it from its first closed offering."""
    row = Programme(**asdict(facts))
    db.add(row)
    db.flush()
    audit.record(db, "programme.add", f"programme:{row.code}", after=asdict(facts))
    return row


def change_programme(db: Session, row: Programme, facts: ProgrammeFacts) -> None:
    """Rename or reorder a programme. Its codes stay: certificate numbers carry them."""
    _apply(db, "programme", f"programme:{row.code}", row, replace(facts, code=row.code, short_code=row.short_code))


def add_course(db: Session, facts: CourseFacts, skills: Sequence[SkillLine]) -> Course:
    """A course with its checklist."""
    row = Course(**asdict(facts))
    db.add(row)
    db.flush()
    audit.record(db, "course.add", row, after=_plain(asdict(facts)))
    _write_checklist(db, row, skills)
    return row


def change_course(db: Session, row: Course, facts: CourseFacts, skills: Sequence[SkillLine]) -> None:
    """Change a course. Its code stays, and its programme too once it was scheduled: person-times are counted by it."""
    if facts.programme_code != row.programme_code and db.scalar(select(exists().where(Offering.course_id == row.id))):
        raise DomainError(
            "programme_fixed",
            N_("This course has offerings, which are counted under its programme. Add a new course instead."),
            field="programme_code",
        )
    _apply(db, "course", f"course:{row.id}", row, replace(facts, code=row.code))
    _write_checklist(db, row, skills)


def _apply(db: Session, noun: str, subject: str, row: Any, facts: Any) -> None:
    wanted = asdict(facts)
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    db.flush()
    audit.record(db, f"{noun}.change", subject, before=_plain(before), after=_plain(changed))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _write_checklist(db: Session, row: Course, lines: Sequence[SkillLine]) -> None:
    """Make the active checklist these lines, in this order.

    A skill that results refer to is never deleted, only set aside, so that old results keep their meaning; a new line
    of the same name takes it up again.
    """
    names = [line.name_zh for line in lines]
    if len(set(names)) < len(names):
        raise DomainError("skill_twice", N_("A skill is on the checklist twice. Remove one of the lines."))
    existing = list(
        db.scalars(select(CourseSkill).where(CourseSkill.course_id == row.id).order_by(CourseSkill.position))
    )
    by_id = {skill.id: skill for skill in existing}
    set_aside = {skill.name_zh: skill for skill in existing if not skill.active}
    before = [skill.name_zh for skill in existing if skill.active]
    used = _referred_to(db, by_id)
    db.execute(
        update(CourseSkill).where(CourseSkill.course_id == row.id).values(position=CourseSkill.position + ASIDE),
        execution_options={"synchronize_session": False},
    )
    for skill in existing:
        db.refresh(skill)
    kept: list[CourseSkill] = []
    for position, line in enumerate(lines, 1):
        found = by_id.get(line.skill_id) if line.skill_id is not None else set_aside.get(line.name_zh)
        if line.skill_id is not None and found is None:
            raise NotFound
        skill = found or CourseSkill(course_id=row.id)
        skill.position, skill.name_zh, skill.name_en, skill.active = position, line.name_zh, line.name_en, True
        db.add(skill)
        kept.append(skill)
    position = len(lines)
    for skill in existing:
        if skill in kept:
            continue
        if skill.id in used:
            position += 1
            skill.position, skill.active = position, False
        else:
            db.delete(skill)
    db.flush()
    db.expire(row, ["skills"])
    if names != before:
        audit.record(db, "course.checklist", row, before={"skills": before}, after={"skills": names})


def _referred_to(db: Session, skill_ids: Collection[int]) -> set[int]:
    """Those of the skills that results refer to, or have once referred to."""
    rows = union(
        select(SkillResult.skill_id).where(SkillResult.skill_id.in_(skill_ids)),
        select(SkillEvent.skill_id).where(SkillEvent.skill_id.in_(skill_ids)),
    )
    return set(db.scalars(rows)) if skill_ids else set()


def scheduled(db: Session, course_id: int) -> int:
    """How many offerings a course has had."""
    return db.scalar(select(func.count()).select_from(Offering).where(Offering.course_id == course_id)) or 0
