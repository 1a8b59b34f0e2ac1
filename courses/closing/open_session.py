"""The condition under which a session takes check-ins of instructors, a headcount and its closing: it is open."""

from courses.models.offerings import CourseSession, OfferingState
from lms.core.errors import N_, DomainError


def refuse_unless_open(meeting: CourseSession) -> None:
    """Raise DomainError unless the offering is published and the session is not closed yet."""
    if meeting.offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_running", N_("This offering is not running: it is a draft, closed or cancelled."))
    if meeting.closed_at is not None:
        raise DomainError(
            "session_closed",
            N_("This session is closed. Users with permission to correct it find “Correct” on its roster."),
        )
