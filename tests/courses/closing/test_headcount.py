from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from courses.closing import headcount
from courses.closing.session_events import SessionAct
from courses.models.session_events import SessionEventKind
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import EVERYTHING
from tests.courses.closing.steps import loaded, refusal


def test_the_headcount_is_entered_and_audited(db, offering):
    meeting = loaded(db, offering)
    headcount.enter(db, meeting, 300, now=clock.now())
    assert meeting.headcount == 300
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "session.headcount")).one()
    assert (entry.before, entry.after) == ({"headcount": 0}, {"headcount": 300})
    assert refusal(headcount.enter, db, meeting, -1, now=clock.now()) == "headcount_range"


def test_of_headcounts_from_devices_the_last_by_its_moment_counts(db, make, offering):
    meeting = loaded(db, offering)
    now = clock.now()
    kind, user = SessionEventKind.HEADCOUNT, make.user()

    def send(number, minutes):
        act = SessionAct(uuid4(), meeting.id, kind, now + timedelta(minutes=minutes), None, number)
        (answer,) = headcount.record_all(db, [act], user_id=user.id, device_id=None, scope=EVERYTHING, now=now)
        return answer.code, answer.facts.get("number"), meeting.headcount

    assert send(7, -5) == ("entered", 7, 7)
    assert send(5, -9) == ("superseded", 7, 7)
    headcount.enter(db, meeting, 8, now=now - timedelta(minutes=2))
    assert send(6, -3) == ("superseded", 8, 8)
    assert send(6, -1) == ("entered", 6, 6)
    assert send(6, -60 * 24)[0] == "too_early"
    meeting.closed_at = now
    assert send(9, 0)[0] == "session_closed"
    assert meeting.headcount == 6
