from datetime import timedelta
from uuid import uuid4

import pytest

from courses.attendance import roster, walk_ins
from courses.closing import closing
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, arrived, loaded, refusal


def test_a_walk_in_is_registered_enrolled_and_checked_in_once(db, make):
    offering = make.offering(capacity=1)
    make.enrolment(offering)
    meeting, event_id = loaded(db, offering), uuid4()
    facts = TraineeFacts(name="孙晓明", phone="+8613912345678")
    for _ in range(2):
        answer = walk_ins.admit(db, meeting, facts, EVERYTHING, event_id=event_id, now=clock.now())
    people = roster.read_roster(db, meeting)
    row = next(row for row in people.rows if row.enrolment_id == answer.enrolment_id)
    assert (row.name, row.walk_in, row.present) == ("孙晓明", True, True)
    assert len(people.rows) == 2


def test_a_walk_in_who_is_enrolled_or_waits_is_let_in(db, make):
    offering = make.offering(capacity=1)
    meeting = loaded(db, offering)
    enrolled = make.enrolment(offering, make.trainee("李娜", name_key="李娜", phone="+8613912340000"))
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    facts = TraineeFacts(name="李娜", phone="+8613912340000")
    assert walk_ins.admit(db, meeting, facts, EVERYTHING, event_id=uuid4(), now=clock.now()).enrolment_id == enrolled.id
    answer = walk_ins.let_in(db, meeting, waiting.id, event_id=uuid4(), now=clock.now())
    assert (answer.present, waiting.state) == (True, EnrolmentState.ENROLLED)
    with pytest.raises(NotFound):
        walk_ins.let_in(db, meeting, make.enrolment(make.offering()).id, event_id=uuid4(), now=clock.now())


def test_nobody_walks_in_before_check_in_opens_or_after_closing(db, make):
    offering = make.offering(course=make.new_course(skills=1), starts=[clock.now() - timedelta(hours=2)], hours=1)
    arrived(db, make.enrolment(offering))
    closing.close(db, loaded(db, offering), zone=ZONE, **CONFIRMED)
    facts = TraineeFacts(name="孙晓明", phone="+8613912345678")
    over = loaded(db, offering)
    assert refusal(walk_ins.admit, db, over, facts, EVERYTHING, event_id=uuid4(), now=clock.now()) == "session_closed"
    coming = make.offering(starts=[clock.now() + timedelta(hours=2)])
    assert (
        refusal(walk_ins.admit, db, loaded(db, coming), facts, EVERYTHING, event_id=uuid4(), now=clock.now())
        == "too_early"
    )
