from sqlalchemy import select

from courses.closing import headcount
from lms.core import clock
from lms.core.audit import AuditEntry
from tests.courses.closing.steps import loaded, refusal


def test_the_headcount_is_entered_and_audited(db, offering):
    meeting = loaded(db, offering)
    headcount.enter(db, meeting, 300, now=clock.now())
    assert meeting.headcount == 300
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "session.headcount")).one()
    assert (entry.before, entry.after) == ({"headcount": 0}, {"headcount": 300})
    assert refusal(headcount.enter, db, meeting, -1, now=clock.now()) == "headcount_range"
