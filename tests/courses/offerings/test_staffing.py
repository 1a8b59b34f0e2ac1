"""Finding the instructors that a planner typed."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.models.offerings import TeachingRole
from courses.offerings import scheduling, staffing
from courses.offerings.scheduling import Team
from courses.offerings.staffing import Near
from lms.core.errors import DomainError
from lms.core.scope import Scope
from tests.courses.planning import plan, scheduled
from tests.factories import Make

NEAR = Near(date(2026, 5, 4), Scope(district_ids=frozenset({1})))


def test_a_name_finds_somebody_near_and_a_number_anybody(db: Session, make: Make) -> None:
    near, far = make.instructor(name="李秀英"), make.instructor(name="王芳", district_id=2)
    assert staffing.suggestions(db, NEAR, limit=9) == [staffing.label(near)]
    for text in ("李秀英", staffing.label(near), near.registration_number):
        assert staffing.find(db, text, NEAR, field="lead") == near
    for text in (staffing.label(far), far.registration_number):
        assert staffing.find(db, text, NEAR, field="lead") == far
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "王芳", NEAR, field="lead")
    assert (refused.value.code, refused.value.field) == ("instructor_unknown", "lead")


def test_a_name_that_two_have_is_not_guessed(db: Session, make: Make) -> None:
    for _ in range(2):
        make.instructor(name="李秀英")
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "李秀英", NEAR, field="assistants")
    assert refused.value.code == "instructor_ambiguous"


def test_who_left_the_register_is_not_found(db: Session, make: Make) -> None:
    gone = make.instructor()
    gone.active = False
    db.flush()
    with pytest.raises(DomainError):
        staffing.find(db, gone.registration_number, NEAR, field="lead")


def test_a_team_leaves_out_empty_lines_and_names_nobody_twice(db: Session, make: Make) -> None:
    lead, helper = make.instructor(), make.instructor()
    number = helper.registration_number
    team = staffing.team_of(db, lead.registration_number, [number, None, "", number], NEAR)
    assert team == Team(lead.id, (helper.id,))
    assert staffing.team_of(db, None, [], NEAR) == Team()


def test_an_examiner_is_planned_keeps_the_role_and_does_not_teach(db: Session, make: Make) -> None:
    lead, assistant, examiner = make.instructor(), make.instructor(), make.instructor()
    team = staffing.team_of(
        db,
        lead.registration_number,
        [assistant.registration_number],
        NEAR,
        examiner=examiner.registration_number,
    )
    offering = scheduled(db, plan(make, team=team))
    teaching = offering.sessions[0].instructors
    assert {row.instructor_id: row.role for row in teaching} == {
        lead.id: TeachingRole.LEAD,
        assistant.id: TeachingRole.ASSISTANT,
        examiner.id: TeachingRole.EXAMINER,
    }
    assert scheduling.team_at(offering.sessions[0]) == team
    assert staffing.examiner_of(teaching) == staffing.label(examiner)
    assert staffing.written(teaching)[1] == [staffing.label(assistant)]
    assert {person.id for person in assessment.teachers(db, offering.id)} == {lead.id, assistant.id}


def test_suggestions_hold_a_part_of_the_name_or_number_and_those_that_begin_so_first(db: Session, make: Make) -> None:
    people = [make.instructor(name=name) for name in ("王小明", "小王", "李%明")]
    make.instructor(name="王远", district_id=2)

    def found(part: str, limit: int = 9) -> list[str]:
        return [text.partition(" · ")[0] for text in staffing.suggestions(db, NEAR, part, limit=limit)]

    assert found("王") == ["王小明", "小王"]
    assert found("王", 1) == ["王小明"]
    assert found("%") == ["李%明"]
    assert found(people[1].registration_number) == ["小王"]
    assert found("赵") == []
