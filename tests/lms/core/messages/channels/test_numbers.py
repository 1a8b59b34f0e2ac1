"""Phone numbers as each gateway takes them."""

import pytest

from lms.core.messages.channels.interface import RefusedForGood
from lms.core.messages.channels.numbers import domestic, international


def test_a_chinese_number_goes_without_its_country_code_to_one_gateway() -> None:
    assert domestic("+8613800138000") == "13800138000"
    assert domestic("+85251234567") == "85251234567"
    assert international("+8613800138000") == "+8613800138000"


@pytest.mark.parametrize("number", ["13800138000", "+86138", "", "+8613800138000,+8613900139000", "+86１38001380"])
def test_anything_else_is_refused(number: str) -> None:
    with pytest.raises(RefusedForGood, match="bad_number"):
        international(number)
