"""The hours in which a session takes check-ins, and the states of its training in which it takes any.

Check-in opens an hour before the session starts. A check-in from a device counts up to four hours after the end; a later
one is stored for review.
"""

from datetime import datetime, timedelta
from typing import Protocol

from courses.models.offerings import CourseSession, OfferingState
from lms.core.errors import N_, DomainError

OPENS_BEFORE = timedelta(minutes=60)
# Instructors check themselves in from so long before the start.
INSTRUCTORS_OPEN_BEFORE = timedelta(hours=3)
# Sessions overrun, and people sign out at the door. A time of the next morning needs a person's decision.
CLOSES_AFTER = timedelta(hours=4)


class SessionTimes(Protocol):
    """The facts of a session that decide: a `CourseSession`, or the row that `stored_events` locks."""

    @property
    def starts_at(self) -> datetime:
        """The planned start."""
        ...

    @property
    def ends_at(self) -> datetime:
        """The planned end."""
        ...

    @property
    def closed_at(self) -> datetime | None:
        """The moment when the session was closed; None while it is open."""
        ...


def opens_at(meeting: SessionTimes) -> datetime:
    """The moment when check-in opens."""
    return meeting.starts_at - OPENS_BEFORE


def instructors_open_at(meeting: SessionTimes) -> datetime:
    """The moment from which instructors check themselves in."""
    return meeting.starts_at - INSTRUCTORS_OPEN_BEFORE


def opening_ahead(meeting: SessionTimes, now: datetime) -> datetime | None:
    """The moment when check-in opens while that lies ahead, for pages that announce it; None once check-in is open."""
    opening = opens_at(meeting)
    return opening if opening > now else None


def contains(meeting: SessionTimes, moment: datetime) -> bool:
    """Return whether a check-in at this moment counts without review, both ends included."""
    return opens_at(meeting) <= moment <= meeting.ends_at + CLOSES_AFTER


def is_running(meeting: CourseSession) -> bool:
    """Return whether the session is open and its training published, whatever the hour."""
    return meeting.closed_at is None and meeting.offering.state == OfferingState.PUBLISHED


def refuse_unless_running(meeting: SessionTimes, offering_state: OfferingState, now: datetime) -> None:
    """Raise DomainError, with a message that says what to do, where the session takes no check-ins now."""
    if offering_state == OfferingState.CANCELLED:
        raise DomainError("offering_cancelled", N_("This offering was cancelled; nobody can be checked in."))
    if offering_state == OfferingState.DRAFT:
        raise DomainError("offering_draft", N_("This offering is not published yet. Ask its host to publish it."))
    opening = opening_ahead(meeting, now)
    if opening is not None:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opening)
    if meeting.closed_at is not None:
        raise DomainError(
            "session_closed",
            N_("This session is closed. Users with permission to correct it find “Correct” on its roster."),
        )
