"""Labels of the audit trail's codes for reports and exports."""

from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels
from lms.core.errors import N_

audit_labels.register(
    AuditLabels(
        actions={
            "export.download": N_("Export with personal data fetched"),
            "report.export": N_("Report exported"),
            "saved_view.change": N_("Saved view changed"),
            "saved_view.delete": N_("Saved view deleted"),
            "saved_view.save": N_("View saved"),
        },
        nouns={
            "export": N_("Export"),
            "report": N_("Report"),
            "saved_view": N_("Saved view"),
        },
        fields={
            "as_of": N_("As recorded on"),
            "column": N_("Figure"),
            "filters": N_("Filters"),
            "format": N_("Format"),
            "grouping": N_("Rows"),
            "kind": N_("Kind"),
            "offering": N_("Offering"),
            "personal": N_("Personal data"),
            "row": N_("Only the row"),
            "rows": N_("Number of rows"),
            "since": N_("From"),
            "until": N_("To"),
            "year": N_("Year"),
        },
        values={
            "certificates": N_("Certificates issued"),
            "counted": N_("Headcount"),
            "course": N_("Course"),
            "district": N_("District"),
            "full": N_("Names and full phone numbers"),
            "host": N_("Host organisation"),
            "instructor": N_("Instructor"),
            "masked": N_("Names, and phone numbers with the middle digits hidden"),
            "minutes": N_("Person-hours"),
            "month": N_("Month"),
            "named": N_("Attended (named)"),
            "offerings": N_("Offerings closed"),
            "person_times": N_("Person-times"),
            "programme": N_("Programme"),
            "quarter": N_("Quarter"),
            "sector": N_("Sector"),
            "year": N_("Year"),
        },
        reports={
            "adjustments": N_("Adjustments of frozen quarters"),
            "attendances": N_("People of a session, one row each"),
            "districts": N_("Person-times by programme, district and period"),
            "enrolment": N_("Enrolment report"),
            "enrolments": N_("People of an offering, one row each"),
            "hours": N_("Hours taught"),
            "hours_sessions": N_("Sessions taught"),
            "in_progress": N_("Offerings in progress"),
            "indicators": N_("Indicators"),
            "offering_lines": N_("Contribution of this offering to the report"),
            "offering_sessions": N_("Sessions of the offering"),
            "offerings": N_("Offerings, one row each"),
            "opening_balance": N_("Totals from before this system"),
            "opening_balances": N_("Totals from before this system"),
            "participations": N_("Participations, one row per person and offering"),
            "people": N_("People counted in the figure, one row each"),
            "population": N_("Population"),
            "quarters": N_("Quarters"),
            "targets": N_("Targets"),
            "waiting": N_("Waiting lists"),
        },
    )
)
