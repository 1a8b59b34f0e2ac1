"""Reminders of sessions: the day before, once, to those enrolled then; and the one tap that frees the place."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from courses.enrolment import places
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering, OfferingState
from courses.offerings import offerings, session_reminders
from courses.tasks import remind_of_sessions
from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Content
from tests.courses.planning import DAY, HOUR, MORNING, ZONE, changed, meeting, plan, scheduled
from tests.factories import Make

AT = time(17)
EVENING = MORNING - 16 * HOUR  # 17:00 on the day before
ADDRESS = "trainee@example.org"


@pytest.fixture
def remind(db: Session) -> Callable[[datetime], int]:
    """Run the task's work at a moment, to its end."""

    def run(moment: datetime) -> int:
        total = 0
        with clock.at(moment):
            while count := session_reminders.remind(db, at=AT, zone=ZONE):
                db.commit()
                total += count
        return total

    return run


@pytest.fixture
def offering(make: Make) -> Offering:
    """A class on two days, with two sessions on the first: from 9 to 12 and from 13 to 17."""
    starts = [MORNING, MORNING + 4 * HOUR, MORNING + DAY]
    row = make.offering(starts=starts, hours=3, place="一楼", created_at=EVENING - 9 * DAY)
    row.sessions[1].place = "二楼"
    return row


@pytest.fixture
def enrolled(make: Make, offering: Offering) -> Enrolment:
    return make.enrolment(offering, email=ADDRESS, created_at=EVENING - 5 * DAY)


def texts(db: Session, state: MessageState = MessageState.WAITING) -> list[str]:
    return [
        Content.of(row).text for row in db.scalars(select(Message).where(Message.state == state).order_by(Message.id))
    ]


@pytest.mark.usefixtures("enrolled")
def test_each_day_of_a_class_is_reminded_of_once_on_the_evening_before(
    db: Session, remind: Callable[[datetime], int]
) -> None:
    runs = [EVENING - DAY + timedelta(minutes=10 * step) for step in range(6 * 24 * 4)]
    told = [moment for moment in runs if remind(moment)]
    assert told == [EVENING, EVENING + DAY]
    first, second = texts(db)
    assert "09:00–12:00  一楼\n13:00–16:00  二楼" in first
    assert "2030-05-04 星期六" in first
    assert "2030-05-04 Saturday" in first
    assert "2030-05-05 星期日" in second


def test_it_has_ticket_and_the_way_to_say_no_in_both_languages(
    db: Session, enrolled: Enrolment, remind: Callable[[datetime], int]
) -> None:
    assert remind(EVENING) == 1
    [text] = texts(db)
    ticket = f"{owing.SITE}/tickets/{enrolled.ticket}"
    assert text.count(f"{ticket}\n") == text.count(f"{ticket}/cancel") == 2
    assert enrolled.offering.course.name_en in text
    assert enrolled.offering.organisation.name_zh in text
    message = db.scalars(select(Message)).one()
    assert (message.expires_at, message.patient, message.called) == (MORNING, True, False)
    assert Content.of(message).parameters == {
        "course": enrolled.offering.course.name_zh, "day": "2030-05-04", "time": "09:00", "ticket": enrolled.ticket,
    }  # fmt: skip


