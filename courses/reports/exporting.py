"""Each export leaves an audit entry: figures that left the house can be traced to who took them, and what was asked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from courses.models.exports import Personal
from lms.core import audit


def note(
    db: Session, report: str, asked: Mapping[str, str], form: str, rows: int, *, personal: Personal = Personal.NONE
) -> None:
    """Record that a report was exported. report: "enrolment", say; asked: as in an address; form: a file's extension."""
    # A key, in the audit, is one that signs.
    filters = {"row" if name == "key" else name: value for name, value in asked.items()}
    after: dict[str, Any] = {"format": str(form), "rows": rows, "filters": filters}
    if personal is not Personal.NONE:
        after["personal"] = personal.value
    audit.record(db, "report.export", f"report:{report}", after=after)
