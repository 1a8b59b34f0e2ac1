"""Phone numbers in E.164."""

import re

import pytest

from lms.core.phones import normalise_phone


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("13812345678", "+8613812345678"),
        ("138-1234 5678", "+8613812345678"),
        ("+86 138 1234 5678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("010 6525 5935", "+861065255935"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_normalise(typed: str, phone: str) -> None:
    assert normalise_phone(typed) == phone


@pytest.mark.parametrize("typed", ["", "abc", "12", "138123456789012", "+1 000"])
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(typed)}$"):
        normalise_phone(typed)
