"""Room on the certificate: long names and words stay within the margins and beside the code, or are an error."""

import re
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp

from certificates.rendering import Layout, card_refusal, render
from lms.core.errors import DomainError
from tests.certificates.test_rendering import CROWDED, LAYOUTS, SAMPLE, text_of
from tests.ten_names import SIXTY, UNPRINTABLE

LONG_NAMES = [SIXTY, "W" * 60, "王" * 60, "Ann-Sophie " * 5 + "Bernd", "ئابدۇراخمان " * 5, "མ" * 60, "བསྟན་འཛིན་" * 6]


@pytest.mark.parametrize("holder", LONG_NAMES)
def test_every_name_of_sixty_characters_is_on_the_certificate_within_its_margins(holder: str) -> None:
    with pypdfium2.PdfDocument(
        render(replace(CROWDED, holder=holder[:60].strip(), instructor=holder[:60].strip()))
    ) as pdf:
        assert len(pdf) == 1
        assert ink_beyond(pdf[0], left=27, right=210 - 27) == []


@pytest.mark.parametrize("field", ["holder", "course_en", "course_zh", "organisation_en", "programme_en"])
@pytest.mark.parametrize("word", ["Wiederbelebungsmaßnahmenverordnung", "W" * 30, "Ann-Sophie-Elisabeth-Margarethe"])
def test_no_word_runs_under_the_code_of_the_card(field: str, word: str) -> None:
    document = replace(SAMPLE, **{field: word})
    assert card_refusal(document) is None
    with pypdfium2.PdfDocument(render(document, Layout.CARD)) as pdf:
        barcodes = zxingcpp.read_barcodes(pdf[0].render(scale=300 / 72).to_pil())
        assert [barcode.text for barcode in barcodes] == [document.address_prefix + document.digits]
        # The column of the texts ends 3.5 mm before the code. Only the band above and the line below the code are beyond it.
        beyond = re.sub(r"\s", "", "".join(ink_beyond(pdf[0], left=4.5, right=4.5 + 38.6, below=8.5)))
        assert beyond == "扫码核验Scantoverify"


def ink_beyond(page: pypdfium2.PdfPage, *, left: float, right: float, below: float = 0) -> list[str]:
    """The characters that are drawn outside these margins, in millimetres; those above `below` are not looked at."""
    text = page.get_textpage()
    beyond = []
    for index in range(text.count_chars()):
        begin, bottom, end, _ = text.get_charbox(index)
        if (page.get_height() - bottom) / 72 * 25.4 < below:
            continue
        if end > begin and (begin / 72 * 25.4 < left - 0.3 or end / 72 * 25.4 > right + 0.3):
            beyond.append(text.get_text_range(index, 1))
    return beyond


def test_a_long_name_is_broken_after_dots_and_hyphens_and_in_words_at_last() -> None:
    (line, *_), text = CROWDED.holder.split("·"), text_of(render(CROWDED, Layout.CARD)).splitlines()
    assert any(found.startswith(line) and found.endswith("·") for found in map(str.strip, text))
    hyphened = text_of(render(replace(SAMPLE, holder="Ann-Sophie-Elisabeth-Margarethe Lee"), Layout.CARD))
    assert re.search("(Sophie|Elisabeth)(-\r?\n|\x02)", hyphened), "the reader's sign of a hyphen at the end of a line"


def test_a_card_without_room_says_so_before_it_is_made() -> None:
    assert card_refusal(SAMPLE) is None
    assert card_refusal(replace(CROWDED, holder=SIXTY)) is None
    endless = replace(SAMPLE, holder="王" * 200)
    refusal = card_refusal(endless)
    assert refusal is not None
    assert (refusal.code, SAMPLE.number in str(refusal)) == ("certificate_too_long", True)
    with pytest.raises(DomainError) as caught:
        render(endless, Layout.CARD)
    assert str(caught.value) == str(refusal)
    unprintable = card_refusal(replace(SAMPLE, holder=UNPRINTABLE))
    assert unprintable is not None
    assert unprintable.code == "certificate_glyph_missing"


def test_what_the_card_takes_for_short_has_room() -> None:
    """Texts of so few letters are not measured. With a second name and ID digits, which need more room, they are."""
    longest = replace(
        SAMPLE,
        holder="王" * 5,
        course_zh="王" * 34,
        course_en="W" * 66,
        programme_zh="王" * 30,
        programme_en="W" * 60,
        unit_zh="王" * 30,
        unit_en="W" * 60,
        instructor="W" * 17,
        wording=replace(SAMPLE.wording, footer_zh="王" * 40),
    )
    assert card_refusal(longest) is None
    assert card_refusal(replace(longest, second_name="W" * 7)) is None
    assert card_refusal(replace(longest, id_digits="110101********002X")) is None


def test_one_trial_answers_for_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = []
    monkeypatch.setattr("certificates.rendering.render", lambda document, layout: trials.append(document) or b"")
    for number in range(40):
        document = replace(SAMPLE, number=f"BJ-FR-2026-00009{number:02d}-C", holder=f"王{number}", course_zh="急救员")
        assert card_refusal(document) is None
    assert len(trials) == 1


@LAYOUTS
def test_texts_too_long_are_an_error_that_names_the_certificate(layout: Layout) -> None:
    with pytest.raises(DomainError) as caught:
        render(replace(SAMPLE, course_zh="应急救护培训" * 200, unit_zh="红十字会" * 200), layout)
    assert caught.value.code == "certificate_too_long"
    assert SAMPLE.number in str(caught.value)
