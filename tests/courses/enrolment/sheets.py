"""Spreadsheets of people to enrol, as offices send them, for tests of the enrolment from a spreadsheet."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import xlsxwriter
from sqlalchemy.orm import Session

from courses.enrolment import sheet_import
from courses.enrolment.sheet_import import Preview
from courses.models.enrolment import EnrolmentImport
from courses.models.offerings import Offering
from lms.core import clock
from lms.core.exports import Format
from lms.core.scope import EVERYTHING, Role
from tests.factories import Make

HEADINGS = "姓名,手机,证件类型,证件号码,出生年份,邮箱,监护人,监护人电话"
ID = "11010519491231002X"


def csv_of(*rows: str, headings: str = HEADINGS) -> bytes:
    """A CSV file with these rows."""
    return "\r\n".join([headings, *rows]).encode()


def xlsx_of(*rows: Sequence[object]) -> bytes:
    """An XLSX file with these rows, the first of them the headings; dates are real dates."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False})
    worksheet, date_format = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for index, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                worksheet.write_datetime(index, column, value, date_format)
            else:
                worksheet.write(index, column, value)
    book.close()
    return file.getvalue()


def book_of(
    sheets: Mapping[str, Sequence[Sequence[object]]],
    *,
    hidden: Collection[str] = (),
    hidden_rows: Mapping[str, Sequence[int]] = MappingProxyType({}),
    hidden_columns: Mapping[str, Sequence[int]] = MappingProxyType({}),
    far: Mapping[str, tuple[int, int, str]] = MappingProxyType({}),
) -> bytes:
    """An XLSX file with these sheets; rows and columns are counted from 0. far: a stray cell of a sheet."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    for name, rows in sheets.items():
        worksheet = book.add_worksheet(name)
        for index, row in enumerate(rows):
            for column, value in enumerate(row):
                worksheet.write(index, column, value)
        for index in hidden_rows.get(name, ()):
            worksheet.set_row(index, None, None, {"hidden": True})
        for column in hidden_columns.get(name, ()):
            worksheet.set_column(column, column, None, None, {"hidden": True})
        if name in far:
            worksheet.write(*far[name])
        if name in hidden:
            worksheet.hide()
        else:
            worksheet.activate()
    book.close()
    return file.getvalue()


def written(form: Format, rows: Sequence[Sequence[str]]) -> bytes:
    """The same rows as a file of either format, all cells texts."""
    if form is Format.XLSX:
        return xlsx_of(*rows)
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8-sig")


def receive(db: Session, make: Make, content: bytes, offering: Offering | None = None) -> EnrolmentImport:
    """The pending import of a file, for a new offering unless one is given."""
    offering = offering or make.offering()
    user = make.user(Role.CITY_ADMINISTRATOR)
    pending = sheet_import.receive(db, offering, user.id, "名单.csv", content, today=clock.branch_today())
    assert pending is not None
    return pending


def previewed(db: Session, make: Make, content: bytes) -> Preview:
    """The preview of a file for a new offering."""
    return sheet_import.preview(db, receive(db, make, content), EVERYTHING)
