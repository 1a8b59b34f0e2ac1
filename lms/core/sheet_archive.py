"""The parts of an XLSX workbook beside its cells: which sheets it has, its shared texts and the formats of its cells.

A workbook is an archive of XML files that refer to one another. Each is read piece by piece with expat, which refuses what
is no XML; document types, and with them entities, are refused. A reference leads to a member of the archive or nowhere.
"""

import io
import posixpath
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from lms.core.errors import N_
from lms.core.sheet_cells import Limits, broken, clean, refused, too_long
from lms.core.sheet_formats import BUILT_IN, Format, compiled

MEMBERS = 2000
SHEETS = 200
STYLES = 70_000  # Excel knows 65,490 formats of cells
CHUNK = 1 << 17
_NAMES = 1000  # different names of elements that are remembered
_TEXT_LENGTH = 32_767  # of a cell of Excel
PIECES = 1 + _TEXT_LENGTH // 4096  # of one text; expat's are longer, but for the last one

_ESCAPED = re.compile("_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")  # halves of characters are none

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]


class LocalNames(dict[str, str]):
    """The names of elements without their prefixes, filled with the names that occur."""

    def __missing__(self, name: str) -> str:
        local = name.rpartition(":")[2]
        if len(self) < _NAMES:
            self[name] = local
        return local


class Xml:
    """A parser of XML that is fed in pieces. It refuses what is no XML, and document types.

    start and end: called with the names of elements as they are written. texts: the pieces of text since it was last
    cleared; whoever uses the parser clears it. expat gives a piece of 8 KB at most.
    """

    def __init__(self, start: Start, end: End) -> None:
        self.texts: list[str] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = self.texts.append
        self._parser = parser

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Parse a piece. Raises DomainError."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise broken() from error
        if len(self.texts) > PIECES:
            del self.texts[PIECES:]

    def _refuse(self, *_declaration: object) -> None:
        raise broken()


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of a workbook: its name, whether it is hidden, and the member of the archive that holds its cells."""

    name: str
    hidden: bool
    member: str


class Archive:
    """The members of a workbook. The sizes that it claims are held to: no more of a member is ever unpacked."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        """Open the archive. Raises DomainError where its members would be too large, or too many."""
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        members = self._zip.infolist()
        if len(members) > MEMBERS:
            raise too_long()
        if sum(member.file_size for member in members) > limits.unpacked_bytes:
            raise refused("file_bomb", N_("The file is too large when unpacked. Copy the rows into a new file."))
        self._members = {member.filename.replace("\\", "/").lower(): member for member in members}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member, unpacked piece by piece."""
        with self._zip.open(self._members[name.lower()]) as opened:
            while piece := opened.read(CHUNK):
                yield piece

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: id → (last word of the type, member). References out of the archive are none."""
        folder, base = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        found: dict[str, tuple[str, str]] = {}
        for element, attributes in self.elements(relations):
            target = posixpath.normpath(
                posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/"))
            ).lstrip("/")
            if element == "Relationship" and attributes.get("TargetMode") != "External" and target in self:
                found[attributes.get("Id", "")] = attributes.get("Type", "").rpartition("/")[2], target
        return found

    def elements(self, name: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The elements of a small part with their attributes; none where there is no such part."""
        local, found = LocalNames(), deque[tuple[str, dict[str, str]]]()
        parser = Xml(lambda element, attributes: found.append((local[element], attributes)), lambda _element: None)
        if name not in self:
            return
        for piece in self.pieces(name):
            parser.feed(piece)
            parser.texts.clear()
            while found:
                yield found.popleft()
        parser.feed(b"", last=True)


class Workbook:
    """The sheets, shared texts and formats of a workbook. Raises DomainError, and what zipfile and zlib raise."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.archive = Archive(content, limits)
        roots = [target for kind, target in self.archive.related("").values() if kind == "officeDocument"]
        if len(roots) != 1:
            raise broken()
        self._related = self.archive.related(roots[0])
        self.sheets: list[SheetPart] = []
        self._since_1904 = False
        for element, attributes in self.archive.elements(roots[0]):
            if element == "workbookPr":
                self._since_1904 = attributes.get("date1904") in {"1", "true", "on"}
            elif element == "sheet":
                self._add_sheet(attributes)
        shared = self._part("sharedStrings")
        self.texts = _SharedTexts(limits).read(self.archive.pieces(shared)) if shared else []
        self.formats = _formats(self.archive, self._part("styles"), since_1904=self._since_1904)

    def _add_sheet(self, attributes: dict[str, str]) -> None:
        identifier = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        kind, member = self._related.get(identifier, ("", ""))
        if kind == "worksheet":  # not a sheet of a chart, or of macros
            is_hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append(SheetPart(attributes.get("name", ""), is_hidden, member))
        if len(self.sheets) > SHEETS:
            raise too_long()

    def _part(self, kind: str) -> str:
        return next((target for related, target in self._related.values() if related == kind), "")


def text_of(pieces: list[str]) -> str:
    """The text of a cell from its pieces; Excel writes control characters as `_x000D_`."""
    text = "".join(pieces)[:_TEXT_LENGTH]
    if "_x" in text:
        text = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    return clean(text)


class _SharedTexts:
    """Reads the texts that cells refer to by their numbers, cleaned; without the readings that stand above a text."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._texts: list[str] = []
        self._pieces: list[str] = []
        self._is_reading = False
        self._local = LocalNames()
        self._xml = Xml(self._start, self._end)

    def read(self, pieces: Iterable[bytes]) -> list[str]:
        """The texts of the member. Raises DomainError."""
        for piece in pieces:
            self._xml.feed(piece)
        self._xml.feed(b"", last=True)
        return self._texts

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        match self._local[name]:
            case "t":
                self._xml.texts.clear()
            case "si":
                self._pieces.clear()
            case "rPh":
                self._is_reading = True

    def _end(self, name: str) -> None:
        match self._local[name]:
            case "t" if not self._is_reading:
                self._pieces.extend(self._xml.texts)
                del self._pieces[PIECES:]
            case "si":
                if len(self._texts) == self._limits.cells:
                    raise too_long()
                self._texts.append(text_of(self._pieces))
            case "rPh":
                self._is_reading = False


def _formats(archive: Archive, member: str, *, since_1904: bool) -> list[Format]:
    """The format of each style of cells, by its number."""
    codes: dict[str, str] = {str(identifier): code for identifier, code in BUILT_IN.items()}
    identifiers: list[str] = []
    is_inside = False
    for element, attributes in archive.elements(member):
        if element == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif element == "cellXfs":
            is_inside = True
        elif element in {"cellStyles", "dxfs"}:
            is_inside = False
        elif element == "xf" and is_inside:
            identifiers.append(attributes.get("numFmtId", "0"))
        if max(len(codes), len(identifiers)) > STYLES:
            raise too_long()
    formats = {
        identifier: compiled(codes.get(identifier, ""), since_1904=since_1904) for identifier in set(identifiers)
    }
    return [formats[identifier] for identifier in identifiers]
