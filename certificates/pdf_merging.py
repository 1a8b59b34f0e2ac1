"""Merging of many PDFs into one that is written while they come; memory holds one PDF and a number for each object.

Libraries that merge PDFs keep the whole result until it is saved; ten thousand certificates would be half a gigabyte.
Here the objects of each page get new numbers and are written at once; the page tree and the cross-reference table
follow at the end, which the format allows. What belongs to a whole document (outline, tags, metadata) is left out: the
result is for printing.
"""

from array import array
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

_LEAVES = 100  # pages below one node of the tree: a flat list of thousands makes readers slow
_CATALOGUE, _ROOT = 1, 2
# Entries that refer back to the source's pages, its tags and the document; an annotation names its page too.
_LEFT_BEHIND = frozenset({"/Parent", "/StructParents", "/StructParent", "/Tabs"})
_OF_ANNOTATIONS = frozenset({"/P", "/Dest"})


def merged(pdfs: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of one PDF with all pages of these PDFs, in order. Needs at least one page."""
    writer = _Writer()
    yield writer.begin()
    for pdf in pdfs:
        yield writer.pages_of(pdf)
    yield writer.end()


class _Writer:
    """Numbers the objects and remembers the offset of each: 8 bytes an object."""

    def __init__(self) -> None:
        self._position = 0
        self._offsets = array("Q", [0, 0, 0])
        self._pages = array("Q")
        self._nodes: list[int] = []
        self._sizes: list[int] = []

    def begin(self) -> bytes:
        """Return the header; its second line tells programs that the file is binary."""
        return self._count(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def pages_of(self, pdf: bytes) -> bytes:
        """Return all objects that the pages of one PDF need."""
        reader = PdfReader(BytesIO(pdf))
        written = []
        for page in reader.pages:
            if len(self._pages) % _LEAVES == 0:
                self._nodes.append(self.number())
                self._sizes.append(0)
            self._sizes[-1] += 1
            number = self.number()
            self._pages.append(number)
            copied = _Copy(self, reader)
            body = copied.of(page)
            if not isinstance(body, DictionaryObject):
                raise TypeError("a page is a dictionary")
            body[NameObject("/Parent")] = IndirectObject(self._nodes[-1], 0, None)
            written.append(self.object(number, body))
            written.extend(copied.rest())
        return b"".join(written)

    def end(self) -> bytes:
        """Return page tree, catalogue and cross-reference table."""
        parts = []
        for place, node in enumerate(self._nodes):
            kids = " ".join(f"{page} 0 R" for page in self._pages[place * _LEAVES : (place + 1) * _LEAVES])
            count = self._sizes[place]
            parts.append(self._text(node, f"<</Type/Pages/Parent {_ROOT} 0 R/Count {count}/Kids[{kids}]>>"))
        kids = " ".join(f"{node} 0 R" for node in self._nodes)
        parts.append(self._text(_ROOT, f"<</Type/Pages/Count {len(self._pages)}/Kids[{kids}]>>"))
        parts.append(self._text(_CATALOGUE, f"<</Type/Catalog/Pages {_ROOT} 0 R>>"))
        start, size = self._position, len(self._offsets)
        parts.append(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        parts.extend(b"%010d 00000 n \n" % offset for offset in self._offsets[1:])
        parts.append(f"trailer\n<</Size {size}/Root {_CATALOGUE} 0 R>>\nstartxref\n{start}\n%%EOF\n".encode())
        return b"".join(parts)

    def object(self, number: int, body: PdfObject) -> bytes:
        """Return an object under its number."""
        out = BytesIO()
        body.write_to_stream(out)
        return self._bytes(number, out.getvalue())

    def number(self) -> int:
        """Return the next object's number."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _text(self, number: int, body: str) -> bytes:
        return self._bytes(number, body.encode())

    def _bytes(self, number: int, body: bytes) -> bytes:
        self._offsets[number] = self._position
        return self._count(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _count(self, data: bytes) -> bytes:
        self._position += len(data)
        return data


class _Copy:
    """Copies the objects of one source PDF with their numbers in the result; `rest` writes the objects that they refer
    to.
    """

    def __init__(self, writer: _Writer, reader: PdfReader) -> None:
        self._writer = writer
        self._reader = reader
        self._numbers: dict[int, int] = {}
        self._waiting: list[tuple[int, IndirectObject]] = []

    def of(self, value: Any) -> PdfObject:
        """Return a value as it stands in the result."""
        if isinstance(value, IndirectObject):
            return self._reference(value)
        if isinstance(value, StreamObject):
            copy = StreamObject()
            copy.update(self._entries(value))
            copy._data = value._data  # as it is stored, still compressed
            copy[NameObject("/Length")] = NumberObject(len(copy._data))
            return copy
        if isinstance(value, DictionaryObject):
            plain = DictionaryObject()
            plain.update(self._entries(value))
            return plain
        if isinstance(value, ArrayObject):
            return ArrayObject(self.of(item) for item in value)
        if not isinstance(value, PdfObject):
            raise TypeError(f"not a PDF object: {type(value).__name__}")
        return value

    def rest(self) -> Iterator[bytes]:
        """Yield all objects that were referred to, and those that they refer to."""
        while self._waiting:
            number, reference = self._waiting.pop()
            referenced = reference.get_object()
            yield self._writer.object(number, self.of(referenced) if referenced is not None else NullObject())

    def _reference(self, value: IndirectObject) -> IndirectObject:
        number = self._numbers.get(value.idnum)
        if number is None:
            number = self._numbers[value.idnum] = self._writer.number()
            self._waiting.append((number, value))
        return IndirectObject(number, 0, None)

    def _entries(self, value: DictionaryObject) -> dict[Any, Any]:
        without = _LEFT_BEHIND | _OF_ANNOTATIONS if value.get("/Subtype") == "/Link" else _LEFT_BEHIND
        return {key: self.of(value.raw_get(key)) for key in value if key not in without}
