"""Each export leaves an audit entry: figures that left the house can be traced to who took them, and what was asked."""

from typing import Any

from sqlalchemy.orm import Session

from courses.models.exports import Personal
from courses.reports.filters import Column, Filters
from lms.core import audit


def note(
    db: Session,
    report: str,
    filters: Filters,
    form: str,
    rows: int,
    *,
    column: Column | None = None,
    personal: Personal = Personal.NONE,
) -> None:
    """Record that a report was exported. report: "enrolment", say; form: a file's extension."""
    asked = filters.address() | ({"column": column.value} if column else {})
    after: dict[str, Any] = {"format": str(form), "rows": rows, "filters": asked}
    if personal is not Personal.NONE:
        after["personal"] = personal.value
    audit.record(db, "report.export", f"report:{report}", after=after)
