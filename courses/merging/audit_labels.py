"""Labels of the audit trail's codes for merges."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "trainee.merge": N_("Two records of a person merged"),
            "trainee.tell_apart": N_("Two records found to be of two people"),
            "trainee.tell_apart_undo": N_("“Not the same person” taken back"),
            "trainee.unmerge": N_("Merge of two records undone"),
        },
        nouns={},
        fields={"merged_into": N_("Merged into"), "rows": N_("Number of rows")},
        values={},
        pages={},
    )
)
