"""The code of a refused cell, for tests of the rules that read cells."""

from collections.abc import Callable

import pytest

from lms.core.errors import DomainError


def refusal(parse: Callable[..., object], *arguments: object) -> str:
    """Return the code with which a cell is refused; its message has all its parameters."""
    with pytest.raises(DomainError) as caught:
        parse(*arguments)
    assert caught.value.status == 422
    assert caught.value.params or "%(" not in caught.value.message
    return caught.value.code
