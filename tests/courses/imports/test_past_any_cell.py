"""Whatever a cell holds, a row of past trainings is stored as one sees it, or refused.

Cells of any type and format go through the parser of workbooks; each stored value is compared with the text that one sees,
by simpler means than those that read it.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import xlsxwriter
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from courses.imports import files, presence
from courses.imports.past import ATTENDANCE_COLUMNS
from courses.imports.past_rows import PastRowReader
from courses.models.trainees import PHONE_COLUMN
from lms.core import cell_values, clock, crypto, sheet_parser, spreadsheets
from lms.core.errors import DomainError
from tests.courses.imports.past_files import FIELDS, HEADINGS, PastWorld
from tests.factories import Make

EMPTY = r"\N"  # of COPY
FORMATS = ("General", "0", "0.00", "000000", "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "hh:mm", "[h]:mm", "0%", "@", "#,##0")
COLUMNS = (
    "days",
    "starts",
    "ends",
    "phone",
    "birth_year",
    "present",
    "arrived",
    "departed",
    "certificate",
    "issued_on",
)
NUMBERS = st.one_of(
    st.integers(-3, 60), st.integers(1900, 2030), st.integers(18_000, 46_000), st.integers(10**14, 10**16),
    st.sampled_from([13800138000, 13800138000.5, 20180602, 199005, 2007.1, 2.01611e18, 43253.375, 0.375, 0.5, 1.0, 160123]),
    st.floats(0, 2, allow_nan=False),
)  # fmt: skip
WRITTEN = (
    "√", "×", "☐", "☑", "-", "/", "缺勤", "到", "迟到", "NULL", "\\N", "无", "nan", "TRUE", "FALSE", "1;2",
    "1-2", "2次", "第1次", "50%", "2018-06-02", "2018年6月2号", "2018.6.2-3", "18/6/2", "24:00", "22:00",
    "9:00", "下午2:00", "26:30", "1990-05", "1990.05", "1990.1", "20123", "13800138000.0", "0086-13800138000",
    "13800138000/13800138001", "1.38E+10", "#N/A", "00160123", "京红救(2015)第3号",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(WRITTEN),
    st.from_regex(r"[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月~][0-9]{1,2}[日号]?", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}[:.时][0-9]{2}( ?PM)?", fullmatch=True),
    st.text(alphabet="0123456789.-/:年月日√×;E+ ", max_size=12),
)  # fmt: skip
CELLS = st.one_of(
    st.tuples(st.one_of(NUMBERS, st.booleans()), st.sampled_from(FORMATS)), st.tuples(TEXTS, st.just("@"))
)


def workbook(rows: list[dict[str, Any]]) -> bytes:
    """Return a workbook of rows, field → text or a pair of value and format."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADINGS)
    formats = {name: book.add_format({"num_format": name}) for name in FORMATS}
    for line, row in enumerate(rows, 1):
        for column, field in enumerate(FIELDS):
            value, form = row.get(field, "") if isinstance(row.get(field), tuple) else (row.get(field, ""), "@")
            if isinstance(value, str):
                sheet.write_string(line, column, value, formats[form])
            elif isinstance(value, bool):
                sheet.write_boolean(line, column, value, formats[form])
            else:
                sheet.write_number(line, column, value, formats[form])
    book.close()
    return file.getvalue()


def numbers_in(text: str) -> list[int]:
    """Return the numbers that one sees in a text, also those of a date without separators."""
    plain = re.sub(r"\.0+$", "", text)
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})?", plain)
    return [int(part) for part in (compact.groups() if compact else re.findall(r"\d+", plain)) if part]


def check_day(text: str, day: Any) -> None:
    assert {day.year, day.month, day.day} <= set(numbers_in(text))


def check_time(text: str, stored: str) -> None:
    hour, minute = (int(part) for part in stored.split(":")[:2])
    if re.fullmatch(r"0\.\d+", text):
        assert abs(float(text) - (hour * 60 + minute) / 1440) < 0.00001
        return
    seen = numbers_in(text)
    assert hour in seen or hour - 12 in seen or (hour == 0 and 24 in seen)
    assert minute == 0 or minute in seen


def check_stored(texts: Mapping[str, str], line: bytes, reader: PastRowReader) -> None:
    """Compare a line for COPY with the texts of its row."""
    stored = dict(zip(ATTENDANCE_COLUMNS[1:], line.decode().split("\t"), strict=True))
    if stored["phone_sealed"] != EMPTY:
        sealed = bytes.fromhex(stored["phone_sealed"].removeprefix(r"\\x"))
        phone = crypto.cipher().decrypt(PHONE_COLUMN, stored["ref"], sealed)
        assert phone.removeprefix("+86") in re.sub(r"\D", "", re.sub(r"\.0+$", "", texts["phone"]))
    if stored["birth_year"] != EMPTY and reader.remark is None:
        of_number = stored["birth_year"] == "1949" and cell_values.is_empty(texts["birth_year"])
        assert of_number or texts["birth_year"].startswith(stored["birth_year"])
    if int(stored["present"]) & ~presence.EMPTY_CELL:
        key = presence.key(texts["present"])
        marks = {presence.key(text) for text in presence.KNOWN[presence.ALL]} | {"", "100%"}
        assert key in marks or re.search(r"[1-9]", key)
    for field in ("arrived", "departed"):
        if stored[field] != EMPTY:
            check_time(texts[field], stored[field])
    if stored["certificate"] != EMPTY:
        assert stored["certificate"] in {texts["certificate"], re.sub(r"\.0+$", "", texts["certificate"])}


@settings_of(max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(COLUMNS), CELLS), min_size=1, max_size=80))
def test_a_row_is_stored_as_one_sees_it_or_refused(app: Flask, cells: list[tuple[str, tuple[Any, str]]]) -> None:
    zone = app.config["SETTINGS"].zone
    with app.extensions["sessions"]() as db:
        world = PastWorld(db, Make(db), app.config["SETTINGS"])
        right = world.row(days="2018-06-02", id_number="11010519491231002X", id_type="居民身份证")
        rows = [{**right, "place": f"{number}室", field: cell} for number, (field, cell) in enumerate(cells)]
        for row in rows:
            if isinstance(row.get("birth_year"), tuple):
                row["id_number"] = row["id_type"] = ""
        run = world.receive([right])
        reader = PastRowReader(db, run, clock.today(zone))
        parsed = list(sheet_parser.program(io.BytesIO(workbook(rows)), limits=asdict(spreadsheets.UPLOAD)))
        for _line, texts in parsed[1:]:
            named = dict(zip(FIELDS, [files.clean(text) for text in texts] + [""] * len(FIELDS), strict=False))
            reader.new_offerings = []
            try:
                line = reader.line(2, texts)
            except DomainError:
                continue
            check_stored(named, line, reader)
            for offering in reader.new_offerings:
                days, starts, ends = offering[6:9]
                check_day(named["days"], days[0])
                for text, at in ((named["starts"], starts), (named["ends"], ends)):
                    if re.search(r"\d", text):
                        check_time(text, str(at))
        db.rollback()
