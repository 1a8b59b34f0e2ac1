"""A paper sheet entered afterwards: the paper's times stand, and nothing is stored that was not looked at."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from courses.attendance import recording, roster
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.paper import entry
from courses.attendance.paper.entry import ROW_ERRORS, TypedRow, moment_of, parse_time
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod, ReviewReason
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 4, 1, tzinfo=UTC)  # 09:00 in Beijing
NEXT_DAY = START + timedelta(days=1)


@pytest.fixture
def offering(make: Make):
    return make.offering(starts=[START], hours=8)


@pytest.fixture
def people(make: Make, offering):
    return [make.enrolment(offering, make.trainee(name)) for name in ("陈静", "李强", "张伟")]


def checked(db, offering, typed, now=NEXT_DAY):
    meeting = roster.load_session(db, offering.sessions[0].id, EVERYTHING)
    rows = roster.read_roster(db, meeting).rows
    return meeting, entry.check_sheet(meeting, rows, typed, zone=ZONE, now=now)


def enter(db, offering, typed, batch=None, now=NEXT_DAY):
    meeting, found = checked(db, offering, typed, now)
    return entry.save_sheet(db, meeting, found, batch=batch or uuid4(), seen=found.fingerprint, now=now)


def there(db, enrolment):
    row = db.execute(
        select(Attendance.arrived_at, Attendance.left_at).where(Attendance.enrolment_id == enrolment.id)
    ).one_or_none()
    return row and tuple(moment and moment.astimezone(ZONE).strftime("%H:%M") for moment in row)


def tapped(db, enrolment, minutes, kind=AttendanceKind.ARRIVE, **facts):
    meeting = enrolment.offering.sessions[0]
    moment = START + timedelta(minutes=minutes)
    event = AttendanceInput(uuid4(), meeting.id, enrolment.id, kind, AttendanceMethod.TAP, told_at=moment, **facts)
    recording.record(db, event, now=moment)
    return event


@pytest.mark.parametrize(
    "text",
    ["9:02", "09:02", "902", "0902", "9.02", "9：02", "９：０２", "9点02分", "9点2分", " 9:02 ", "9h02", "9时02"],
)
def test_a_time_is_understood_however_it_is_written(text):
    assert parse_time(text) == time(9, 2)


@given(st.times().map(lambda moment: moment.replace(second=0, microsecond=0)))
def test_every_time_of_the_day_is_understood_with_and_without_a_colon(moment):
    assert parse_time(f"{moment:%H:%M}") == parse_time(f"{moment:%H%M}") == moment


@pytest.mark.parametrize("text", ["25:00", "9:60", "12345", "abc", "9:", ":30", "9:2:1", "-1", "2460"])
def test_an_invalid_time_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # from two places, with no words that matter
        parse_time(text)


def test_an_hour_alone_and_nothing():
    assert parse_time("9") == time(9)
    assert parse_time("9点") == time(9)
    assert parse_time("  ") is None


def test_a_session_past_midnight_knows_which_day_is_meant(make):
    offering = make.offering(starts=[datetime(2026, 5, 4, 14, tzinfo=UTC)], hours=4)  # 22:00 to 02:00
    meeting = offering.sessions[0]
    assert moment_of(time(22, 5), meeting, ZONE) == datetime(2026, 5, 4, 14, 5, tzinfo=UTC)
    assert moment_of(time(1, 30), meeting, ZONE) == datetime(2026, 5, 4, 17, 30, tzinfo=UTC)
    assert moment_of(time(12), meeting, ZONE) is None


def test_the_papers_times_are_stored_a_day_later_with_no_device(db, offering, people):
    first, second, third = people
    done = enter(
        db,
        offering,
        {str(first.id): TypedRow("902", "1650"), str(second.id): TypedRow("9:10"), str(third.id): TypedRow()},
    )
    assert (done.changed, done.waiting, done.refused) == (2, 0, [])
    assert there(db, first) == ("09:02", "16:50")
    assert there(db, second) == ("09:10", None)
    assert there(db, third) is None
    events = db.scalars(select(AttendanceEvent)).all()
    assert {(event.method, event.device_id, event.review) for event in events} == {
        (AttendanceMethod.IMPORT, None, None)
    }
    assert {event.told_at for event in events} >= {START + timedelta(minutes=2)}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (TypedRow("9:75"), "time"),
        (TypedRow("7:00"), "window"),
        (TypedRow("", "16:00"), "no_arrival"),
        (TypedRow("10:00", "9:30"), "order"),
    ],
)
def test_an_impossible_row_is_reported_and_nothing_is_stored(db, offering, people, typed, code):
    meeting, found = checked(db, offering, {str(people[0].id): typed, str(people[1].id): TypedRow("9:00")})
    assert found.errors == {str(people[0].id): ROW_ERRORS[code]}
    with pytest.raises(DomainError):
        entry.save_sheet(db, meeting, found, batch=uuid4(), seen=found.fingerprint, now=NEXT_DAY)
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 0


def test_a_future_time_and_a_person_without_a_place_are_reported(db, make, offering, people):
    _meeting, found = checked(
        db,
        offering,
        {str(people[0].id): TypedRow("16:00"), "999999999": TypedRow("9:00"), "new0": TypedRow("9:00")},
        now=START,
    )
    assert found.errors == {
        str(people[0].id): ROW_ERRORS["ahead"],
        "999999999": ROW_ERRORS["gone"],
        "new0": ROW_ERRORS["no_name"],
    }


def test_the_paper_replaces_times_that_were_tapped_and_keeps_every_event(db, offering, people):
    person = people[0]
    tapped(db, person, 1)
    tapped(db, person, 30)  # a second instructor, later
    tapped(db, person, 400, AttendanceKind.LEAVE)
    done = enter(db, offering, {str(person.id): TypedRow("9:20", "11:00", "09:01", "15:40")})
    assert (done.changed, done.refused) == (1, [])
    assert there(db, person) == ("09:20", "11:00")
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 3 + 3 + 2


def test_a_departure_alone_is_added_to_an_arrival(db, offering, people):
    event = tapped(db, people[0], 1)
    enter(db, offering, {str(people[0].id): TypedRow("09:01", "12:00", "09:01", "")})
    assert there(db, people[0]) == ("09:01", "12:00")
    assert db.scalar(select(Attendance.event_id).where(Attendance.enrolment_id == people[0].id)) == event.id


def test_a_time_that_is_cleared_is_taken_back_and_can_be_entered_again(db, offering, people):
    tapped(db, people[0], 1)
    enter(db, offering, {str(people[0].id): TypedRow("", "", "09:01", "")})
    assert there(db, people[0]) is None
    enter(db, offering, {str(people[0].id): TypedRow("9:05")})
    assert there(db, people[0]) == ("09:05", None)


def test_a_check_in_made_meanwhile_stays_where_the_row_is_empty(db, offering, people):
    tapped(db, people[0], 1)
    _meeting, found = checked(db, offering, {str(people[0].id): TypedRow()})
    assert found.changes == []


def test_sent_twice_it_is_stored_once(db, offering, people):
    typed, batch = {str(people[0].id): TypedRow("9:02", "16:00")}, uuid4()
    meeting, found = checked(db, offering, typed)
    for _again in range(2):
        entry.save_sheet(db, meeting, found, batch=batch, seen=found.fingerprint, now=NEXT_DAY)
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 2


def test_changes_that_the_preview_did_not_show_are_not_stored(db, offering, people):
    meeting, found = checked(db, offering, {str(people[0].id): TypedRow("9:02")})
    with pytest.raises(DomainError) as caught:
        entry.save_sheet(db, meeting, found, batch=uuid4(), seen="other", now=NEXT_DAY)
    assert caught.value.code == "paper_changed"


def test_a_walk_in_on_paper_waits_for_review(db, offering, people):
    done = enter(db, offering, {"new0": TypedRow("9:05", "16:00", name="赵六")})
    assert (done.changed, done.waiting) == (0, 1)
    reviews = db.scalars(select(AttendanceEvent.review)).all()
    assert set(reviews) == {ReviewReason.WALK_IN_MATCH}


def test_a_time_that_an_undo_on_the_roster_takes_back_is_reported(db, offering, people):
    tapped(db, people[0], 1)
    tapped(db, people[0], 60, AttendanceKind.UNDO, reason="点错了")
    done = enter(db, offering, {str(people[0].id): TypedRow("9:02")})
    assert (done.changed, done.refused) == (0, ["陈静"])


def test_a_large_class_is_entered_at_once(db, make, offering):
    crowd = [make.enrolment(offering) for _ in range(70)]
    done = enter(db, offering, {str(one.id): TypedRow("9:00", "16:30") for one in crowd})
    assert done.changed == 70
    assert db.scalar(select(func.count()).select_from(Attendance)) == 70
