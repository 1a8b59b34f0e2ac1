"""Labels of the audit trail's codes for programmes and courses."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "course.add": N_("Course added"),
            "course.change": N_("Course changed"),
            "course.checklist": N_("Skills checklist changed"),
            "course.prerequisites": N_("What must be held changed"),
            "programme.add": N_("Programme added"),
            "programme.change": N_("Programme changed"),
        },
        nouns={
            "course": N_("Course"),
            "programme": N_("Programme"),
        },
        fields={
            "attendance_rule": N_("Attendance required"),
            "bring_en": N_("What to bring, in English"),
            "bring_zh": N_("What to bring, in Chinese"),
            "certificate_type": N_("Certificate type"),
            "code": N_("Code"),
            "course": N_("Course"),
            "course_id": N_("Course"),
            "hours": N_("Hours"),
            "lapsed_months": N_("It may have lapsed (months)"),
            "minutes_share": N_("Share of the planned minutes, per cent"),
            "pass_mark": N_("Pass mark"),
            "position": N_("Position"),
            "prerequisites": N_("What must be held"),
            "programme": N_("Programme"),
            "programme_code": N_("Programme"),
            "refresher": N_("Refresher"),
            "since": N_("From"),
            "skills": N_("Skills"),
            "source": N_("Source"),
            "trainee_ratio": N_("Trainees per instructor"),
            "validity_months": N_("Validity (months)"),
        },
        values={
            "all": N_("All planned sessions"),
            "all_and_share": N_("All planned sessions, and a share of the minutes"),
            "share": N_("A share of the planned minutes"),
        },
    )
)
