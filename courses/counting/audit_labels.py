"""Labels of the audit trail's codes for opening balances, targets, population and frozen quarters."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "opening_balance.add": N_("Totals from before the system added"),
            "opening_balance.withdraw": N_("Totals from before the system withdrawn"),
            "population.set": N_("Population set"),
            "quarter.freeze": N_("Quarter frozen"),
            "target.set": N_("Target set"),
        },
        nouns={
            "opening_source": N_("Totals from before the system"),
            "population": N_("Population"),
            "quarter": N_("Quarter"),
            "target": N_("Target"),
        },
    )
)
