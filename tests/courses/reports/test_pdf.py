"""A report on paper: all of it is on the page, twice the same bytes, and a glyph that is missing is said."""

from dataclasses import replace
from datetime import UTC, datetime

import pypdfium2
import pytest

from courses.reports import charts, pdf
from courses.reports.pdf import ReportDocument
from lms.core import fonts
from lms.core.errors import DomainError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DOCUMENT = ReportDocument(
    organisation="北京市红十字会",
    title="培训统计报表",
    language="zh",
    question=[("统计期间", "2026-01-01 – 2026-12-31")],
    columns=["区", "人次", "人时"],
    rows=[[f"第{number}区", f"{number},000", "1.5"] for number in range(1, 61)],
    total=["合计", "7,710,000", "90.0"],
    branch=["全市", "8,000,000", "95.0"],
    notes=["未结班 1"],
    rule_title="统计口径",
    rule=["一人参加一个培训班计 1 人次。"],
    made="刘市级 2026-11-23 制表",
)


def pages_of(made: bytes) -> list[str]:
    """The text of each page; what is set apart for its looks is joined."""
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(made)]


def test_everything_stands_on_the_paper_and_the_head_on_each_page() -> None:
    made = pdf.render(DOCUMENT, now=NOW)
    pages = pages_of(made)
    text = "".join(pages)
    for part in (
        "北京市红十字会",
        "培训统计报表",
        "2026-01-01",
        "60,000",
        "7,710,000",
        "8,000,000",
        "统计口径",
        "制表",
        "未结班",
    ):
        assert part in text
    assert len(pages) > 1
    assert all("人次" in page for page in pages)
    assert pdf.render(DOCUMENT, now=NOW) == made
    assert "全市" not in "".join(pages_of(pdf.render(replace(DOCUMENT, branch=[]), now=NOW)))


@pytest.mark.parametrize("bars", [2, 20])
def test_the_picture_and_the_totals_stand_above_the_table(bars: int) -> None:
    families = fonts.families()
    drawn = charts.stacked_bars(
        title="T", description="D", names=[f"第{number}营" for number in range(bars)], upright=False, narrow=False,
        series=[charts.Series("到课", [12_345] * bars, charts.Meaning.NAMED)], nothing="",
    )  # fmt: skip
    picture = charts.for_paper(drawn, families["sans"], families["bold"]).decode()
    totals = [("总人次", "7,654,321", ["实名 1"])]
    made = pdf.render(
        replace(
            DOCUMENT, rows=DOCUMENT.rows[:3], picture=picture, picture_caption="按营统计", picture_description="两个营。",
            totals=totals,
        ),
        now=NOW,
    )  # fmt: skip
    text = "".join(pages_of(made))
    places = [
        text.index(part)
        for part in ("统计期间", "总人次", "7,654,321", "实名 1", "按营统计", "第0营", "12,345", "3,000")
    ]
    assert places == sorted(places)
    assert f"第{bars - 1}营" in text
    assert b"/Alt<FEFF" + "两个营。".encode("utf-16-be").hex().upper().encode() in made


def test_what_paper_cannot_hold_is_refused_in_words() -> None:
    with pytest.raises(DomainError) as long:
        pdf.render(replace(DOCUMENT, rows=DOCUMENT.rows * 40), now=NOW)
    assert long.value.code == "report_too_long"


def test_a_character_that_no_font_has_is_printed_as_its_code_point() -> None:
    made = pdf.render(replace(DOCUMENT, rows=[["\U0001f9af学校", "1", "1"]]), now=NOW)
    assert "〔U+1F9AF〕学校" in "".join(pages_of(made))
