"""The right to correct a closed offering or session: who may change attendance and results, and until when."""

from datetime import datetime, timedelta

from courses.models.offerings import CourseSession, Offering, TeachingRole
from lms.core.errors import N_, Denied
from lms.core.scope import Scope

LEAD_CORRECTION_PERIOD = timedelta(days=7)  # after the closing


def may_correct(offering: Offering, scope: Scope, *, now: datetime, meeting: CourseSession | None = None) -> bool:
    """Tell whether the scope's user may correct a closed offering, or one closed session (`meeting`) of it.

    Administrators of the city and of the offering's district may. A lead instructor may for seven days after the
    closing: the lead of the offering and, without `meeting`, the lead of any of its sessions.
    """
    if scope.read_only:
        return False
    if scope.everything or offering.district_id in scope.district_ids:
        return True
    closed_at = (meeting.closed_at if meeting is not None else None) or offering.closed_at
    if closed_at is None or now > closed_at + LEAD_CORRECTION_PERIOD:
        return False
    return leads(offering, scope, meeting)


def leads(offering: Offering, scope: Scope, meeting: CourseSession | None = None) -> bool:
    """Tell whether the scope's user leads an offering: as its lead, or as the lead of one of its sessions (of `meeting`)."""
    if scope.instructor_user_id is None:
        return False
    instructors = [offering.lead_instructor] if offering.lead_instructor is not None else []
    for course_session in [meeting] if meeting is not None else offering.sessions:
        instructors += [row.instructor for row in course_session.instructors if row.role == TeachingRole.LEAD]
    return any(instructor.user_id == scope.instructor_user_id for instructor in instructors)


def correction_denied() -> Denied:
    """The error for a user who may not correct."""
    return Denied(
        "correction_denied",
        N_(
            "After closing, only the lead instructor (within 7 days) or an administrator "
            "can make corrections. Ask one of them."
        ),
    )
