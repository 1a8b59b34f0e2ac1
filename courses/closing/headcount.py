"""The headcount of a session: people who were present and are not on the roster, counted and not named."""

from datetime import datetime

from sqlalchemy.orm import Session

from courses.attendance import check_in_window
from courses.closing.open_session import refuse_unless_open
from courses.models.offerings import CourseSession
from lms.core import audit
from lms.core.errors import N_, DomainError

HEADCOUNT_LIMIT = 100_000


def enter(db: Session, meeting: CourseSession, number: int, *, now: datetime, reason: str | None = None) -> None:
    """Set the headcount of a session to `number` people.

    With a reason, the headcount of a closed session changes too: only `courses.closing.correction` gives one.
    Raises DomainError for a number outside 0 to `HEADCOUNT_LIMIT`, for a session that is not open, and before its
    check-in opens.
    """
    if not 0 <= number <= HEADCOUNT_LIMIT:
        raise DomainError("headcount_range", N_("Enter a number from 0 to 100000."), field="number")
    db.refresh(meeting, ["headcount", "closed_at"], with_for_update=True)
    if reason is None:
        refuse_unless_open(meeting)
    opens = check_in_window.opens_at(meeting)
    if opens > now:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opens)
    if meeting.headcount == number:
        return
    before, meeting.headcount = meeting.headcount, number
    audit.record(
        db, "session.headcount", meeting, before={"headcount": before}, after={"headcount": number}, reason=reason
    )
