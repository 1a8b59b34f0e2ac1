"""The list of sessions that nobody closed: in the order of their ends, by page, with who is checked in."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.closing import unclosed
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import attend
from tests.factories import Make


def test_those_that_ended_first_stand_first_by_page(db: Session, make: Make) -> None:
    now = clock.now()
    offerings = [make.offering(starts=[now - timedelta(days=days)]) for days in (5, 9, 7)]
    make.offering(starts=[now - timedelta(days=9)], organisation=make.organisation(2))
    enrolment = make.enrolment(offerings[1])
    attend(db, enrolment, offerings[1].sessions[0])
    closed = make.offering(starts=[now - timedelta(days=9)])
    closed.sessions[0].closed_at = now
    db.flush()
    own = Scope(district_ids=frozenset({1}))
    page = unclosed.listing(db, own, now, size=2, page=1)
    assert [row.offering_id for row in page.rows] == [offerings[1].id, offerings[2].id]
    assert (page.rows[0].present, page.rows[0].enrolled, page.rows[0].requested) == (1, 1, False)
    assert (page.total, page.pages) == (3, 2)
    assert [row.offering_id for row in unclosed.listing(db, own, now, size=2, page=99).rows] == [offerings[0].id]
    assert db.scalar(unclosed.counting(EVERYTHING, now)) == 4
    assert unclosed.listing(db, own, now, requested=True).rows == []
