"""The catalogue: programmes, courses and their skills checklists.

All of them are rows, so a new programme needs no code.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, union, update
from sqlalchemy.orm import Session, selectinload

from courses.catalogue import prerequisites
from courses.catalogue.prerequisites import PrerequisiteFacts
from courses.models.assessment import SkillEvent, SkillResult
from courses.models.catalogue import AttendanceRule, Course, CourseSkill, Programme
from courses.models.offerings import Offering
from courses.models.person_time import is_withdrawn
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound

# Renumbering a checklist first adds this offset to each position, so that no two skills share one in between: positions
# are unique within a course.
POSITION_OFFSET = 10_000


@dataclass(frozen=True)
class ProgrammeFacts:
    """The facts of a programme, as an administrator enters them.

    `code` and `short_code` are fixed once the programme exists, because certificate numbers contain them.
    """

    code: str
    short_code: str
    name_zh: str
    name_en: str
    position: int = 0


@dataclass(frozen=True)
class CourseFacts:
    """The facts of a course, as an administrator enters them. The fields are those of `Course`."""

    code: str
    programme_code: str
    name_zh: str
    name_en: str
    hours: Decimal
    capacity: int
    attendance_rule: AttendanceRule = AttendanceRule.ALL
    minutes_share: int | None = None
    pass_mark: int | None = None
    validity_months: int | None = None
    trainee_ratio: int | None = None
    certificate_type: int | None = None
    refresher: bool = False
    active: bool = True
    bring_zh: str | None = None
    bring_en: str | None = None


@dataclass(frozen=True)
class ChecklistItem:
    """A skill of a checklist as it should be saved. `skill_id` is None for a new skill."""

    name_zh: str
    name_en: str
    skill_id: int | None = None


@dataclass(frozen=True)
class ProgrammeCourses:
    """A programme and its courses, for a list."""

    programme: Programme
    courses: list[Course]


def list_programmes(db: Session) -> list[Programme]:
    """All programmes in their order."""
    return list(db.scalars(select(Programme).order_by(Programme.position, Programme.code)))


def get_programme(db: Session, code: str) -> Programme:
    """A programme. Raises NotFound."""
    programme = db.get(Programme, code)
    if programme is None:
        raise NotFound
    return programme


def list_by_programme(db: Session) -> list[ProgrammeCourses]:
    """Every programme with its courses. Courses that are no longer offered come last."""
    courses = db.scalars(select(Course).order_by(Course.active.desc(), Course.refresher, Course.id)).all()
    return [
        ProgrammeCourses(programme, [course for course in courses if course.programme_code == programme.code])
        for programme in list_programmes(db)
    ]


def get_course(db: Session, course_id: int) -> Course:
    """A course with its programme, checklist and prerequisites. Raises NotFound."""
    course = db.scalars(
        select(Course)
        .where(Course.id == course_id)
        .options(selectinload(Course.programme), selectinload(Course.skills), selectinload(Course.prerequisites))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if course is None:
        raise NotFound
    return course


def list_schedulable(db: Session, *, with_course_id: int | None = None) -> list[ProgrammeCourses]:
    """The active courses by programme, and the course `with_course_id` of an existing offering even if it is inactive.

    Programmes without such a course are left out.
    """
    return [
        ProgrammeCourses(group.programme, schedulable)
        for group in list_by_programme(db)
        if (schedulable := [course for course in group.courses if course.active or course.id == with_course_id])
    ]


def add_programme(db: Session, facts: ProgrammeFacts) -> Programme:
    """Add a programme. Reports count it from its first closed offering."""
    programme = Programme(**asdict(facts))
    db.add(programme)
    db.flush()
    audit.record(db, "programme.add", f"programme:{programme.code}", after=asdict(facts))
    return programme


def change_programme(db: Session, programme: Programme, facts: ProgrammeFacts) -> None:
    """Rename or reorder a programme. Its codes stay as they are, because certificate numbers contain them."""
    facts = replace(facts, code=programme.code, short_code=programme.short_code)
    _apply(db, "programme", f"programme:{programme.code}", programme, facts)


def add_course(
    db: Session,
    facts: CourseFacts,
    checklist: Sequence[ChecklistItem],
    demanded: Sequence[PrerequisiteFacts] = (),
) -> Course:
    """Add a course with its checklist and what it demands its trainees to hold."""
    course = Course(**asdict(facts))
    db.add(course)
    db.flush()
    audit.record(db, "course.add", course, after=_json_ready(asdict(facts)))
    _write_checklist(db, course, checklist)
    prerequisites.write(db, course, demanded)
    return course


def change_course(
    db: Session,
    course: Course,
    facts: CourseFacts,
    checklist: Sequence[ChecklistItem],
    demanded: Sequence[PrerequisiteFacts] | None = None,
) -> None:
    """Change a course and its checklist, and what it demands unless that is None. Its code stays as it is.

    Raises DomainError `programme_fixed` when a course that has offerings would change its programme, because their
    person-times are counted under that programme.
    """
    if facts.programme_code != course.programme_code and count_offerings(db, course.id):
        raise DomainError(
            "programme_fixed",
            N_(
                "The programme cannot be changed, because offerings of this course are "
                "counted under it. Add a new course instead."
            ),
            field="programme_code",
        )
    _apply(db, "course", f"course:{course.id}", course, replace(facts, code=course.code))
    _write_checklist(db, course, checklist)
    if demanded is not None:
        prerequisites.write(db, course, demanded)


def count_offerings(db: Session, course_id: int) -> int:
    """The number of offerings that a course has had, in every state."""
    offerings = select(func.count()).select_from(Offering).where(Offering.course_id == course_id, ~is_withdrawn())
    return db.scalar(offerings) or 0


def _apply(db: Session, noun: str, subject: str, row: Any, facts: Any) -> None:
    changed = {name: value for name, value in asdict(facts).items() if getattr(row, name) != value}
    if not changed:
        return
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    db.flush()
    audit.record(db, f"{noun}.change", subject, before=_json_ready(before), after=_json_ready(changed))


def _json_ready(values: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _write_checklist(db: Session, course: Course, items: Sequence[ChecklistItem]) -> None:
    """Make the active checklist of a course equal to these items, in this order.

    A skill that results refer to is never deleted, only deactivated, so that old results keep their meaning. A new item
    with the name of an inactive skill activates that skill again.
    """
    names = [item.name_zh for item in items]
    if len(set(names)) < len(names):
        raise DomainError("skill_twice", N_("A skill is on the checklist twice. Remove one of the lines."))
    existing = list(
        db.scalars(select(CourseSkill).where(CourseSkill.course_id == course.id).order_by(CourseSkill.position))
    )
    by_id = {skill.id: skill for skill in existing}
    inactive_by_name = {skill.name_zh: skill for skill in existing if not skill.active}
    before = [skill.name_zh for skill in existing if skill.active]
    used_ids = _ids_with_results(db, by_id)
    db.execute(
        update(CourseSkill)
        .where(CourseSkill.course_id == course.id)
        .values(position=CourseSkill.position + POSITION_OFFSET),
        execution_options={"synchronize_session": False},
    )
    for skill in existing:
        db.refresh(skill)
    active: list[CourseSkill] = []
    for position, item in enumerate(items, 1):
        known = by_id.get(item.skill_id) if item.skill_id is not None else inactive_by_name.get(item.name_zh)
        if item.skill_id is not None and known is None:
            raise NotFound
        skill = known or CourseSkill(course_id=course.id)
        skill.position, skill.name_zh, skill.name_en, skill.active = position, item.name_zh, item.name_en, True
        db.add(skill)
        active.append(skill)
    position = len(items)
    for skill in existing:
        if skill in active:
            continue
        if skill.id in used_ids:
            position += 1
            skill.position, skill.active = position, False
        else:
            db.delete(skill)
    db.flush()
    db.expire(course, ["skills"])
    if names != before:
        audit.record(db, "course.checklist", course, before={"skills": before}, after={"skills": names})


def _ids_with_results(db: Session, skill_ids: Collection[int]) -> set[int]:
    """The ids of the skills that a result refers to now or referred to earlier."""
    rows = union(
        select(SkillResult.skill_id).where(SkillResult.skill_id.in_(skill_ids)),
        select(SkillEvent.skill_id).where(SkillEvent.skill_id.in_(skill_ids)),
    )
    return set(db.scalars(rows)) if skill_ids else set()
