"""Errors that a user can cause."""

import pytest

from lms.core.errors import Denied, DomainError, NotFound


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (DomainError("full", "The class is full."), "full", 409),
        (DomainError("bad", "Wrong.", status=422), "bad", 422),
        (NotFound(), "not_found", 404),
        (Denied(), "denied", 403),
    ],
)
def test_each_error_has_a_code_and_a_status(error: DomainError, code: str, status: int) -> None:
    assert (error.code, error.status) == (code, status)


def test_the_message_stays_a_msgid_and_its_text_has_the_parameters() -> None:
    error = DomainError("late", "Only %(count)s places are left.", field="places", count=2)
    assert (error.message, error.params, error.field) == ("Only %(count)s places are left.", {"count": 2}, "places")
    assert str(error) == "Only 2 places are left."
