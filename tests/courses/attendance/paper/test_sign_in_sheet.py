"""The sheet as it comes out of the printer: who is on it, and codes that the roster's scanner reads."""

import re
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import select

from courses.attendance import roster, scanning
from courses.attendance.paper import sign_in_sheet
from courses.models.enrolment import EnrolmentState
from lms.core.audit import AuditEntry
from lms.core.scope import EVERYTHING
from tests.factories import Make
from tests.ten_names import TEN_NAMES, UNPRINTABLE

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 5, 4, 0, tzinfo=UTC)


@pytest.fixture
def offering(make: Make):
    return make.offering(starts=[datetime(2026, 5, 4, 1, tzinfo=UTC)], lead=make.instructor(name="王老师"))


def sheet(db, offering, **facts):
    meeting = roster.load_session(db, offering.sessions[0].id, EVERYTHING)
    return sign_in_sheet.pdf(db, meeting, masked=facts.pop("masked", False), zone=ZONE, now=NOW)


def texts(pdf):
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def test_each_row_has_a_code_that_the_roster_reads(db, make, offering):
    people = [make.enrolment(offering, make.trainee(name)) for name in ("陈静", "阿卜杜热西提·买买提", "Ann Lee")]
    make.enrolment(offering, make.trainee("退出者"), state=EnrolmentState.CANCELLED)
    pdf = sheet(db, offering)
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[0].render(scale=300 / 72).to_pil()
    found = [code.text for code in zxingcpp.read_barcodes(picture) if code.valid]
    assert sorted(map(str, map(scanning.ticket_in, found))) == sorted(person.ticket for person in people)
    (page,) = texts(pdf)
    for words in (
        "签到表",
        "Sign-in sheet",
        "陈静",
        "Ann Lee",
        "王老师",
        "09:00–17:00",
        "一楼培训室",
        "签到时间",
        "Time out",
    ):
        assert words in page
    assert "退出者" not in page


def test_a_long_sheet_repeats_its_head_and_numbers_its_pages(db, make, offering):
    for number in range(40):
        make.enrolment(offering, make.trainee(f"学员甲{number}"))
    pages = texts(sheet(db, offering))
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert "签到时间" in page
        assert f"Page {number} of {len(pages)}" in page


def test_names_may_be_masked_and_each_sheet_is_audited(db, make, offering):
    make.enrolment(offering, make.trainee("陈静"))
    (page,) = texts(sheet(db, offering, masked=True))
    assert "陈静" not in page
    assert "陈*" in page
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "session.sheet")).one()
    assert entry.after == {"people": 1, "masked": True}


def test_ten_names_of_everybody_are_on_the_sheet(db, make, offering):
    for name in TEN_NAMES:
        make.enrolment(offering, make.trainee(name))
    together = re.sub(r"\s", "", unicodedata.normalize("NFC", "".join(texts(sheet(db, offering)))))
    # How a reader gives lines that run from right to left is its own affair; tests/lms/core/test_actual_text.py sees to them.
    left_to_right = [name for name in TEN_NAMES if unicodedata.bidirectional(name[0]) != "AL"]
    assert [name for name in left_to_right if name.replace(" ", "") not in together] == []
    assert len(left_to_right) == 8


def test_the_sheet_prints_also_when_no_font_can_print_a_name(db, make, offering):
    """A single name of a class must not keep the others from signing; its row has code points, and room to write by hand."""
    for name in ("陈静", "王\U00016f50", UNPRINTABLE):
        make.enrolment(offering, make.trainee(name))
    (page,) = texts(sheet(db, offering))
    assert "陈静" in page
    assert "王〔U+16F50〕" in page
    assert "王〔U+31350〕" in page
    assert page.count("请本人手写姓名") == 2
    assert "第 2、3 行的姓名有字库中没有的字" in page
    assert "Names of rows 2, 3 have characters" in page
    (masked,) = texts(sheet(db, offering, masked=True))
    assert "手写姓名" not in masked


def test_a_session_without_anybody_has_rows_to_fill_in(db, offering):
    (page,) = texts(sheet(db, offering))
    assert "Page 1 of 1" in page
