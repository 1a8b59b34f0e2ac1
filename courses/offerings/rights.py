"""Rights on a closed offering or session: who may still correct attendance and results, and until when."""

from datetime import datetime, timedelta

from courses.models.offerings import CourseSession, Offering, TeachingRole
from lms.core.errors import N_, Denied
from lms.core.scope import Scope

LEAD_MAY_FOR = timedelta(days=7)


def is_allowed(offering: Offering, scope: Scope, *, now: datetime, meeting: CourseSession | None = None) -> bool:
    """Administrators of the city and of the district; for seven days after closing also whoever led."""
    if scope.read_only:
        return False
    if scope.everything or offering.district_id in scope.district_ids:
        return True
    closed_at = (meeting.closed_at if meeting is not None else None) or offering.closed_at
    if scope.instructor_user_id is None or closed_at is None or now > closed_at + LEAD_MAY_FOR:
        return False
    leads = [offering.lead_instructor] if offering.lead_instructor is not None else []
    for one in [meeting] if meeting is not None else offering.sessions:
        leads += [teaching.instructor for teaching in one.instructors if teaching.role == TeachingRole.LEAD]
    return any(person.user_id == scope.instructor_user_id for person in leads)


def denied() -> Denied:
    """The refusal for whoever may not correct."""
    return Denied(
        "correction_denied",
        N_("Only the lead instructor within 7 days, or an administrator, may correct what is closed. Ask them."),
    )
