"""Workbooks for tests, with several sheets and with hidden parts."""

import io
from collections.abc import Mapping, Sequence

import xlsxwriter

Cells = Sequence[Sequence[str]]


def workbook(
    sheets: Mapping[str, Cells],
    *,
    hidden: Sequence[str] = (),
    hidden_rows: Sequence[int] = (),
    hidden_columns: Sequence[int] = (),
) -> bytes:
    """Return an XLSX file. hidden: names of sheets; hidden_rows and hidden_columns: positions from 0, in every sheet."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            for at in hidden_rows:
                sheet.set_row(at, None, None, {"hidden": True})
            for at in hidden_columns:
                sheet.set_column(at, at, None, None, {"hidden": True})
            if name not in hidden:
                sheet.activate()
        for sheet in book.worksheets():
            if sheet.get_name() in hidden:
                sheet.hide()
        visible = next(sheet for sheet in book.worksheets() if sheet.get_name() not in hidden)
        visible.set_first_sheet()
        visible.activate()
    return content.getvalue()
