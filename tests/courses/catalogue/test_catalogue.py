"""Rules of the catalogue: checklists with results, programmes as rows, and fixed codes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.catalogue import catalogue
from courses.catalogue.catalogue import ChecklistItem, CourseFacts, ProgrammeFacts
from courses.models.assessment import Assessment, SkillResult
from courses.models.catalogue import Course
from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from tests.factories import Make

FACTS = CourseFacts(
    code="DROWNING", programme_code="RESCUE", name_zh="防溺水", name_en="Drowning", hours=Decimal("2.5"),
    capacity=40,
)  # fmt: skip


def active(course: Course) -> list[str]:
    return [skill.name_zh for skill in course.skills if skill.active]


def facts_of(course: Course) -> CourseFacts:
    return CourseFacts(**{name: getattr(course, name) for name in CourseFacts.__dataclass_fields__})


def test_a_programme_is_a_row_and_courses_come_under_it(db: Session) -> None:
    catalogue.add_programme(db, ProgrammeFacts("PEER", "PE", "同伴教育", "Peer education", 4))
    course = catalogue.add_course(db, replace(FACTS, programme_code="PEER"), [ChecklistItem("主持", "Hosting")])
    group = catalogue.list_by_programme(db)[-1]
    assert (group.programme.code, group.courses) == ("PEER", [course])
    assert [entry.action for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
        "programme.add", "course.add", "course.checklist",
    ]  # fmt: skip


def test_the_audit_entry_of_a_change_holds_only_the_changed_facts(db: Session, make: Make) -> None:
    course = make.new_course(hours=Decimal(8), skills=0)
    catalogue.change_course(db, course, replace(facts_of(course), hours=Decimal(9), code="OTHER"), [])
    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.before, entry.after) == ("course.change", {"hours": 8.0}, {"hours": 9.0})
    assert course.code != "OTHER"


def test_checklist_items_are_reordered_renamed_added_and_removed(db: Session, make: Make) -> None:
    course = make.new_course(skills=3)
    first, second, _third = course.skills
    catalogue.change_course(
        db,
        course,
        facts_of(course),
        [
            ChecklistItem("新技能", "New"),
            ChecklistItem(second.name_zh, second.name_en, second.id),
            ChecklistItem("改名", "Renamed", first.id),
        ],
    )
    assert active(course) == ["新技能", "技能2", "改名"]
    assert [skill.position for skill in course.skills] == [1, 2, 3]
    assert course.skills[2].id == first.id


def test_a_skill_with_results_is_deactivated_and_can_be_activated_again(db: Session, make: Make) -> None:
    course = make.new_course(skills=2)
    used, unused = course.skills
    assessment = Assessment(
        enrolment_id=make.enrolment(make.offering(course=course)).id, attempt=1, assessed_at=clock.now()
    )
    assessment.skills = [SkillResult(skill_id=used.id, passed=True)]
    db.add(assessment)
    db.flush()
    catalogue.change_course(db, course, facts_of(course), [])
    assert [(skill.id, skill.active) for skill in course.skills] == [(used.id, False)]
    catalogue.change_course(
        db, course, facts_of(course), [ChecklistItem("另一项", "Another"), ChecklistItem("技能1", "Skill 1")]
    )
    assert active(course) == ["另一项", "技能1"]
    assert course.skills[1].id == used.id
    assert unused not in course.skills


def test_refuses_a_skill_twice_and_a_skill_of_another_course(db: Session, make: Make) -> None:
    course, other = make.new_course(), make.new_course()
    with pytest.raises(DomainError) as refused:
        catalogue.change_course(db, course, facts_of(course), [ChecklistItem("甲", "A"), ChecklistItem("甲", "B")])
    assert refused.value.code == "skill_twice"
    with pytest.raises(NotFound):
        catalogue.change_course(db, course, facts_of(course), [ChecklistItem("甲", "A", other.skills[0].id)])


def test_the_programme_of_a_scheduled_course_is_fixed(db: Session, make: Make) -> None:
    course = make.new_course()
    catalogue.change_course(db, course, replace(facts_of(course), programme_code="RESCUE"), [])
    make.offering(course=course)
    with pytest.raises(DomainError) as refused:
        catalogue.change_course(db, course, replace(facts_of(course), programme_code="INSTRUCTOR"), [])
    assert refused.value.field == "programme_code"


def test_an_inactive_course_is_schedulable_only_for_an_offering_that_has_it(db: Session, make: Make) -> None:
    active_course, inactive = make.new_course(), make.new_course(active=False)

    def schedulable(with_course_id: int | None = None) -> list[int]:
        groups = catalogue.list_schedulable(db, with_course_id=with_course_id)
        return [course.id for group in groups for course in group.courses]

    assert active_course.id in schedulable()
    assert inactive.id not in schedulable()
    assert inactive.id in schedulable(with_course_id=inactive.id)


def test_counts_the_offerings_of_a_course_in_every_state(db: Session, make: Make) -> None:
    course = make.new_course()
    make.offering(course=course)
    make.offering(course=course, state=OfferingState.DRAFT)
    make.offering()
    assert catalogue.count_offerings(db, course.id) == 2
