"""The A4 certificate and the wallet card as a scanner, a reader of text and an archive see them."""

import ctypes
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from certificates.payload import Payload, encode
from certificates.rendering import CertificateDocument, Layout, badge, left_out, preview, render, sheets
from lms.core import actual_text
from lms.core.errors import DomainError
from tests.ten_names import TEN_NAMES, UNPRINTABLE

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
LEFT_TO_RIGHT = [name for name in TEN_NAMES if unicodedata.bidirectional(name[0]) != "AL"]
NAMES = ["张三", "阿凡提·买买提", "Seán O’Neill-d’Arcy", CROWDED.holder, CROWDED.instructor, *LEFT_TO_RIGHT]


SEAL = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#c00"/></svg>"""


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return unicodedata.normalize("NFC", "\n".join(page.get_textpage().get_text_bounded() for page in document))


@pytest.fixture
def decorated(tmp_path: Path) -> CertificateDocument:
    """A branch that has set its seal (SVG) and its logo (PNG)."""
    seal, logo = tmp_path / "our-seal.SVG", tmp_path / "our-logo.png"
    seal.write_bytes(SEAL)
    Image.new("RGB", (40, 20), (0, 0, 200)).save(logo)
    return replace(SAMPLE, seal=seal, logo=logo)


LAYOUTS = pytest.mark.parametrize("layout", Layout)


@pytest.mark.parametrize("document", [SAMPLE, CROWDED], ids=["usual", "crowded"])
def test_a_scanner_reads_the_address_from_the_page(document: CertificateDocument) -> None:
    with pypdfium2.PdfDocument(render(document)) as pdf:
        assert len(pdf) == 1
        assert [round(side) for side in pdf[0].get_size()] == [595, 842]
        picture = pdf[0].render(scale=150 / 72).to_pil()
    barcodes = zxingcpp.read_barcodes(picture)
    assert [barcode.text for barcode in barcodes] == [document.address_prefix + document.digits]


def test_the_card_has_two_sides_of_a_bank_card_and_its_code_is_36_mm_wide() -> None:
    with pypdfium2.PdfDocument(render(CROWDED, Layout.CARD)) as pdf:
        assert [[round(side / 72 * 25.4, 1) for side in page.get_size()] for page in pdf] == [[85.6, 54.0]] * 2
        picture = pdf[0].render(scale=300 / 72).to_pil()
    barcodes = zxingcpp.read_barcodes(picture)
    assert [barcode.text for barcode in barcodes] == [CROWDED.address_prefix + CROWDED.digits]
    width = (barcodes[0].position.top_right.x - barcodes[0].position.top_left.x) / 300 * 25.4
    assert width == pytest.approx(36, abs=0.4)
    assert barcodes[0].ec_level == "Q"


@LAYOUTS
def test_the_document_says_all_that_it_must(layout: Layout) -> None:
    # Where a reader sees a gap between Chinese and Latin is its own affair.
    text = re.sub(r"\s", "", text_of(render(SAMPLE, layout)))
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


@LAYOUTS
@pytest.mark.parametrize("holder", [name for name in TEN_NAMES if actual_text.is_needed(name)])
def test_names_of_several_pieces_have_their_text(holder: str, layout: Layout) -> None:
    pdf = render(replace(SAMPLE, holder=holder, instructor=holder), layout)
    contents = [page.get_contents() for page in PdfReader(BytesIO(pdf), strict=True).pages]
    spelled = ("\ufeff" + holder).encode("utf-16-be").hex().upper().encode()
    assert (
        sum(content.get_data().count(b"/ActualText<" + spelled + b">") for content in contents if content is not None)
        == 2
    )
    with pypdfium2.PdfDocument(pdf) as document:
        assert document.is_tagged()


@LAYOUTS
@pytest.mark.parametrize("holder", NAMES)
def test_a_name_can_be_read_back(holder: str, layout: Layout) -> None:
    # \x02 is the reader's sign of a hyphen at the end of a line.
    text = re.sub(r"\s+", "", text_of(render(replace(SAMPLE, holder=holder), layout))).replace("\x02", "-")
    assert holder.replace(" ", "") in text


@LAYOUTS
def test_a_second_writing_of_the_name_and_the_qualification_are_printed(layout: Layout) -> None:
    document = replace(
        SAMPLE, second_name="Zhāng Xiǎosān", qualification_zh="红十字救护员", qualification_en="Red Cross first aider"
    )
    text = re.sub(r"\s+", "", text_of(render(document, layout)))
    assert text.index("张小三") < text.index("ZhāngXiǎosān") < text.index("红十字救护员RedCrossfirstaider")
    assert "初次培训" not in text


def test_a_certificate_that_does_not_expire_says_so() -> None:
    text = text_of(render(replace(SAMPLE, valid_until=None, hours=Decimal("1"))))
    assert "长期有效" in text
    assert "does not expire" in text
    assert "1 class hour" in text
    assert "1 class hours" not in text


