"""The wording of a layout: what certificates keep of it, the masked digits, and colours that can be read."""

from dataclasses import replace

import pytest

from certificates.layouts import wording
from certificates.layouts.wording import DEFAULT, IdDigits, Wording


def test_a_certificate_keeps_what_differs_from_the_default() -> None:
    assert DEFAULT.for_facts() == {}
    own = replace(DEFAULT, title_zh="结业证书", id_digits=IdDigits.ENDS, show_instructor=False)
    kept = own.for_facts()
    assert kept == {"title_zh": "结业证书", "id_digits": "ends", "show_instructor": False}
    assert Wording.of_facts(kept) == own
    assert Wording.of_facts(None) == DEFAULT
    assert Wording.of_facts({"from a later version": 1}) == DEFAULT


def test_the_default_is_that_of_certificates_from_before_layouts() -> None:
    """A reprint of those is the same for ever, so this never changes."""
    assert DEFAULT.texts == (
        "培训合格证书",
        "Certificate of Completion",
        "完成下列培训并经考核合格",
        "has completed the training below and passed its assessment",
        "",
        "",
    )
    assert (DEFAULT.colour, DEFAULT.accent, DEFAULT.id_digits) == ("#b5121b", "#b08d57", IdDigits.NONE)


@pytest.mark.parametrize(
    ("number", "shown", "printed"),
    [
        ("11010119900307002X", IdDigits.NONE, None),
        ("11010119900307002X", IdDigits.ENDS, "110101********002X"),
        ("11010119900307002X", IdDigits.LAST, "**************002X"),
        ("E12345678", IdDigits.ENDS, "*****5678"),
        ("123456", IdDigits.LAST, None),
        (None, IdDigits.ENDS, None),
    ],
)
def test_id_numbers_are_printed_masked(number: str | None, shown: IdDigits, printed: str | None) -> None:
    assert wording.id_digits(number, shown) == printed


def test_colours() -> None:
    assert wording.is_colour("#b5121b")
    assert not any(map(wording.is_colour, ("#B5121B", "red", "#fff", "#b5121b ", "")))
    assert wording.contrast_with_white("#ffffff") == 1
    assert wording.contrast_with_white("#000000") == 21
    assert wording.contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)
