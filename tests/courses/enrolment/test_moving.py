"""Moving a person to another class: the places of both, what was attended, the message and the ticket."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.enrolment import mail, moving, place_counts
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering, OfferingState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make
from tests.messages import messages


@dataclass
class World:
    """Two classes of a course: the former has begun and is full, with one person waiting; the other is next week."""

    former: Offering
    target: Offering
    enrolment: Enrolment
    waiting: Enrolment


@pytest.fixture
def world(make: Make) -> World:
    course = make.new_course()
    former = make.offering(course=course, capacity=1)
    target = make.offering(course=course, capacity=1, starts=[clock.now() + timedelta(days=7)])
    enrolment = make.enrolment(former, make.trainee("王五"), phone="+8613812345678")
    waiting = make.enrolment(former, make.trainee("李四"), EnrolmentState.WAITLISTED)
    return World(former, target, enrolment, waiting)


def test_a_person_who_was_not_there_leaves_the_place_to_the_waiting_list(db: Session, world: World) -> None:
    moved = moving.move(db, world.enrolment, world.target)
    assert (moved.offering_id, moved.trainee_id, moved.state) == (
        world.target.id, world.enrolment.trainee_id, EnrolmentState.ENROLLED,
    )  # fmt: skip
    assert (world.enrolment.state, world.enrolment.cancel_reason) == (
        EnrolmentState.CANCELLED, "已调到其他班 / Moved to another class",
    )  # fmt: skip
    db.refresh(world.waiting)
    assert world.waiting.state == EnrolmentState.ENROLLED
    assert moved.phone == "+8613812345678"
    assert [row.purpose for row in messages(db)] == [mail.MOVED.code]
    assert moving.moved_to(db, world.enrolment.id) is moved
    assert moving.moved_to(db, moved.id) is None
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.move")).one()
    assert (entry.before, entry.after) == (
        {"offering": world.former.id}, {"offering": world.target.id, "enrolment": moved.id},
    )  # fmt: skip


def test_what_was_attended_stays_in_the_class_where_it_was(db: Session, world: World) -> None:
    recording.record(db, AttendanceInput(uuid4(), world.former.sessions[0].id, world.enrolment.id), now=clock.now())
    moved = moving.move(db, world.enrolment, world.target)
    assert (world.enrolment.state, moved.state) == (EnrolmentState.ENROLLED, EnrolmentState.ENROLLED)
    assert list(db.scalars(select(Attendance.enrolment_id))) == [world.enrolment.id]
    assert place_counts.count_places(db, world.former).taken == 1


def test_classes_are_offered_that_have_a_place_and_a_session_to_come(db: Session, make: Make, world: World) -> None:
    course = world.former.course
    next_month = clock.now() + timedelta(days=30)
    later = make.offering(course=course, starts=[next_month])
    make.offering(starts=[next_month])
    make.offering(course=course, starts=[next_month], state=OfferingState.DRAFT)
    queued = make.offering(course=course, starts=[next_month])
    make.enrolment(queued, state=EnrolmentState.WAITLISTED)
    make.enrolment(make.offering(course=course, starts=[next_month]), world.enrolment.trainee)
    targets = moving.list_targets(db, world.enrolment, EVERYTHING)
    assert [(row.offering.id, row.free) for row in targets] == [(world.target.id, 1), (later.id, 30)]
    assert moving.list_targets(db, world.enrolment, Scope(district_ids=frozenset({2}))) == []


def test_what_cannot_be_is_refused(db: Session, make: Make, world: World) -> None:
    def refused(enrolment: Enrolment, target: Offering) -> str:
        with pytest.raises(DomainError) as caught:
            moving.move(db, enrolment, target)
        return caught.value.code

    starts = [meeting.starts_at for meeting in world.target.sessions]
    assert refused(world.enrolment, world.former) == "move_course"
    assert refused(world.enrolment, make.offering(starts=starts)) == "move_course"
    make.enrolment(make.offering(starts=starts), world.enrolment.trainee)
    assert refused(world.enrolment, world.target) == "move_clash"
    make.enrolment(world.target)
    assert refused(world.enrolment, world.target) == "move_full"
    world.enrolment.state, world.enrolment.cancelled_at = EnrolmentState.CANCELLED, clock.now()
    db.flush()
    assert refused(world.enrolment, world.target) == "not_movable"
