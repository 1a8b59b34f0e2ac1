"""The hand-out as it comes out of the printer: one slip for each certified person, whose code leads to the own page."""

import re
from datetime import UTC, datetime

import pypdfium2
import zxingcpp
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import hand_out
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from lms.core.audit import AuditEntry
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make
from tests.ten_names import TEN_NAMES, UNPRINTABLE

NOW = datetime(2026, 5, 4, tzinfo=UTC)
SITE = "https://training.example.org"


def sheet(db: Session, offering: Offering) -> bytes:
    return hand_out.pdf(db, offering, site=SITE, now=NOW)


def texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def codes(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        pictures = [page.render(scale=200 / 72).to_pil() for page in document]
    return [code.text for picture in pictures for code in zxingcpp.read_barcodes(picture) if code.valid]


def test_each_certified_person_has_a_slip_with_the_own_address(db: Session, make: Make) -> None:
    offering = closed_offering(make)
    rows = [owe(make, offering, f"学员{number}") for number in range(23)]
    failed = make.enrolment(offering, make.trainee("未通过者"), EnrolmentState.FAILED)
    pdf = sheet(db, offering)
    assert sorted(codes(pdf)) == sorted(f"{SITE}/tickets/{row.ticket}" for row in rows)
    pages = texts(pdf)
    assert len(pages) == 3, "ten slips to a page"
    assert failed.trainee.name not in "".join(pages)
    for words in (
        offering.course.name_zh,
        offering.course.name_en,
        "扫码领取证书",
        "Scan for your certificate",
        "my-certificate",
    ):
        assert re.sub(r"\s", "", str(words)) in re.sub(r"\s", "", pages[0])
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "offering.hand_out")).one()
    assert (entry.subject, entry.after) == (f"offering:{offering.id}", {"people": 23})


def test_people_stand_by_pinyin_and_namesakes_are_told_apart(db: Session, make: Make) -> None:
    offering = closed_offering(make)
    for name, phone in (("章子怡", None), ("单雄信", None), ("张伟", "+8613800005678"), ("张伟", "+8613800001234")):
        row = owe(make, offering, name)
        if phone:
            row.trainee.phone = phone
    db.flush()
    people = hand_out.people(db, offering.id)
    assert [person.name for person in people] == ["单雄信", "张伟", "张伟", "章子怡"]
    assert [person.hint for person in people] == ["", "··5678", "··1234", ""]
    assert not any(person.is_issued for person in people)
    assert "··5678" in texts(sheet(db, offering))[0]


def test_names_that_no_font_prints_do_not_stop_the_sheet(db: Session, make: Make) -> None:
    offering = closed_offering(make)
    for name in (*TEN_NAMES, UNPRINTABLE):
        owe(make, offering, name)
    pdf = sheet(db, offering)
    assert len(codes(pdf)) == 11
    together = "".join(texts(pdf))
    assert "王〔U+31350〕" in together
    assert together.count("请本人手写姓名") == 1
    assert "阿卜杜热西提" in re.sub(r"\s", "", together)


def test_a_class_without_certificates_gives_a_sheet_that_says_so(db: Session, make: Make) -> None:
    assert "没有可领取的证书" in texts(sheet(db, closed_offering(make)))[0]


def test_showing_a_code_is_audited_and_the_code_holds_an_address_alone(db: Session, make: Make) -> None:
    row = owe(make, closed_offering(make), "陈静")
    assert "陈静" not in hand_out.show(db, row, site=SITE)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.show_code")).one()
    assert (entry.subject, entry.after) == (f"enrolment:{row.id}", {"offering": row.offering_id})
    assert row.ticket not in str(entry.after)
