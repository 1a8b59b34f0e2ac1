"""Plain values: rows as values of JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from uuid import UUID

import pytest

from lms.core import plain_values


class Colour(StrEnum):
    RED = "red"


def test_each_kind_of_value_has_its_form() -> None:
    row = SimpleNamespace(
        colour=Colour.RED, day=date(2026, 1, 2), at=datetime(2026, 1, 2, tzinfo=UTC), hours=Decimal("7.5"),
        ref=UUID(int=1), facts={1: [Colour.RED]}, name="张三", none=None, yes=True,
    )  # fmt: skip
    assert plain_values.of_row(row, *vars(row)) == {
        "colour": "red", "day": "2026-01-02", "at": "2026-01-02T00:00:00+00:00", "hours": "7.5",
        "ref": "00000000-0000-0000-0000-000000000001", "facts": {"1": ["red"]}, "name": "张三", "none": None, "yes": True,
    }  # fmt: skip


def test_bytes_are_refused() -> None:
    with pytest.raises(TypeError):
        plain_values.of(b"sealed")
