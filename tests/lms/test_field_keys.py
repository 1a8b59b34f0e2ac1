"""Field keys as the settings have them."""

import base64

import pytest

from lms.field_keys import NumberedKey

SECRET = bytes(range(32))
ENCODED = base64.b64encode(SECRET).decode()


def test_a_key_without_a_number_is_the_first() -> None:
    assert NumberedKey.parse(ENCODED) == NumberedKey.parse(f"1:{ENCODED}") == NumberedKey(1, SECRET)
    assert NumberedKey.parse(f"255:{ENCODED}").number == 255
    assert ENCODED not in repr(NumberedKey.parse(ENCODED))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"0:{ENCODED}", "from 1 to 255"),
        (f"256:{ENCODED}", "from 1 to 255"),
        (f"new:{ENCODED}", "a number, a colon and base64"),
        (f":{ENCODED}", "a number, a colon and base64"),
        ("2:***", "is not base64"),
        ("2:QUJD", "32 random bytes"),
    ],
)
def test_another_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        NumberedKey.parse(text)
