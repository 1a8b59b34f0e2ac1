"""The text of names in a PDF by Typst, for whoever searches, copies or listens to it.

A mark that is set above its letter (the acute of ā́, an Arabic vowel, a dot of an Arabic letter) is a piece of its own to
Typst, and each piece carries the text of the whole cluster: programs read "ā́ā́". The templates set names of such letters in
an ink of their own, #1c1a1a, and this module gives all pieces of a name one text, the entry `ActualText` of the PDF
(ISO 32000-1, 14.9.4), in the order of reading.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_CONTENTS: Final = re.compile(rb"/Contents (\d+) 0 R")
_STREAM: Final = re.compile(rb"<</Length (\d+)/Filter/FlateDecode>>\s*stream\r?\n")
_START: Final = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_SECTION: Final = re.compile(rb"xref\s+0 (\d+)\s*\n")
_ENTRY_BYTES: Final = 20
# A string, in which anything may stand, or an operator of marked content.
_STRING: Final = rb"\((?:\\.|[^\\()])*\)"
_OPERATOR: Final = re.compile(_STRING + rb"|\b(?:BDC|BMC|EMC)\b", re.DOTALL)
_PIECE: Final = re.compile(
    rb"/Span<</MCID \d+(?:/Lang\([^)]*\))?>>BDC\s(?=q [-0-9. ]+ cm/c\d+ cs 0\.10980392 0\.101960786 0\.101960786 scn)"
)
_MARKED: Final = re.compile(_STRING + rb"|/\w+\s*<<.*?>>\s*BDC|/\w+ BMC|\bEMC\b", re.DOTALL)


def is_needed(name: str) -> bool:
    """True for a name with combining marks, or that is written from right to left."""
    return any(
        unicodedata.category(letter).startswith("M") or unicodedata.bidirectional(letter) in {"R", "AL"}
        for letter in name
    )


def give(pdf: bytes, names: Sequence[str]) -> bytes:
    """Return the PDF with the texts of these names, which are set in that ink and come in this order.

    A PDF of another make, or with other names than these, is given back as it is.
    """
    if not names or (end := _START.search(pdf)) is None or (section := _SECTION.match(pdf, int(end[1]))) is None:
        return pdf
    table = section.end()
    offsets = [
        int(pdf[entry : entry + 10])
        for entry in range(table, table + int(section[1]) * _ENTRY_BYTES, _ENTRY_BYTES)
    ]  # fmt: skip
    changes = []
    left = list(names)
    for number in _CONTENTS.findall(pdf):
        stream = _STREAM.search(pdf, offsets[int(number)])
        if stream is None:
            return pdf
        until = stream.end() + int(stream[1])
        content = zlib.decompress(pdf[stream.end() : until])
        if changed := _with_texts(content, left):
            packed = zlib.compress(changed, 9)
            changes.append((stream.start(), until, stream[0].replace(stream[1], b"%d" % len(packed), 1) + packed))
    return pdf if left else _rebuilt(pdf, changes, offsets, int(end[1]), table)


def _with_texts(content: bytes, names: list[str]) -> bytes:
    """The content of a page with the texts of its names, which are taken off the list; empty when the page has none."""
    written, position = [], 0
    for begin, end in _runs(content):
        if not names:
            break
        text = ("\ufeff" + names.pop(0)).encode("utf-16-be").hex().upper().encode()
        run = content[begin:end]
        pieces = _PIECE.findall(run)
        # All pieces are drawn within the first, without texts of their own, because readers take one text from one piece.
        # The others stay, empty, for the structure of the document names them.
        drawn = [_MARKED.sub(_unmarked, piece) for piece in _PIECE.split(run)[1:]]
        written += [content[position:begin], pieces[0], b"/Span<</ActualText<" + text + b">>>BDC\n", *drawn]
        written += [b"EMC\nEMC\n", *(piece + b"EMC\n" for piece in pieces[1:])]
        position = end
    return b"".join([*written, content[position:]]) if written else b""


def _unmarked(token: re.Match[bytes]) -> bytes:
    return token[0] if token[0].startswith(b"(") else b""


def _runs(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where pieces that follow one another begin and end."""
    run: tuple[int, int] | None = None
    position = 0
    while piece := _PIECE.search(content, position):
        position = _end(content, piece.end())
        if run is not None and not content[run[1] : piece.start()].strip():
            run = (run[0], position)
            continue
        if run is not None:
            yield run
        run = (piece.start(), position)
    if run is not None:
        yield run


def _end(content: bytes, position: int) -> int:
    depth = 1
    for token in _OPERATOR.finditer(content, position):
        depth += {b"BDC": 1, b"BMC": 1, b"EMC": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return len(content)


def _rebuilt(
    pdf: bytes, changes: Iterable[tuple[int, int, bytes]], offsets: list[int], start: int, table: int
) -> bytes:
    """The file with these parts replaced, and with the offsets of what follows them."""
    parts, position, moves = [], 0, []
    for begin, end, part in sorted(changes):
        parts += [pdf[position:begin], part]
        moves.append((begin, len(part) - (end - begin)))
        position = end

    def moved(offset: int) -> int:
        return offset + sum(by for begin, by in moves if begin < offset)

    entries = bytearray(pdf[table : table + len(offsets) * _ENTRY_BYTES])
    for number, offset in enumerate(offsets):
        entries[number * _ENTRY_BYTES : number * _ENTRY_BYTES + 10] = b"%010d" % moved(offset)
    parts += [pdf[position:table], bytes(entries)]
    rest = pdf[table + len(entries) :]
    return b"".join([*parts, _START.sub(b"startxref\n%d\n%%%%EOF" % moved(start), rest)])
