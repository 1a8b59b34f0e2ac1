"""Labels of the audit trail's codes for personal data."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "erasure.ask": N_("Erasure of a person's data asked for"),
            "erasure.done": N_("Request for erasure done"),
            "erasure.refused": N_("Request for erasure refused"),
            "erasure.withdrawn": N_("Request for erasure taken back"),
            "processing.export": N_("Register of processing exported"),
            "retention.change": N_("Period of retention changed"),
            "retention.erase": N_("Personal data erased by its period"),
            "trainee.erase": N_("Person's data erased"),
            "trainee.export": N_("Person's data exported"),
        },
        nouns={"retention": N_("Retention")},
        fields={
            "by_person": N_("Asked by the person"),
            "period": N_("Period"),
            "on_paper": N_("On paper"),
        },
        reports={"processing": N_("Register of processing")},
    )
)