def test_it_says_what_to_bring_how_to_get_there_and_whom_to_call(
    db: Session, enrolled: Enrolment, remind: Callable[[datetime], int]
) -> None:
    offering = enrolled.offering
    offering.course.bring_zh, offering.course.bring_en = "身份证", "Your identity card"
    offering.organisation.contact_phone = "010-6400 0000"
    db.flush()
    assert remind(EVENING) == 1
    offering.bring, offering.directions, offering.contact_phone = "护膝 100%", "地铁 2 号线", "010-6400 1111"
    db.flush()
    assert remind(EVENING + DAY) == 1
    of_course, of_offering = texts(db)
    assert "请携带：身份证\n咨询：010-6400 0000" in of_course
    assert "What to bring: Your identity card\nQuestions: 010-6400 0000" in of_course
    assert "请携带：护膝 100%\n交通：地铁 2 号线\n咨询：010-6400 1111" in of_offering


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        (EVENING - timedelta(minutes=1), 0),
        (EVENING + timedelta(hours=4), 0),  # 21:00
        (MORNING - timedelta(hours=2, minutes=1), 0),  # 06:59
        (MORNING - timedelta(hours=2), 1),  # the worker was down in the evening
        (MORNING - timedelta(minutes=1), 1),
        (MORNING, 0),  # it has begun
        (MORNING + timedelta(hours=1), 0),
    ],
)
@pytest.mark.usefixtures("enrolled")
def test_nobody_is_reminded_at_night_or_of_a_class_that_has_begun(
    remind: Callable[[datetime], int], moment: datetime, count: int
) -> None:
    assert remind(moment) == count


def test_only_those_enrolled_then_are_reminded(
    db: Session, make: Make, offering: Offering, remind: Callable[[datetime], int]
) -> None:
    long_ago = EVENING - 5 * DAY
    for state in (EnrolmentState.WAITLISTED, EnrolmentState.CANCELLED):
        make.enrolment(offering, None, state, email=ADDRESS, created_at=long_ago)
    make.enrolment(offering, created_at=long_ago)  # nothing reaches this person
    make.enrolment(offering, email=ADDRESS, created_at=EVENING + HOUR)  # got the ticket an hour ago
    draft = make.offering(starts=[MORNING], state=OfferingState.DRAFT)
    cancelled = make.offering(
        starts=[MORNING], state=OfferingState.CANCELLED, cancel_reason="停电", cancelled_at=EVENING
    )
    for other in (draft, cancelled):
        make.enrolment(other, email=ADDRESS, created_at=long_ago)
    assert remind(EVENING + 2 * HOUR) == 0
    assert db.scalars(select(Message)).all() == []


def test_whoever_was_present_once_cannot_cancel_any_more(
    db: Session, enrolled: Enrolment, remind: Callable[[datetime], int]
) -> None:
    event = AttendanceEvent(
        id=uuid4(), course_session_id=enrolled.offering.sessions[0].id, enrolment_id=enrolled.id,
        kind=AttendanceKind.ARRIVE, method=AttendanceMethod.TAP, happened_at=MORNING,
    )  # fmt: skip
    db.add(event)
    db.flush()
    db.add(
        Attendance(
            course_session_id=event.course_session_id, enrolment_id=enrolled.id, event_id=event.id, arrived_at=MORNING
        )
    )
    db.flush()
    assert remind(EVENING + DAY) == 1
    [text] = texts(db)
    assert f"/tickets/{enrolled.ticket}\n" in text
    assert "/cancel" not in text


def test_a_class_that_is_cancelled_or_moved_meanwhile_is_not_reminded_of(
    app: Flask, db: Session, make: Make, remind: Callable[[datetime], int]
) -> None:
    with app.app_context():
        with clock.at(EVENING - 9 * DAY):
            made = plan(make, meeting())
            row = scheduled(db, made)
            offerings.publish(db, row, zone=ZONE)
            make.enrolment(row, email=ADDRESS, created_at=EVENING - 5 * DAY)
        assert remind(EVENING) == 1
        moved = plan(make, meeting(MORNING + 3 * HOUR, session_id=row.sessions[0].id), course_id=made.course_id,
                     organisation_id=made.organisation_id, team=made.team)  # fmt: skip
        with clock.at(EVENING + timedelta(minutes=5)):
            changed(db, row, moved)
        assert [message.purpose for message in db.scalars(select(Message).where(Message.state == "waiting"))] == [
            "changed_times"
        ]
        db.expire_all()
        assert remind(EVENING + timedelta(minutes=10)) == 1  # of the new time
        assert "12:00–20:00" in texts(db)[-1]
        with clock.at(EVENING + timedelta(minutes=15)):
            offerings.cancel(db, row, "停电", zone=ZONE)
        assert remind(EVENING + timedelta(minutes=20)) == 0
    assert len(texts(db, MessageState.ASIDE)) == 2
    assert {message.purpose for message in db.scalars(select(Message).where(Message.state == "waiting"))} == {
        "changed_times", "cancellation",
    }  # fmt: skip


