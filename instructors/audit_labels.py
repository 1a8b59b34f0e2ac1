"""Labels of the audit trail's codes for instructors and qualifications."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "instructor.change": N_("Instructor changed"),
            "instructor.enlist": N_("Instructor registered"),
            "instructor.invite": N_("Instructor invited"),
            "instructor.link": N_("Instructor given an account"),
            "instructor.remove": N_("Instructor removed"),
            "instructor.uninvite": N_("Invitation of an instructor withdrawn"),
            "qualification.add": N_("Qualification added"),
            "qualification.end": N_("Qualification ended"),
            "qualification.remove": N_("Qualification removed"),
        },
        nouns={
            "instructor": N_("Instructor"),
            "qualification": N_("Qualification"),
        },
        fields={
            "in_person": N_("In person"),
            "instructor": N_("Instructor"),
            "level": N_("Level"),
            "registration_number": N_("Registration number"),
            "valid_from": N_("Valid from"),
            "valid_until": N_("Valid until"),
        },
        values={
            "intermediate": N_("Intermediate"),
            "junior": N_("Junior"),
            "senior": N_("Senior"),
        },
        reports={"instructors": N_("Instructors")},
        pages={
            "instructor": ("instructors.page", "instructor_id"),
        },
    )
)
