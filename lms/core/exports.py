"""Tables as files: CSV, XLSX and Parquet. No text can become a formula, whatever a user typed as a name.

An XLSX file holds the table alone on its first worksheet, below one heading that stays in sight, and the lines about it
on the second. The numbers of the total are formulas over the rows where they are sums of the rows.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import IO, Any

import xlsxwriter


class Share(float):
    """A part of 1, as 0.983: a percentage in files for people, the number itself in files for programs."""


class DecimalHours(float):
    """Hours with all their digits, so that rows add up to the total: 100 minutes are 1.666…, and 1.67 in text."""


class Reference(int):
    """A number that names something, as an offering's number: written without separators and never added up."""


# None is an empty cell. A moment is given as text, in the branch's time: spreadsheets know no time zones.
Cell = str | int | float | Decimal | date | None

# What Excel, WPS and LibreOffice take for the beginning of a formula, the full-width forms of Chinese keyboards too.
FORMULA = tuple("=+-@＝＋－＠")
CONTROL = tuple("\t\r\n")
NARROWEST, WIDEST = 8, 48  # characters of a column
MEASURED_ROWS = 500  # by which the widths of columns are chosen
LAST_LINE = 1_048_574  # of an XLSX page, counted from 0; the one after it is kept for the total
LONGEST_PAGE_NAME = 31
SUM_TOLERANCE = 1e-6  # a total of hours is a sum of fractions


class Format(StrEnum):
    """The file formats. The value is the extension."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Sheet:
    """A table. `preamble`: labels and values about it (filters, counting rule, time of export).

    `rows` is read once, while the file is written, and may be larger than memory. `total` is written below the rows.
    `widths`: the least widths of the first columns.
    """

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    preamble: Sequence[tuple[str, str]] = ()
    total: Sequence[Cell] | None = None
    widths: Sequence[int] = field(default=())


def write(sheet: Sheet, form: Format, file: IO[bytes], *, data_only: bool = False) -> int:
    """Write a table to an open file. Gives the number of rows.

    data_only: a CSV file of one heading line and the rows, for programs: without title, preamble and total.
    """
    if data_only and form is Format.CSV:
        return _write_plain_csv(sheet, file)
    return _WRITERS[form](sheet, file)


def escape_formula(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would read it from CSV as a formula.

    For example "=1" gives "'=1".
    """
    return f"'{text}" if text.startswith(CONTROL) or text.lstrip().startswith(FORMULA) else text


def _text(cell: Cell) -> str | int | float | Decimal:
    """A cell of a CSV file for people: a share as a percentage."""
    return f"{cell * 100:.1f}%" if isinstance(cell, Share) else _plain(cell)


def _plain(cell: Cell) -> str | int | float | Decimal:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return escape_formula(cell)
    if isinstance(cell, DecimalHours):
        return round(float(cell), 2)
    if isinstance(cell, Share):
        return float(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _write_csv(sheet: Sheet, file: IO[bytes]) -> int:
    # By the byte order mark Excel recognises UTF-8; without it Chinese text is garbled.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    out = csv.writer(text)
    out.writerow([escape_formula(sheet.title)])
    out.writerows([escape_formula(label), escape_formula(value)] for label, value in sheet.preamble)
    out.writerow([])
    out.writerow([escape_formula(heading) for heading in sheet.headings])
    number = 0
    for row in sheet.rows:
        out.writerow([_text(cell) for cell in row])
        number += 1
    if sheet.total is not None:
        out.writerow([_text(cell) for cell in sheet.total])
    text.detach()
    return number


def _write_plain_csv(sheet: Sheet, file: IO[bytes]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    out = csv.writer(text)
    out.writerow([escape_formula(heading) for heading in sheet.headings])
    number = 0
    for row in sheet.rows:
        out.writerow([_plain(cell) for cell in row])
        number += 1
    text.detach()
    return number


def _write_xlsx(sheet: Sheet, file: IO[bytes]) -> int:
    """A worksheet holds 1,048,576 lines. A longer table continues on the next worksheet, below the same headings."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    formats, strong = _formats(book), _formats(book, {"bold": True, "top": 1})
    widths, sums = _Widths(sheet), _Sums(len(sheet.headings))
    page = book.add_worksheet(_page_name(sheet.title))
    pages = [page]
    line = _write_head(book, page, sheet)
    number = 0
    for row in sheet.rows:
        number += 1
        line += 1
        if line > LAST_LINE:
            _close_page(page, sheet, LAST_LINE, widths)
            page = book.add_worksheet()
            pages.append(page)
            line = _write_head(book, page, sheet) + 1
        if number <= MEASURED_ROWS:
            widths.measure(row)
        sums.add(row)
        _put(page, line, row, formats)
    _close_page(page, sheet, line, widths)
    if sheet.total is not None:
        _put(page, line + 1, sheet.total, strong, sums if len(pages) == 1 and number else None)
    if sheet.preamble:
        _write_about(book, sheet)
    book.close()
    return number


def _write_parquet(sheet: Sheet, file: IO[bytes]) -> int:
    """The rows without preamble and total, for short tables. The columns are named by the headings."""
    import pyarrow as pa  # noqa: PLC0415  # 40 MB that only an export to Parquet needs
    from pyarrow import parquet  # noqa: PLC0415

    rows = [[round(float(cell), 2) if isinstance(cell, DecimalHours) else cell for cell in row] for row in sheet.rows]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(sheet.headings)
    arrays = [pa.array(column) for column in columns]
    # A column without any value has no type of its own; of the total's cell it is known whether it holds numbers.
    total = sheet.total or [None] * len(arrays)
    types = [pa.float64() if isinstance(cell, int | float) else pa.string() for cell in total]
    arrays = [
        array.cast(kind) if pa.types.is_null(array.type) else array for array, kind in zip(arrays, types, strict=True)
    ]
    parquet.write_table(pa.table(arrays, names=list(sheet.headings)), file)
    return len(rows)


def _page_name(title: str) -> str:
    """The name of a worksheet: neither one of Excel's forbidden characters nor an apostrophe at an end."""
    name = "".join(" " if character in "[]:*?/\\\0" else character for character in title)
    return name[:LONGEST_PAGE_NAME].strip().strip("'") or "1"


def _write_head(book: Any, page: Any, sheet: Sheet) -> int:
    """Set up the worksheet for reading and printing, and write the headings. Gives their line."""
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_header("&L" + sheet.title.replace("&", "&&")[:200])
    page.set_footer("&R&P / &N")
    page.repeat_rows(0)
    page.freeze_panes(1, 1)
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#E9ECEF"})
    for column, text in enumerate(sheet.headings):
        page.write_string(0, column, text, heading)
    return 0


def _close_page(page: Any, sheet: Sheet, last_line: int, widths: "_Widths") -> None:
    page.autofilter(0, 0, max(last_line, 1), max(len(sheet.headings) - 1, 0))
    for column, width in enumerate(widths.columns):
        page.set_column(column, column, width)


def _write_about(book: Any, sheet: Sheet) -> None:
    """The lines about the table, on a worksheet of their own."""
    page = book.add_worksheet("说明 About")
    page.set_column(0, 0, 30)
    page.set_column(1, 1, 100)
    page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 14}))
    label_format = book.add_format({"bold": True, "valign": "top", "text_wrap": True})
    value_format = book.add_format({"valign": "top", "text_wrap": True})
    for line, (label, value) in enumerate(sheet.preamble, 2):
        page.write_string(line, 0, label, label_format)
        page.write_string(line, 1, value, value_format)


