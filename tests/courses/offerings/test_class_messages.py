"""Messages to a class: who gets each, once, by which channel, and who may write."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.class_messages import Audience, ClassMessage
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering, OfferingState
from courses.offerings import class_messages
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.messages.models import Channel, MessageState
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make
from tests.messages import mails, messages


@dataclass
class World:
    """A class whose first session has begun: one person present, one absent, one waiting, one cancelled."""

    offering: Offering
    present: Enrolment
    absent: Enrolment
    waiting: Enrolment
    cancelled: Enrolment


@pytest.fixture
def world(db: Session, make: Make) -> World:
    begun = clock.now() - timedelta(hours=1)
    offering = make.offering(starts=[begun, begun + timedelta(days=1)])
    present = make.enrolment(offering, make.trainee("王五"), email="a@example.org")
    absent = make.enrolment(offering, make.trainee("李四"))
    waiting = make.enrolment(offering, make.trainee("张三"), EnrolmentState.WAITLISTED, phone="+8613812345678")
    cancelled = make.enrolment(offering, make.trainee("赵六"), EnrolmentState.CANCELLED, email="c@example.org")
    recording.record(db, AttendanceInput(uuid4(), offering.sessions[0].id, present.id), now=clock.now())
    return World(offering, present, absent, waiting, cancelled)


def send(
    db: Session, world: World, audience: Audience = Audience.ENROLLED, text: str = "请带身份证。", **more: Any
) -> ClassMessage:
    options = {"meeting": None, "form_hash": None} | more
    meeting = options.pop("meeting")
    return class_messages.send(db, world.offering, audience, meeting, text, scope=EVERYTHING, **options)


def test_each_audience_is_its_people_with_the_channel_that_reaches_them(db: Session, world: World) -> None:
    def meant(audience: Audience) -> list[tuple[str, Channel | None]]:
        of_session = audience in {Audience.PRESENT, Audience.ABSENT}
        meeting = world.offering.sessions[0] if of_session else None
        people = class_messages.list_recipients(db, world.offering, audience, meeting)
        return [(person.enrolment.trainee.name, person.channel) for person in people]

    assert meant(Audience.ENROLLED) == [("李四", None), ("王五", Channel.EMAIL)]
    assert meant(Audience.PRESENT) == [("王五", Channel.EMAIL)]
    assert meant(Audience.ABSENT) == [("李四", None)]
    assert meant(Audience.WAITING) == [("张三", Channel.SMS)]


def test_a_message_goes_once_to_each_and_whom_it_cannot_reach_is_called(db: Session, world: World) -> None:
    first = send(db, world, form_hash=b"x" * 32)
    again = send(db, world, form_hash=b"x" * 32)
    assert first is again
    [mail] = mails(db)
    assert "请带身份证。" in mail
    assert f"/tickets/{world.present.ticket}" in mail
    assert len(messages(db, MessageState.TO_CALL)) == 1
    [(message, reached)] = class_messages.of_offering(db, world.offering.id)
    assert (message.id, dict(reached)) == (first.id, {MessageState.WAITING: 1, MessageState.TO_CALL: 1})
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "offering.message")).one()
    assert entry.after == {"message": first.id, "audience": "enrolled", "session": None, "people": 2}


def test_the_ticket_shows_what_was_meant_for_it_for_thirty_days(db: Session, world: World) -> None:
    first = send(db, world)
    second = send(db, world, Audience.ABSENT, "改期。", meeting=world.offering.sessions[0])
    assert [row.id for row in class_messages.of_enrolment(db, world.absent.id)] == [second.id, first.id]
    assert [row.id for row in class_messages.of_enrolment(db, world.present.id)] == [first.id]
    assert class_messages.of_enrolment(db, world.waiting.id) == []
    first.sent_at -= timedelta(days=31)
    db.flush()
    assert class_messages.of_enrolment(db, world.present.id) == []


@pytest.mark.parametrize(
    ("audience", "meeting", "text"),
    [
        (Audience.ENROLLED, None, ""),
        (Audience.ENROLLED, None, "长" * 1001),
        (Audience.ENROLLED, 0, "好"),
        (Audience.ABSENT, None, "好"),
        (Audience.ABSENT, 1, "好"),
    ],
    ids=["empty", "too long", "a session for all", "no session", "a session to come"],
)
def test_what_cannot_be_sent_is_refused(
    db: Session, world: World, audience: Audience, meeting: int | None, text: str
) -> None:
    code = "message_session" if text == "好" else "message_text"
    chosen = world.offering.sessions[meeting] if meeting is not None else None
    with pytest.raises(DomainError) as caught:
        send(db, world, audience, text, meeting=chosen)
    assert caught.value.code == code
    assert db.scalars(select(ClassMessage)).all() == []


def test_nobody_and_too_many_messages_are_refused(db: Session, make: Make, world: World) -> None:
    world.waiting.state = EnrolmentState.ENROLLED
    with pytest.raises(DomainError, match="nobody"):
        send(db, world, Audience.WAITING)
    for _ in range(class_messages.A_DAY):
        send(db, world)
    with pytest.raises(DomainError, match="tomorrow"):
        send(db, world)


def test_staff_in_reach_and_the_lead_may_write(db: Session, make: Make, world: World) -> None:
    lead = make.user(Role.INSTRUCTOR)
    world.offering.lead_instructor = make.instructor(user=lead)
    other, offering = make.user(Role.INSTRUCTOR), world.offering
    for scope, may in (
        (EVERYTHING, True),
        (Scope(district_ids=frozenset({offering.district_id})), True),
        (Scope(district_ids=frozenset({offering.district_id + 1})), False),
        (Scope(organisation_ids=frozenset({offering.organisation_id})), True),
        (Scope(instructor_user_id=lead.id), True),
        (Scope(instructor_user_id=other.id), False),
        (Scope(everything=True, read_only=True), False),
    ):
        assert class_messages.may_send(offering, scope) is may
    offering.state = OfferingState.DRAFT
    assert not class_messages.may_send(offering, EVERYTHING)
