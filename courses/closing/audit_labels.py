"""Labels of the audit trail's codes for closing, reviews, headcounts and the instructors' own check-in."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "check_in.accept": N_("Reviewed check-in accepted"),
            "check_in.merge": N_("Reviewed check-in assigned to a person"),
            "check_in.reject": N_("Reviewed check-in rejected"),
            "closing_request.confirm": N_("Requested closing confirmed"),
            "closing_request.outdate": N_("Requested closing outdated"),
            "closing_request.receive": N_("Closing requested by a device"),
            "closing_request.withdraw": N_("Requested closing withdrawn"),
            "enrolment.cancel": N_("Enrolment cancelled"),
            "enrolment.held_elsewhere": N_("Certificate of another branch accepted or withdrawn"),
            "instructor.arrive": N_("Instructor checked in"),
            "instructor.leave": N_("Instructor left"),
            "offering.close": N_("Offering closed"),
            "session.close": N_("Session closed"),
            "session.end": N_("Session ended before its planned end"),
            "session.headcount": N_("Headcount entered"),
            "session.spot_check": N_("Headcount checked"),
        },
        fields={
            "before_end": N_("Closed before its planned end"),
            "by_self": N_("Self check-ins"),
            "counted": N_("Counted"),
            "expected": N_("On the list"),
            "headcount": N_("Headcount"),
            "held_elsewhere": N_("Certificate of another branch"),
            "request": N_("Request"),
        },
    )
)
