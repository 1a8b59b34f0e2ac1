"""Labels of the audit trail's codes for results."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "assessment.retest": N_("Retest started"),
            "assessment.save": N_("Result entered"),
            "assessment.skill": N_("Skill result entered"),
            "assessment.theory": N_("Theory score entered"),
        },
        nouns={
            "assessment": N_("Result"),
        },
        fields={
            "attempt": N_("Attempt"),
            "examiner": N_("Examiner"),
            "passed": N_("Passed"),
            "theory_score": N_("Theory score"),
        },
    )
)