def test_a_name_is_never_read_as_markup() -> None:
    text = text_of(render(replace(SAMPLE, holder='#panic() "*x*" <b>')))
    assert '#panic() "*x*" <b>' in text


@LAYOUTS
@pytest.mark.parametrize("holder", ["张😀", "王\U000323ae"])
def test_a_missing_glyph_is_an_error_that_names_the_certificate(holder: str, layout: Layout) -> None:
    with pytest.raises(DomainError) as caught:
        render(replace(SAMPLE, holder=holder), layout)
    assert caught.value.code == "certificate_glyph_missing"
    assert SAMPLE.number in str(caught.value)
    assert holder[-1] in str(caught.value)
    assert text_of(render(SAMPLE)), "the next certificate is printed all the same"


@pytest.mark.parametrize("make", [preview, render], ids=["picture", "pdf"])
def test_the_picture_shows_no_empty_boxes_where_the_pdf_refuses(make: Callable[[CertificateDocument], bytes]) -> None:
    with pytest.raises(DomainError) as caught:
        make(replace(SAMPLE, holder=UNPRINTABLE))
    assert caught.value.code == "certificate_glyph_missing"
    assert caught.value.params["text"] == "U+31350 \U00031350"


def test_the_badge_shows_no_empty_boxes() -> None:
    with pytest.raises(DomainError, match="U\\+1F600"):
        badge(replace(SAMPLE, organisation_zh="红十字会😀"))


def names_of_fonts(pdf: bytes) -> set[str]:
    fonts = {font for page in PdfReader(BytesIO(pdf)).pages for font in page["/Resources"]["/Font"].values()}
    return {str(font.get_object()["/BaseFont"]).split("+")[1] for font in fonts}


def test_title_and_name_are_in_serif_and_bold_is_a_weight_of_its_own() -> None:
    latin = replace(SAMPLE, holder="Ann Lee")
    fonts = {"NotoSerifSC-Regular-Identity-H", "NotoSansSC-Regular-Identity-H", "NotoSerif-Regular"}
    assert fonts == names_of_fonts(render(SAMPLE)) == names_of_fonts(render(SAMPLE, Layout.CARD))
    assert fonts == names_of_fonts(render(latin))
    assert "NotoSansCJKsc-Thin" in names_of_fonts(left_out([(SAMPLE.number, "")])), (
        "the variable font, here at weight 700"
    )


def test_the_list_of_those_left_out_spells_what_it_cannot_print() -> None:
    text = text_of(left_out([(SAMPLE.number, "no font has U+31350 \U00031350; 王\U00031350")]))
    assert "no font has U+31350; 王〔U+31350〕" in text
    assert SAMPLE.number in text


@LAYOUTS
def test_the_same_certificate_is_the_same_bytes(layout: Layout, decorated: CertificateDocument) -> None:
    first, second = render(SAMPLE, layout), render(decorated, layout)
    assert render(CROWDED, layout) != first
    assert render(SAMPLE, layout) == first
    assert render(decorated, layout) == second


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


@LAYOUTS
def test_it_claims_both_standards_and_is_tagged(layout: Layout) -> None:
    pdf = render(SAMPLE, layout)
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>A<", pdf, re.DOTALL)
    assert b"pdfuaid:part>1<" in pdf
    with pypdfium2.PdfDocument(pdf) as document:
        assert document.is_tagged()
        assert document.get_metadata_dict()["CreationDate"].startswith("D:20260305")


@LAYOUTS
def test_the_code_is_drawn_as_vectors_and_no_emblem_is(layout: Layout) -> None:
    with pypdfium2.PdfDocument(render(SAMPLE, layout)) as document:
        assert not list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))


def test_seal_and_logo_are_drawn_and_described(decorated: CertificateDocument) -> None:
    a4, card = render(decorated), render(decorated, Layout.CARD)
    assert alternatives(a4) == {"二维码", "印章", "标志"}
    assert alternatives(card) == {"二维码", "标志"}
    with pypdfium2.PdfDocument(a4) as document:
        pixels = Counter(document[0].render(scale=1).to_pil().convert("RGB").get_flattened_data())
    assert pixels[204, 0, 0] > 1000, "the seal is red"
    assert pixels[0, 0, 200] > 1000, "the logo is blue"


def alternatives(pdf: bytes) -> set[str]:
    """Which of the words for pictures are alternative texts of the first page's structure."""
    raw = pypdfium2.raw
    texts: list[str] = []

    def walk(element: object) -> None:
        size = raw.FPDF_StructElement_GetAltText(element, None, 0)
        buffer = ctypes.create_string_buffer(size)
        raw.FPDF_StructElement_GetAltText(element, buffer, size)
        texts.append(buffer.raw.decode("utf-16-le"))
        for index in range(raw.FPDF_StructElement_CountChildren(element)):
            if child := raw.FPDF_StructElement_GetChildAtIndex(element, index):
                walk(child)

    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        tree = raw.FPDF_StructTree_GetForPage(page.raw)
        for index in range(raw.FPDF_StructTree_CountChildren(tree)):
            walk(raw.FPDF_StructTree_GetChildAtIndex(tree, index))
        raw.FPDF_StructTree_Close(tree)
    return {word for word in ("二维码", "印章", "标志") if any(word in text for text in texts)}


