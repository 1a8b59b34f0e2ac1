"""Labels of the audit trail's codes for backups."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "backup.make": N_("Backup made"),
            "backup.restore": N_("Restored from a backup"),
        },
        nouns={"backup": N_("Backup")},
        fields={"bytes": N_("Size"), "rows": N_("Number of rows"), "snapshot": N_("Moment of the backup")},
    )
)
