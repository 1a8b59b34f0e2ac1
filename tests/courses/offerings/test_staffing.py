"""Finding the instructors whom a planner types, and the labels of a session's instructors."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.models.offerings import TeachingRole
from courses.offerings import scheduling, staffing
from courses.offerings.scheduling import Team
from courses.offerings.staffing import InstructorScope
from lms.core.errors import DomainError
from lms.core.scope import Scope
from tests.courses.planning import plan, scheduled
from tests.factories import Make

REACH = InstructorScope(date(2026, 5, 4), Scope(district_ids=frozenset({1})))


def test_a_name_finds_an_instructor_in_scope_and_a_number_any_instructor(db: Session, make: Make) -> None:
    own, far = make.instructor(name="李秀英"), make.instructor(name="王芳", district_id=2)
    assert staffing.suggest(db, REACH, limit=9) == [staffing.label(own)]
    for text in ("李秀英", staffing.label(own), own.registration_number):
        assert staffing.find(db, text, REACH, field="lead") == own
    for text in (staffing.label(far), far.registration_number):
        assert staffing.find(db, text, REACH, field="lead") == far
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "王芳", REACH, field="lead")
    assert (refused.value.code, refused.value.field) == ("instructor_unknown", "lead")


def test_a_name_of_two_instructors_is_ambiguous(db: Session, make: Make) -> None:
    for _ in range(2):
        make.instructor(name="李秀英")
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "李秀英", REACH, field="assistants")
    assert refused.value.code == "instructor_ambiguous"


def test_an_inactive_instructor_is_not_suggested(db: Session, make: Make) -> None:
    inactive = make.instructor()
    inactive.active = False
    db.flush()
    with pytest.raises(DomainError):
        staffing.find(db, inactive.registration_number, REACH, field="lead")


def test_a_team_leaves_out_empty_lines_and_names_nobody_twice(db: Session, make: Make) -> None:
    lead, helper = make.instructor(), make.instructor()
    number = helper.registration_number
    team = staffing.parse_team(db, lead.registration_number, [number, None, "", number], REACH)
    assert team == Team(lead.id, (helper.id,))
    assert staffing.parse_team(db, None, [], REACH) == Team()


def test_an_examiner_is_planned_keeps_the_role_and_does_not_teach(db: Session, make: Make) -> None:
    lead, assistant, examiner = make.instructor(), make.instructor(), make.instructor()
    team = staffing.parse_team(
        db,
        lead.registration_number,
        [assistant.registration_number],
        REACH,
        examiner=examiner.registration_number,
    )
    offering = scheduled(db, plan(make, team=team))
    teaching = offering.sessions[0].instructors
    assert {row.instructor_id: row.role for row in teaching} == {
        lead.id: TeachingRole.LEAD,
        assistant.id: TeachingRole.ASSISTANT,
        examiner.id: TeachingRole.EXAMINER,
    }
    assert scheduling.current_team(offering.sessions[0]) == team
    assert staffing.examiner_label(teaching) == staffing.label(examiner)
    assert staffing.lead_and_assistant_labels(teaching)[1] == [staffing.label(assistant)]
    assert {person.id for person in assessment.teachers(db, offering.id)} == {lead.id, assistant.id}


def test_suggestions_contain_the_input_and_those_that_begin_with_it_come_first(db: Session, make: Make) -> None:
    people = [make.instructor(name=name) for name in ("王小明", "小王", "李%明")]
    make.instructor(name="王远", district_id=2)

    def suggested(part: str, limit: int = 9) -> list[str]:
        return [text.partition(" · ")[0] for text in staffing.suggest(db, REACH, part, limit=limit)]

    assert suggested("王") == ["王小明", "小王"]
    assert suggested("王", 1) == ["王小明"]
    assert suggested("%") == ["李%明"]
    assert suggested(people[1].registration_number) == ["小王"]
    assert suggested("赵") == []
