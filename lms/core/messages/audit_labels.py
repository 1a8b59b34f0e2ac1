"""Labels of the audit trail's codes for messages."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "message.call": N_("Call about a message recorded"),
            "message.read_phone": N_("Number read for a call"),
            "message.retry": N_("Messages that were put aside are sent again"),
        },
        nouns={"message": N_("Message")},
        fields={"outcome": N_("Outcome"), "count": N_("Number")},
        values={
            "called": N_("Called"),
            "not_reached": N_("Not reached"),
            "not_needed": N_("No longer needed"),
        },
    )
)
