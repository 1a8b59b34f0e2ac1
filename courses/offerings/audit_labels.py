"""Labels of the audit trail's codes for offerings and their sessions."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "offering.cancel": N_("Offering cancelled"),
            "offering.change": N_("Offering changed"),
            "offering.message": N_("Message sent to a class"),
            "offering.publish": N_("Offering published"),
            "offering.schedule": N_("Offering scheduled"),
        },
        nouns={
            "course_session": N_("Session"),
            "offering": N_("Offering"),
        },
        fields={
            "audience": N_("Meant for"),
            "capacity": N_("Capacity"),
            "certificate_hours": N_("Hours on the certificates"),
            "ends_at": N_("Ends"),
            "hours_reason": N_("Reason for the hours on the certificates"),
            "instructors": N_("Instructors"),
            "lead": N_("Lead instructor"),
            "place": N_("Place"),
            "session": N_("Session"),
            "sessions": N_("Sessions"),
            "starts_at": N_("Begins"),
        },
        values={
            "closed": N_("closed"),
            "draft": N_("draft"),
            "published": N_("published"),
        },
        pages={
            "offering": ("offerings.page", "offering_id"),
        },
    )
)