def test_whoever_cancels_is_not_reminded(
    db: Session, make: Make, enrolled: Enrolment, remind: Callable[[datetime], int]
) -> None:
    make.enrolment(enrolled.offering, email="stays@example.org", created_at=EVENING - 5 * DAY)
    assert remind(EVENING) == 2
    with clock.at(EVENING + timedelta(minutes=1)):
        places.cancel(db, enrolled, "有事")
    waiting = db.scalars(select(Message).where(Message.state == MessageState.WAITING))
    assert [Content.of(row).addresses[0].value for row in waiting] == ["stays@example.org"]
    assert len(texts(db, MessageState.ASIDE)) == 1


def test_the_task_reminds_once_and_not_at_all_without_a_time(app: Flask, db: Session, enrolled: Enrolment) -> None:
    db.commit()
    settings = app.config["SETTINGS"]
    with app.app_context(), clock.at(EVENING):
        app.config["SETTINGS"] = settings.model_copy(update={"session_reminder_at": None})
        remind_of_sessions()
        app.config["SETTINGS"] = settings
        assert texts(db) == []
        remind_of_sessions()
        remind_of_sessions()
    assert len(texts(db)) == 1


def test_a_killed_worker_reminds_nobody_twice(fresh_database: str) -> None:
    """Two workers on one database; the first dies before its commit. Batches are smaller than the class."""
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine)
    with sessions() as db:
        make = Make(db)
        row = make.offering(starts=[MORNING])
        for number in range(session_reminders.BATCH + 10):
            make.enrolment(row, email=f"{number}@example.org", created_at=EVENING - DAY)
        db.commit()
    with clock.at(EVENING), sessions() as first, sessions() as second:
        assert session_reminders.remind(first, at=AT, zone=ZONE) == session_reminders.BATCH
        assert session_reminders.remind(second, at=AT, zone=ZONE) in {0, 10}
        first.rollback()
        second.commit()
        while session_reminders.remind(second, at=AT, zone=ZONE):
            second.commit()
        assert session_reminders.remind(first, at=AT, zone=ZONE) == 0
        people = second.scalars(select(Message.person)).all()
        assert len(set(people)) == len(people) == session_reminders.BATCH + 10
    engine.dispose()


def test_a_previewer_of_links_changes_nothing_and_one_tap_frees_the_place(
    client: FlaskClient, db: Session, make: Make
) -> None:
    row = make.offering(starts=[clock.now() + 20 * HOUR], capacity=1)
    enrolled = make.enrolment(row, email=ADDRESS)
    waiting = make.enrolment(row, None, EnrolmentState.WAITLISTED, email="next@example.org")
    db.commit()
    address = f"/tickets/{enrolled.ticket}/cancel"
    for _ in range(2):
        assert client.head(address).status_code == 200
        page = client.get(address)
        assert page.text.count('method="post"') >= 1
        assert row.place in page.text
    db.expire_all()
    assert (enrolled.state, waiting.state) == ("enrolled", "waitlisted")
    assert client.post(address, data={}).status_code == 302
    db.expire_all()
    assert (enrolled.state, waiting.is_offered) == ("cancelled", True)
    [promotion] = db.scalars(select(Message)).all()
    assert (promotion.purpose, Content.of(promotion).addresses[0].value) == ("place_offer", "next@example.org")
    again = client.get(address)
    assert "该报名已取消" in again.text
    assert 'type="submit" class="btn btn-danger"' not in again.text
