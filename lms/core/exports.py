"""Tables as files: CSV, XLSX and Parquet. No cell can become a formula, whatever text a user typed as a name."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import IO, Any

import xlsxwriter

# None is an empty cell. A moment is given as text, in the branch's time: spreadsheets know no time zones.
Cell = str | int | float | Decimal | date | None

# What Excel, WPS and LibreOffice take for the beginning of a formula, the full-width forms of Chinese keyboards too.
FORMULA = tuple("=+-@＝＋－＠")
CONTROL = tuple("\t\r\n")
WIDEST = 40  # characters of a column
LAST_LINE = 1_048_574  # of an XLSX page, counted from 0; the one after it is kept for the total


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
    """A table. `preamble`: labels and values above it (filters, counting rule, time of export).

    `rows` is read once, while the file is written, and may be larger than memory. `total` is written below the rows.
    """

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    preamble: Sequence[tuple[str, str]] = ()
    total: Sequence[Cell] | None = None
    widths: Sequence[int] = field(default=())


def write(sheet: Sheet, form: Format, file: IO[bytes]) -> int:
    """Write a table to an open file. Gives the number of rows."""
    return _WRITERS[form](sheet, file)


def escape_formula(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would read it from CSV as a formula.

    For example "=1" gives "'=1".
    """
    return f"'{text}" if text.startswith(CONTROL) or text.lstrip().startswith(FORMULA) else text


def _plain(cell: Cell) -> str | int | float | Decimal:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return escape_formula(cell)
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
        out.writerow([_plain(cell) for cell in row])
        number += 1
    if sheet.total is not None:
        out.writerow([_plain(cell) for cell in sheet.total])
    text.detach()
    return number


def _write_xlsx(sheet: Sheet, file: IO[bytes]) -> int:
    """A worksheet holds 1,048,576 lines. A longer table continues on the next worksheet, below the same headings."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    formats, strong = _formats(book), _formats(book, {"bold": True, "top": 1})
    page = book.add_worksheet()
    line = _write_head(book, page, sheet)
    number = 0
    for row in sheet.rows:
        number += 1
        line += 1
        if line > LAST_LINE:
            page = book.add_worksheet()
            line = _write_head(book, page, sheet) + 1
        _put(page, line, row, formats)
    if sheet.total is not None:
        _put(page, line + 1, sheet.total, strong)
    book.close()
    return number


def _write_parquet(sheet: Sheet, file: IO[bytes]) -> int:
    """The rows without preamble and total, for short tables. The columns are named by the headings."""
    import pyarrow as pa  # noqa: PLC0415  # 40 MB that only an export to Parquet needs
    from pyarrow import parquet  # noqa: PLC0415

    rows = [list(row) for row in sheet.rows]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(sheet.headings)
    parquet.write_table(pa.table([pa.array(column) for column in columns], names=list(sheet.headings)), file)
    return len(rows)


def _write_head(book: Any, page: Any, sheet: Sheet) -> int:
    """Set up the worksheet for printing and write what is above the rows. Gives the line of the headings."""
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    for column, text in enumerate(sheet.headings):
        given = sheet.widths[column] if column < len(sheet.widths) else 0
        page.set_column(column, column, given or min(WIDEST, max(10, 2 * len(text) + 2)))
    page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 14}))
    for line, (label, value) in enumerate(sheet.preamble, 1):
        page.write_string(line, 0, label)
        page.write_string(line, 1, value)
    top = len(sheet.preamble) + 2
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for column, text in enumerate(sheet.headings):
        page.write_string(top, column, text, heading)
    page.repeat_rows(top)
    return top


def _formats(book: Any, look: Mapping[str, object] = MappingProxyType({})) -> dict[str, Any]:
    patterns = {"whole": "#,##0", "decimal": "#,##0.0", "day": "yyyy-mm-dd", "text": "@"}
    return {kind: book.add_format({"num_format": pattern, **look}) for kind, pattern in patterns.items()}


def _put(page: Any, line: int, cells: Sequence[Cell], formats: Mapping[str, Any]) -> None:
    """Write each cell by its Python type: a string stays a text, also one that begins with "="."""
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            page.write_string(line, column, cell, formats["text"])
        elif isinstance(cell, date):
            page.write_datetime(line, column, cell, formats["day"])
        elif isinstance(cell, int):
            page.write_number(line, column, cell, formats["whole"])
        elif cell is not None:
            page.write_number(line, column, cell, formats["decimal"])
        else:
            page.write_blank(line, column, None, formats["text"])


_WRITERS = {Format.CSV: _write_csv, Format.XLSX: _write_xlsx, Format.PARQUET: _write_parquet}
