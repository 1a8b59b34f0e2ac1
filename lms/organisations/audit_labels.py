"""Labels of the audit trail's codes for organisations and districts."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "organisation.add": N_("Organisation added"),
            "organisation.change": N_("Organisation changed"),
            "organisation.remove": N_("Organisation removed"),
        },
        nouns={
            "organisation": N_("Organisation"),
        },
        fields={
            "contact_name": N_("Whom to call"),
            "contact_phone": N_("Phone at work"),
            "district": N_("District"),
            "district_id": N_("District"),
            "name_en": N_("English name"),
            "name_zh": N_("Chinese name"),
            "organisation": N_("Organisation"),
            "organisation_id": N_("Organisation"),
            "sector": N_("Sector"),
        },
        values={
            "community": N_("Community"),
            "enterprise": N_("Enterprise"),
            "family": N_("Families"),
            "office": N_("Government office"),
            "red_cross": N_("Red Cross body"),
            "school": N_("School"),
            "village": N_("Village"),
        },
        reports={"organisations": N_("Organisations")},
        pages={
            "organisation": ("organisations.edit", "organisation_id"),
        },
    )
)
