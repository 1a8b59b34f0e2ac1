"""Finding the instructors that a planner typed."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses import staffing
from courses.scheduling import Team
from lms.core.errors import DomainError
from lms.core.scope import Scope
from tests.factories import Make

DISTRICT = Scope(district_ids=frozenset({1}))


def test_a_name_finds_somebody_near_and_a_number_anybody(db: Session, make: Make) -> None:
    near, far = make.instructor(name="李秀英"), make.instructor(name="王芳", district_id=2)
    people = staffing.suggestions(db, ["RESCUE", "FIRST_RESPONDER"], date(2026, 5, 4), DISTRICT)
    assert people == [near]
    for text in ("李秀英", staffing.label(near), near.registration_number):
        assert staffing.find(db, text, people, field="lead") == near
    for text in (staffing.label(far), far.registration_number):
        assert staffing.find(db, text, people, field="lead") == far
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "王芳", people, field="lead")
    assert (refused.value.code, refused.value.field) == ("instructor_unknown", "lead")


def test_a_name_that_two_have_is_not_guessed(db: Session, make: Make) -> None:
    people = [make.instructor(name="李秀英") for _ in range(2)]
    with pytest.raises(DomainError) as refused:
        staffing.find(db, "李秀英", people, field="assistants")
    assert refused.value.code == "instructor_ambiguous"


def test_who_left_the_register_is_not_found(db: Session, make: Make) -> None:
    gone = make.instructor()
    gone.active = False
    db.flush()
    with pytest.raises(DomainError):
        staffing.find(db, gone.registration_number, [], field="lead")


def test_a_team_leaves_out_empty_lines_and_names_nobody_twice(db: Session, make: Make) -> None:
    lead, helper = make.instructor(), make.instructor()
    number = helper.registration_number
    team = staffing.team_of(db, lead.registration_number, [number, None, "", number], [])
    assert team == Team(lead.id, (helper.id,))
    assert staffing.team_of(db, None, [], []) == Team()
