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
            "offering.withdraw": N_("Offering made a draft again"),
            "training_request.accept": N_("Requested training accepted"),
            "training_request.decline": N_("Requested training declined"),
        },
        nouns={
            "course_session": N_("Session"),
            "offering": N_("Offering"),
            "training_request": N_("Requested training"),
        },
        fields={
            "audience": N_("Meant for"),
            "bring": N_("What to bring"),
            "capacity": N_("Capacity"),
            "certificate_hours": N_("Hours on the certificates"),
            "directions": N_("How to get there"),
            "ends_at": N_("Ends"),
            "fee": N_("Fee in yuan"),
            "fee_note": N_("About the fee"),
            "hours_reason": N_("Reason for the hours on the certificates"),
            "instructors": N_("Instructors"),
            "lead": N_("Lead instructor"),
            "map_address": N_("Address for the map"),
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
            "training_request": ("training_requests.page", "request_id"),
        },
    )
)
