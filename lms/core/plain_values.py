"""Plain values: rows of the database as values of JSON, for the export of a person's data."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


def of_row(row: object, *names: str) -> dict[str, Any]:
    """The named attributes of a row. For example (enrolment, "state", "created_at")."""
    return {name: of(getattr(row, name)) for name in names}


def of(value: object) -> Any:
    """A value as JSON has it: moments and days in ISO 8601, decimals and unique identifiers as text."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): of(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [of(item) for item in value]
    if isinstance(value, bytes):
        raise TypeError("encrypted values and hashes do not belong in an export")
    return value
