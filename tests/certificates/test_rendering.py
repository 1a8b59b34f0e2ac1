"""The A4 certificate as a scanner, a reader of text and an archive see it."""

import os
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from threading import Thread

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.payload import Payload, encode
from certificates.rendering import CertificateDocument, render
from lms.core.errors import DomainError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DIGITS = encode(Payload(1, 2, 6, 123, date(2026, 3, 5), date(2029, 3, 4), b"\1\2\3\4\5\6"), KEY.sign)
SAMPLE = CertificateDocument(
    number="BJ-FR-2026-0000123-C",
    holder="张小三",
    programme_zh="救护员培训",
    programme_en="First responder training",
    course_zh="红十字救护员（初次培训）",
    course_en="Red Cross First Responder (initial)",
    hours=Decimal("16.0"),
    issued_on=date(2026, 3, 5),
    valid_until=date(2029, 3, 4),
    unit_zh="北京市海淀区红十字会",
    unit_en="Haidian District Red Cross, Beijing",
    instructor="李建国",
    instructor_registration="BJ-SZ-2019-00127",
    organisation_zh="北京市红十字会",
    organisation_en="Beijing Red Cross",
    address_prefix="https://lms.example.org/v/",
    digits=DIGITS,
    verify_address="https://lms.example.org/verify",
)
CROWDED = replace(
    SAMPLE,
    holder="阿卜杜热西提·阿卜杜克热木·买买提艾力",
    course_zh="应急救护普及培训（学校、社区、农村、企业、机关与家庭六进活动专项课程）",
    course_en="Emergency rescue training for schools, communities, villages, enterprises and families",
    unit_zh="北京市红十字会培训中心与应急救援志愿服务总队",
    unit_en="Training Centre and Emergency Rescue Volunteer Corps of the Beijing Red Cross",
    instructor="Maria Fernanda de los Ángeles Gutiérrez-Santamaría Ødegård",
)
NAMES = ["张三", "䶮㛃𠅤", "阿凡提·买买提", "Seán O’Neill-d’Arcy", CROWDED.holder, CROWDED.instructor]


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return unicodedata.normalize("NFC", document[0].get_textpage().get_text_bounded())


@pytest.mark.parametrize("document", [SAMPLE, CROWDED], ids=["usual", "crowded"])
def test_a_scanner_reads_the_address_from_the_page(document: CertificateDocument) -> None:
    with pypdfium2.PdfDocument(render(document)) as pdf:
        assert len(pdf) == 1
        assert [round(side) for side in pdf[0].get_size()] == [595, 842]
        picture = pdf[0].render(scale=150 / 72).to_pil()
    found = zxingcpp.read_barcodes(picture)
    assert [barcode.text for barcode in found] == [document.address_prefix + document.digits]


def test_the_page_says_all_that_it_must() -> None:
    # Where a reader sees a gap between Chinese and Latin is its own affair.
    text = re.sub(r"\s", "", text_of(render(SAMPLE)))
    for fact in (
        "BJ-FR-2026-0000123-C",
        "张小三",
        "救护员培训",
        "First responder training",
        "红十字救护员（初次培训）",
        "Red Cross First Responder (initial)",
        "16 学时",
        "16 class hours",
        "2026年3月5日",
        "5 March 2026",
        "2029年3月4日",
        "4 March 2029",
        "北京市海淀区红十字会",
        "Haidian District Red Cross, Beijing",
        "李建国",
        "BJ-SZ-2019-00127",
        "北京市红十字会",
        "Beijing Red Cross",
        "https://lms.example.org/verify",
    ):
        assert fact.replace(" ", "") in text


@pytest.mark.parametrize("holder", NAMES)
def test_a_name_can_be_read_back(holder: str) -> None:
    text = re.sub(r"\s+", " ", text_of(render(replace(SAMPLE, holder=holder))))
    assert holder in text


def test_a_certificate_that_does_not_expire_says_so() -> None:
    text = text_of(render(replace(SAMPLE, valid_until=None, hours=Decimal("1"))))
    assert "长期有效" in text
    assert "does not expire" in text
    assert "1 class hour" in text
    assert "1 class hours" not in text


def test_a_name_is_never_read_as_markup() -> None:
    text = text_of(render(replace(SAMPLE, holder='#panic() "*x*" <b>')))
    assert '#panic() "*x*" <b>' in text


@pytest.mark.parametrize("holder", ["张😀", "王\U000323ae"])
def test_a_missing_glyph_is_an_error_that_names_the_certificate(holder: str) -> None:
    with pytest.raises(DomainError) as caught:
        render(replace(SAMPLE, holder=holder))
    assert caught.value.code == "certificate_glyph_missing"
    assert SAMPLE.number in str(caught.value)
    assert holder[-1] in str(caught.value)
    assert text_of(render(SAMPLE)), "the next certificate is printed all the same"


def test_texts_too_long_for_one_page_are_an_error_that_names_the_certificate() -> None:
    with pytest.raises(DomainError) as caught:
        render(replace(SAMPLE, course_zh="应急救护培训" * 200))
    assert caught.value.code == "certificate_too_long"
    assert SAMPLE.number in str(caught.value)


def test_the_same_certificate_is_the_same_bytes() -> None:
    first = render(SAMPLE)
    assert render(CROWDED) != first
    assert render(SAMPLE) == first


def test_another_process_makes_the_same_bytes() -> None:
    program = (
        "import hashlib; from tests.certificates.test_rendering import SAMPLE, render;"
        "print(hashlib.sha256(render(SAMPLE)).hexdigest())"
    )
    # Another hash seed, time zone and locale must not show in the document.
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/New_York", "LC_ALL": "C"}
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()
    assert printed == sha256(render(SAMPLE)).hexdigest()


def test_it_claims_both_standards_and_is_tagged() -> None:
    pdf = render(SAMPLE)
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>A<", pdf, re.DOTALL)
    assert b"pdfuaid:part>1<" in pdf
    with pypdfium2.PdfDocument(pdf) as document:
        assert document.is_tagged()
        assert document.get_metadata_dict()["CreationDate"].startswith("D:20260305")


def test_the_code_is_drawn_as_vectors() -> None:
    with pypdfium2.PdfDocument(render(SAMPLE)) as document:
        assert not list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))


def test_threads_may_render_together() -> None:
    made: dict[str, bytes] = {}

    def make(name: str) -> None:
        made[name] = render(replace(SAMPLE, holder=name))

    threads = [Thread(target=make, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == {name: render(replace(SAMPLE, holder=name)) for name in NAMES}
