"""Merging of PDFs: each page as it was, written forwards, and read without errors by two readers that differ."""

from collections.abc import Callable
from io import BytesIO

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from certificates import documents
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.pdf_merging import merged


@pytest.fixture
def issued(issue: Callable[..., Certificate]) -> list[Certificate]:
    return [issue(name) for name in ("张三丰", "李四", "王𠅤")]


def test_each_page_is_as_it_was(issued: list[Certificate], branch: Branch) -> None:
    singles = [documents.pdf(certificate, branch) for certificate in issued]
    together = b"".join(merged(singles))
    with pypdfium2.PdfDocument(together) as document:
        assert len(document) == len(issued)
        for place, (certificate, single) in enumerate(zip(issued, singles, strict=True)):
            picture = document[place].render(scale=150 / 72).to_pil()
            with pypdfium2.PdfDocument(single) as alone:
                assert picture.tobytes() == alone[0].render(scale=150 / 72).to_pil().tobytes()
            assert [code.text for code in zxingcpp.read_barcodes(picture)] == [
                f"{branch.public_url}/v/{digits_of(certificate.payload)}"
            ]
            assert certificate.number in document[place].get_textpage().get_text_range()


def test_the_table_of_offsets_is_right_over_more_than_one_node(issued: list[Certificate], branch: Branch) -> None:
    single = documents.pdf(issued[0], branch)
    together = b"".join(merged([single] * 101))
    reader = PdfReader(BytesIO(together), strict=True)
    assert len(reader.pages) == 101
    assert [node["/Count"] for node in (kid.get_object() for kid in reader.root_object["/Pages"]["/Kids"])] == [100, 1]
    assert issued[0].number in reader.pages[100].extract_text()


def test_it_is_written_as_it_comes(issued: list[Certificate], branch: Branch) -> None:
    asked: list[int] = []

    def one_by_one() -> object:
        for certificate in issued:
            asked.append(certificate.id)
            yield documents.pdf(certificate, branch)

    pieces = merged(one_by_one())  # type: ignore[arg-type]
    next(pieces)
    next(pieces)
    assert asked == [issued[0].id]
