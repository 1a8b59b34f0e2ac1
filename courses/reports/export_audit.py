"""The audit entry of an export: who took which figures out of the system, and which filters they had."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from courses.models.exports import PersonalData
from lms.core import audit

HIDDEN = "*"


def audited_arguments(arguments: Mapping[str, str]) -> dict[str, str]:
    """The query arguments of an export as the audit keeps them.

    `key` is called "row", because in the audit a key is one that signs. Of `holder` the entry says that a person was
    searched for, and not which person.
    """
    return {
        "row" if name == "key" else name: HIDDEN if name == "holder" else value for name, value in arguments.items()
    }


def record_export(
    db: Session,
    report: str,
    arguments: Mapping[str, str],
    form: str,
    rows: int,
    *,
    personal: PersonalData = PersonalData.NONE,
) -> None:
    """Write the audit entry of an export.

    report: the name of what was exported, as "enrolment". arguments: the query arguments that it was asked for with.
    form: the extension of the file.
    """
    after: dict[str, Any] = {"format": str(form), "rows": rows, "filters": audited_arguments(arguments)}
    if personal is not PersonalData.NONE:
        after["personal"] = personal.value
    audit.record(db, "report.export", f"report:{report}", after=after)
