from uuid import uuid4

import pytest
from sqlalchemy import select

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.self_check_in import code_display
from courses.closing import closing, headcount, spot_check
from courses.closing.spot_check import HeadCount
from courses.models.attendance import AttendanceKind
from lms.core import clock
from lms.core.audit import AuditEntry
from tests.courses.attendance.self_check_in.test_claims import checked_in, claimed
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, loaded, refusal


@pytest.fixture
def offering(make):
    return make.offering()


@pytest.fixture
def meeting(db, offering):
    """A session whose check-in code is shown."""
    session = loaded(db, offering)
    code_display.show(db, session, now=clock.now())
    return session


def test_closing_asks_for_heads_where_people_checked_themselves_in(db, make, offering, meeting):
    rows = [make.enrolment(offering) for _ in range(3)]
    for row in rows[:2]:
        checked_in(db, claimed(db, meeting), row)
    recording.record(db, AttendanceInput(uuid4(), meeting.id, rows[2].id), now=clock.now())
    expected = closing.outlook(db, meeting).expected_heads
    assert (expected.by_self, expected.expected) == (2, 3)
    assert refusal(closing.close, db, meeting, zone=ZONE, **CONFIRMED) == "heads_missing"
    assert refusal(closing.close, db, meeting, zone=ZONE, heads=HeadCount(-1), **CONFIRMED) == "heads_missing"
    assert refusal(closing.close, db, meeting, zone=ZONE, heads=HeadCount(2, "  "), **CONFIRMED) == "heads_differ"
    assert meeting.closed_at is None
    closing.close(db, meeting, zone=ZONE, heads=HeadCount(2, "一人刚离开"), **CONFIRMED)
    assert meeting.closed_at is not None


def test_closing_asks_for_no_heads_where_the_instructor_checked_all_in(db, make, offering, meeting):
    recording.record(db, AttendanceInput(uuid4(), meeting.id, make.enrolment(offering).id), now=clock.now())
    assert closing.outlook(db, meeting).expected_heads is None
    closing.close(db, meeting, zone=ZONE, **CONFIRMED)
    assert meeting.closed_at is not None


def test_who_left_is_not_expected_in_the_room_and_who_was_counted_is(db, make, offering, meeting):
    rows = [make.enrolment(offering) for _ in range(2)]
    for row in rows:
        checked_in(db, claimed(db, meeting), row)
    recording.record(db, AttendanceInput(uuid4(), meeting.id, rows[0].id, kind=AttendanceKind.LEAVE), now=clock.now())
    headcount.enter(db, meeting, 5, now=clock.now())
    expected = closing.outlook(db, meeting).expected_heads
    assert (expected.by_self, expected.expected) == (2, 6)


def test_the_spot_check_is_stored_with_the_session_and_audited(db, make, offering, meeting):
    checked_in(db, claimed(db, meeting), make.enrolment(offering))
    assert spot_check.of_session(db, meeting) is None
    closing.close(db, meeting, zone=ZONE, heads=HeadCount(0, " 刚刚\n离开 "), **CONFIRMED)
    stored = spot_check.of_session(db, meeting)
    assert (stored.counted, stored.expected, stored.by_self, stored.reason) == (0, 1, 1, "刚刚 离开")
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "session.spot_check")).one()
    assert (entry.after, entry.reason) == ({"counted": 0, "expected": 1, "by_self": 1}, "刚刚 离开")


@pytest.mark.parametrize("number", [None, -1, headcount.HEADCOUNT_LIMIT + 1])
def test_heads_outside_the_limits_are_refused(db, meeting, number):
    expected = spot_check.ExpectedHeads(by_self=1, expected=1)
    assert refusal(spot_check.enter, db, meeting, expected, HeadCount(number), now=clock.now()) == "heads_missing"
