"""Layouts are tried on paper: what does not fit, or cannot be printed or read, is refused before it is saved."""

from dataclasses import replace
from datetime import date

import pytest

from certificates.branch import Branch
from certificates.layouts import trial
from certificates.layouts.wording import DEFAULT, Wording
from certificates.rendering import Layout
from lms.config import Settings
from lms.core.errors import DomainError


@pytest.fixture
def plain(settings: Settings) -> Branch:
    return Branch.of(settings)


def test_the_default_fits_and_a_specimen_is_drawn(plain: Branch) -> None:
    document = trial.specimen(DEFAULT, None, plain, date(2026, 3, 5))
    trial.demand_room(document)
    pages = [*trial.pages(document, Layout.A4), *trial.pages(document, Layout.CARD)]
    assert len(pages) == 3
    assert all(page.startswith(b"\x89PNG") for page in pages)
    assert document.specimen


@pytest.mark.parametrize(
    ("wording", "code", "field"),
    [
        (replace(DEFAULT, title_zh=" "), "layout_text_missing", "title_zh"),
        (replace(DEFAULT, footer_en="\U0001f600"), "layout_glyph_missing", "footer_en"),
        (replace(DEFAULT, colour="red"), "layout_colour_wrong", "colour"),
        (replace(DEFAULT, colour="#ffcc00"), "layout_colour_wrong", "colour"),
        (replace(DEFAULT, title_zh="应急救护培训合格证书" * 12), "layout_too_long", None),
    ],
)
def test_what_cannot_be_printed_or_read_is_refused(
    plain: Branch, wording: Wording, code: str, field: str | None
) -> None:
    with pytest.raises(DomainError) as refused:
        trial.demand_room(trial.specimen(wording, None, plain, date(2026, 3, 5)))
    assert (refused.value.code, refused.value.field) == (code, field)
