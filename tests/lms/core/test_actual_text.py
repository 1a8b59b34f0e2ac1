"""The texts of names in a PDF: what a program reads where letters are set of several pieces."""

import re
import subprocess
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from shutil import which

import pypdfium2
import pytest
from pypdf import PdfReader

from lms.core import actual_text, typesetting
from tests.ten_names import TEN_NAMES

NOW = datetime(2025, 6, 1, tzinfo=UTC)
RIGHT_TO_LEFT = (TEN_NAMES[2], TEN_NAMES[6])
LATIN, ARABIC = "H̱ā́ṇ̄a M̂üller-Łukaszewicz", "مُحَمَّد عَبْدُ اللهِ"
SOURCE = """
#import "names.typ": *
#set document(title: "Test")
#set page(height: 8cm)
#set text(font: families.sans, fallback: false)
#for name in json(bytes(sys.inputs.facts)) [ 姓名 (EMC) #fitted-name(20pt, 7pt, 3, name) 完 ]
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "test.typ"
    file.write_text(SOURCE, encoding="utf-8")
    return file


@pytest.fixture
def template(source: Path) -> typesetting.Template:
    return typesetting.Template(source)


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return re.sub(r"\s", "", "".join(page.get_textpage().get_text_bounded() for page in document))


def actual_texts(pdf: bytes) -> list[str]:
    """The texts that are given in the pages, which is what a reader that knows the standard reads."""
    found = []
    for page in PdfReader(BytesIO(pdf), strict=True).pages:
        contents = page.get_contents()
        assert contents is not None
        found += re.findall(rb"/ActualText<([0-9A-F]+)>", contents.get_data())
    return [bytes.fromhex(text.decode()).decode("utf-16") for text in found]


def test_only_names_of_several_pieces_need_their_text() -> None:
    assert [name for name in TEN_NAMES if actual_text.is_needed(name)] == [TEN_NAMES[n] for n in (2, 3, 6, 7)]


def test_each_name_is_read_as_it_is_written(template: typesetting.Template) -> None:
    names = [*TEN_NAMES, LATIN, LATIN]
    pdf = template.pdf(names, NOW, names)
    text = text_of(pdf)
    assert actual_texts(pdf) == typesetting.marked(names)
    assert [name for name in names if name.replace(" ", "") not in text and name not in RIGHT_TO_LEFT] == []
    assert text.count(LATIN.replace(" ", "")) == 3
    assert template.pdf(names, NOW, names) == pdf
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) > 1
        assert document.is_tagged()


def test_every_piece_of_the_page_is_still_there(source: Path) -> None:
    """The structure of the document names each piece by its number, and no piece is lost or drawn otherwise."""
    names = [LATIN, "张三", ARABIC]
    plain = typesetting.compiler(source).compile(sys_inputs=typesetting.inputs(names, names), format="pdf", timestamp=0)
    assert isinstance(plain, bytes)
    pdf = actual_text.give(plain, [LATIN, ARABIC])
    assert pdf != plain
    pieces, pictures = [], []
    for made in (pdf, plain):
        pieces.append(sorted(map(int, re.findall(rb"/MCID (\d+)", content_of(made)))))
        with pypdfium2.PdfDocument(made) as document:
            pictures.append(document[0].render(scale=2).to_pil().tobytes())
        marks = re.findall(rb"\((?:\\.|[^\\()])*\)|\b(BDC|BMC|EMC)\b", content_of(made), re.DOTALL)
        assert 2 * marks.count(b"EMC") == len([mark for mark in marks if mark])
    assert pieces[0] == pieces[1]
    assert pictures[0] == pictures[1]


def content_of(pdf: bytes) -> bytes:
    contents = PdfReader(BytesIO(pdf)).pages[0].get_contents()
    assert contents is not None
    return contents.get_data()


def test_a_pdf_of_another_make_is_given_back(template: typesetting.Template) -> None:
    pdf = template.pdf(["张三"], NOW)
    assert actual_text.give(pdf, [LATIN]) == pdf, "it has no such name"
    assert actual_text.give(pdf, []) == pdf
    for other in (b"", b"%PDF-1.7\n", b"startxref\n9\n%%EOF", pdf.replace(b"/Length", b"/Longth")):
        assert actual_text.give(other, [LATIN]) == other


@pytest.mark.parametrize("name", [LATIN, ARABIC])
def test_poppler_reads_the_name(template: typesetting.Template, tmp_path: Path, name: str) -> None:
    """Where Poppler is there. It gives a text that runs from right to left in the order of the eye."""
    program = which("pdftotext")
    if program is None:
        return
    file = tmp_path / "name.pdf"
    file.write_bytes(template.pdf([name], NOW, [name]))
    read = subprocess.run([program, str(file), "-"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert name in read or name[::-1] in read
