"""Each export leaves an audit entry: figures that left the house can be traced to who took them, and what was asked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from courses.models.exports import PersonalData
from lms.core import audit

SOUGHT = "*"


def audited(asked: Mapping[str, str]) -> dict[str, str]:
    """What was asked, for the audit: a key, there, is one that signs; and that a person was sought, but not whom."""
    return {"row" if name == "key" else name: SOUGHT if name == "holder" else value for name, value in asked.items()}


def note(
    db: Session,
    report: str,
    asked: Mapping[str, str],
    form: str,
    rows: int,
    *,
    personal: PersonalData = PersonalData.NONE,
) -> None:
    """Record that a report was exported. report: "enrolment", say; asked: as in an address; form: a file's extension."""
    after: dict[str, Any] = {"format": str(form), "rows": rows, "filters": audited(asked)}
    if personal is not PersonalData.NONE:
        after["personal"] = personal.value
    audit.record(db, "report.export", f"report:{report}", after=after)