def test_the_picture_for_the_screen_is_the_page() -> None:
    picture = Image.open(BytesIO(preview(SAMPLE)))
    assert picture.height / picture.width == pytest.approx(297 / 210, abs=0.01)
    barcodes = zxingcpp.read_barcode(picture)
    assert barcodes is not None
    assert barcodes.text == SAMPLE.address_prefix + SAMPLE.digits


def test_badges_of_two_courses_differ_where_no_text_can_be_read() -> None:
    """At 64 pixels colour and outline are left: those of the programme's letters and of the certificate type."""
    numbers = {"FR": 1, "ER": 2, "IN": 3}
    shrunk = {
        code: Image.open(BytesIO(badge(replace(SAMPLE, number=f"BJ-{code}-2026-0000123-C", certificate_type=kind))))
        .convert("RGB")
        .resize((64, 64))
        for code, kind in numbers.items()
    }
    assert len({picture.getpixel((32, 6)) for picture in shrunk.values()}) == len(numbers)
    kinds = {badge(replace(SAMPLE, certificate_type=kind)) for kind in range(5)}
    assert len(kinds) == 5


def test_the_badge_is_a_square_picture_with_nothing_around_it() -> None:
    picture = Image.open(BytesIO(badge(SAMPLE)))
    assert picture.width == picture.height >= 400
    assert picture.convert("RGBA").getpixel((2, 2)) == (0, 0, 0, 0)
    assert badge(SAMPLE) == badge(SAMPLE)


@pytest.mark.parametrize("count", [1, 13])
def test_cards_come_on_sheets_and_their_other_sides_are_behind_them(count: int, decorated: CertificateDocument) -> None:
    """Ten on a sheet: the first card is on the left in front, and on the right behind, at the same height."""
    holders = [f"王{number}" for number in range(count - 1)] + ["مُحَمَّد"]
    cards = [
        replace(decorated, holder=holder, number=f"BJ-FR-2026-{place:07}-C") for place, holder in enumerate(holders)
    ]
    pdf = sheets(cards)
    assert sheets(cards) == pdf
    with pypdfium2.PdfDocument(pdf) as document:
        assert [[round(side / 72 * 25.4) for side in page.get_size()] for page in document] == [[210, 297]] * (
            2 * -(-count // 10)
        )
        assert document.is_tagged()
        found = zxingcpp.read_barcodes(document[0].render(scale=150 / 72).to_pil())
        assert len(found) == min(count, 10)
        front, back = document[0].get_textpage(), document[1].get_textpage()
        right = 105 / 25.4 * 72
        assert cards[0].number in back.get_text_bounded(left=right, bottom=842 - 200)
        assert count == 1 or "王" in front.get_text_bounded(right=right, bottom=842 - 200)
    contents = [page.get_contents() for page in PdfReader(BytesIO(pdf)).pages]
    spelled = ("\ufeffمُحَمَّد").encode("utf-16-be").hex().upper().encode()
    assert sum(spelled in content.get_data() for content in contents if content is not None) == 1


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


def tags(pdf: bytes) -> list[tuple[str, str]]:
    """The structure elements of a PDF in the order of reading, each with its alternative text or title."""
    found: list[tuple[str, str]] = []

    def walk(element: Any) -> None:
        element = element.get_object()
        if isinstance(element, ArrayObject):
            for child in element:
                walk(child)
        elif isinstance(element, DictionaryObject) and "/S" in element:
            found.append((str(element["/S"]).lstrip("/"), str(element.get("/Alt", element.get("/T", "")))))
            if "/K" in element:
                walk(element["/K"])
        elif isinstance(element, DictionaryObject) and element.get("/Type") == "/OBJR":
            found.append(("annotation", str(element["/Obj"].get_object().get("/Contents", ""))))

    walk(PdfReader(BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


@LAYOUTS
@pytest.mark.parametrize("document", [SAMPLE, CROWDED], ids=["usual", "crowded"])
def test_title_and_name_are_headings_and_nothing_spoken_is_the_code(
    document: CertificateDocument, layout: Layout
) -> None:
    read = tags(render(document, layout))
    headings = [pair for pair in read if pair[0] in {"H1", "H2"}]
    assert headings == [("H1", "培训合格证书"), ("H2", document.holder)]
    figure = read.index(("Figure", "二维码：扫码核验 QR code: scan to verify"))
    assert figure > read.index(headings[1])
    assert read.index(headings[1]) < read.index(("Strong", "")), "the qualification comes after the name"
    assert not [spoken for _, spoken in read if re.search("[0-9]{40}", spoken)]
    assert ("annotation", document.verify_address) in read
