"""Merged cells are read as one sees them, in rosters and in every other list."""

import pytest

from lms.core import sheet_merges, spreadsheets
from lms.core.errors import DomainError
from tests.lms.core.workbooks import members, packed

HEADING = [["姓名", "手机", "单位"]]


def workbook(rows: list[list[str]], *ranges: str, hidden: int = 0, prefix: str = "") -> bytes:
    cells = "".join(
        f'<row r="{line}" hidden="{int(line == hidden)}">'
        + "".join(
            f'<c r="{"ABC"[at]}{line}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in enumerate(row) if text
        )
        + "</row>"
        for line, row in enumerate(rows, 1)
    )
    parts = members(cells)
    merged = "".join(f'<{prefix}mergeCell ref="{place}"/>' for place in ranges)
    sheet = "xl/worksheets/sheet1.xml"
    behind = f"</sheetData><{prefix}mergeCells>{merged}</{prefix}mergeCells>"
    return packed(parts | {sheet: parts[sheet].replace("</sheetData>", behind)})


def test_a_cell_over_several_rows_holds_its_text_in_each() -> None:
    rows = [*HEADING, ["甲", "1", "一中"], ["乙", "2", ""], ["丙", "3", "covered"], ["丁", "4", ""]]
    read = spreadsheets.read(workbook(rows, "A1:A1", "C2:C4"))
    assert [cells[2] for _line, cells in read] == ["单位", "一中", "一中", "一中", ""]
    (outline,) = spreadsheets.outlines(workbook(rows, "C2:C4"))
    assert outline.rows == read


def test_a_cell_whose_first_row_is_hidden_is_seen_in_the_others() -> None:
    rows = [*HEADING, ["甲", "1", "一中"], ["乙", "2", ""]]
    assert spreadsheets.read(workbook(rows, "C2:C3", hidden=2))[-1] == (3, ["乙", "2", "一中"])


def test_a_remark_over_empty_rows_stays_one_remark() -> None:
    rows = [*HEADING, ["甲", "1", ""], ["说明", "", ""], ["", "", ""], ["乙", "2", ""]]
    read = spreadsheets.read(workbook(rows, "A3:C4"))
    assert [(line, cells[0]) for line, cells in read] == [(1, "姓名"), (2, "甲"), (3, "说明"), (5, "乙")]


def test_ranges_are_found_across_the_pieces_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    xml = b"</sheetData><x:mergeCells><x:mergeCell  ref=\"AB2:AC12\"/><x:mergeCell ref='A2:A3' />"
    for size in (1, 7, 50, 500):
        pieces = [xml[at : at + size] for at in range(0, len(xml), size)]
        assert sheet_merges.MergedCells.of_sheet(pieces).ranges == {2: [(27, 12), (0, 3)]}
    monkeypatch.setattr(sheet_merges, "RANGES", 1)
    with pytest.raises(DomainError, match="rows"):
        sheet_merges.MergedCells.of_sheet([xml])