class _Widths:
    """The widths of the columns, in characters of which a Chinese one takes two."""

    def __init__(self, sheet: Sheet) -> None:
        self.columns = [min(WIDEST, max(NARROWEST, _width(text) // 2 + 5)) for text in sheet.headings]
        for column, width in enumerate(sheet.widths[: len(self.columns)]):
            self.columns[column] = max(width, self.columns[column])
        if sheet.total is not None:
            self.measure(sheet.total)

    def measure(self, row: Sequence[Cell]) -> None:
        """Widen the columns so that the cells of a row fit."""
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                size = _width(cell)
            elif isinstance(cell, date):
                size = 10
            else:
                size = 0 if cell is None else len(f"{cell:,.1f}" if isinstance(cell, float) else f"{cell:,}")
            self.columns[column] = max(self.columns[column], min(WIDEST, size + 2))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


class _Sums:
    """The sums of the columns, and the first line and the last that they are of."""

    def __init__(self, columns: int) -> None:
        self.columns = [0.0] * columns
        self._addable = [True] * columns

    def add(self, row: Sequence[Cell]) -> None:
        """Add a row. A column with shares or references is no sum."""
        for column, cell in enumerate(row):
            if isinstance(cell, Share | Reference | str | date):
                self._addable[column] = False
            elif cell is not None:
                self.columns[column] += float(cell)

    def is_sum(self, column: int, value: float | Decimal) -> bool:
        """True if the value is the sum of the column, so that a formula gives it again."""
        return self._addable[column] and abs(self.columns[column] - float(value)) < SUM_TOLERANCE


def _formats(book: Any, look: Mapping[str, object] = MappingProxyType({})) -> dict[str, Any]:
    patterns = {
        "whole": "#,##0", "decimal": "#,##0.0", "share": "0.0%", "reference": "0", "day": "yyyy-mm-dd", "text": "@",
    }  # fmt: skip
    return {kind: book.add_format({"num_format": pattern, **look}) for kind, pattern in patterns.items()}


def _put(page: Any, line: int, cells: Sequence[Cell], formats: Mapping[str, Any], sums: _Sums | None = None) -> None:
    """Write each cell by its Python type: a string stays a text, also one that begins with "=".

    sums: of the rows from the second line of the worksheet to the one above; a cell that holds such a sum is a formula.
    """
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            page.write_string(line, column, cell, formats["text"])
        elif isinstance(cell, date):
            page.write_datetime(line, column, cell, formats["day"])
        elif cell is None:
            page.write_blank(line, column, None, formats["text"])
        elif sums is not None and not isinstance(cell, Share | Reference) and sums.is_sum(column, cell):
            letter = xlsxwriter.utility.xl_col_to_name(column)
            formula = f"=SUBTOTAL(109,{letter}2:{letter}{line})"  # of the rows that a filter leaves in sight
            page.write_formula(line, column, formula, formats[_kind(cell)], float(cell))
        else:
            page.write_number(line, column, cell, formats[_kind(cell)])


def _kind(cell: float | Decimal) -> str:
    if isinstance(cell, Share):
        return "share"
    if isinstance(cell, Reference):
        return "reference"
    return "whole" if isinstance(cell, int) else "decimal"


_WRITERS = {Format.CSV: _write_csv, Format.XLSX: _write_xlsx, Format.PARQUET: _write_parquet}
