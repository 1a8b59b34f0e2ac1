"""Labels of the audit trail's codes for attendance, sign-in sheets and check-in codes."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "attendance.arrive": N_("Checked in"),
            "attendance.correct": N_("Attendance corrected"),
            "attendance.leave": N_("Checked out"),
            "attendance.review": N_("Attendance updated after a review"),
            "attendance.undo": N_("Check-in undone"),
            "session.hide_code": N_("Check-in code stopped"),
            "session.sheet": N_("Sign-in sheet printed"),
            "session.show_code": N_("Check-in code shown"),
        },
        nouns={
            "attendance": N_("Attendance"),
        },
        fields={
            "arrived_at": N_("Arrived"),
            "left_at": N_("Checked out"),
            "method": N_("Method"),
            "present": N_("Present"),
        },
    )
)
