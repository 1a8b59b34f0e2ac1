"""The audit entry of an export names the filters, and not the person who was searched for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.exports import PersonalData
from courses.reports.export_audit import audited_arguments, record_export
from lms.core.audit import AuditEntry


def test_a_key_is_called_a_row_and_a_holder_is_hidden() -> None:
    arguments = {"since": "2025-01-01", "key": "2025-03", "holder": "张三"}
    assert audited_arguments(arguments) == {"since": "2025-01-01", "row": "2025-03", "holder": "*"}


def test_personal_data_is_named_where_the_file_holds_some(db: Session) -> None:
    record_export(db, "enrolment", {"district": "1"}, "csv", 3)
    record_export(db, "people", {}, "xlsx", 2, personal=PersonalData.MASKED)
    db.flush()
    statement = select(AuditEntry).where(AuditEntry.action == "report.export").order_by(AuditEntry.id)
    assert [(entry.subject, entry.after) for entry in db.scalars(statement)] == [
        ("report:enrolment", {"format": "csv", "rows": 3, "filters": {"district": "1"}}),
        ("report:people", {"format": "xlsx", "rows": 2, "filters": {}, "personal": "masked"}),
    ]
