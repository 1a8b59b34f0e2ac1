"""Files and pasted texts with certificates to verify: which sheet and which columns are read, and what is not.

The file is not stored, so a sheet other than the first visible one is named when the file is sent. What was not read is told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from certificates.verification import bulk
from certificates.verification.bulk import BulkItem
from lms.core import headings, spreadsheets
from lms.core.headings import normalised
from lms.core.spreadsheets import Limits, Rows, SheetOutline

_WORKBOOK = b"PK"
_LIMITS = Limits(rows=bulk.MAX_ITEMS + 100)  # with title lines, headings and notes below
_NUMBERS = (
    "证书编号", "证书号", "证书号码", "编号", "救护员证号", "证号", "二维码", "核验码", "验证码", "code", "number", "certificate",
    "certificate number", "certificate no.",
)  # fmt: skip
_PROOFS = (
    "姓名", "持证人", "持证人姓名", "学员姓名", "名字", "name", "holder", "full name", "身份证后六位", "证件号码后6位", "后六位",
)  # fmt: skip
_NUMBER_HEADINGS = frozenset(map(normalised, _NUMBERS))
_PROOF_HEADINGS = frozenset(map(normalised, _PROOFS))
KNOWN = _NUMBER_HEADINGS | _PROOF_HEADINGS


@dataclass(frozen=True)
class ListFile:
    """The items of a file, and what of it was not read.

    headings: the texts above the columns, none where the list has no known headings. sheet: the name of the sheet, "" for CSV;
    unread_sheets: the names of the others that hold something. hidden_rows: ranges of row numbers; hidden_columns: positions
    from 0. Neither was read.
    """

    items: Sequence[BulkItem]
    headings: Sequence[str] = ()
    sheet: str = ""
    unread_sheets: Sequence[str] = ()
    hidden_rows: Sequence[tuple[int, int]] = ()
    hidden_columns: Sequence[int] = ()


def read(content: bytes, sheet: str = "", columns: tuple[int, int | None] | None = None) -> ListFile:
    """Read a file or text. sheet: the name of a sheet, else the first visible one whose headings are known, or the first.
    columns: the positions of certificate and proof, where a person chose them.

    Raises DomainError on the field `file`.
    """
    if not content.startswith(_WORKBOOK):
        return ListFile(*_items(spreadsheets.read(content, _LIMITS, known=KNOWN), columns))
    outlines = [
        outline
        for outline in spreadsheets.outlines(content, _LIMITS, known=KNOWN)
        if outline.rows or outline.hidden_rows
    ]
    name = sheet or _first(outlines)
    rows = spreadsheets.read(content, _LIMITS, sheet=name, known=KNOWN)
    outline = next((outline for outline in outlines if outline.name == name), None)
    return ListFile(
        *_items(rows, columns),
        sheet=name,
        unread_sheets=[other.name for other in outlines if other.name != name],
        hidden_rows=outline.hidden_rows if outline else (),
        hidden_columns=outline.hidden_columns if outline else (),
    )


def _first(outlines: Sequence[SheetOutline]) -> str:
    """The name of the first visible sheet with known headings; of the first visible one, where none has any."""
    visible = [outline for outline in outlines if not outline.hidden and outline.rows]
    meant = spreadsheets.candidates(visible, _NUMBER_HEADINGS, required=1)
    return (meant or visible)[0].name if visible else ""


def _items(rows: Rows, chosen: tuple[int, int | None] | None) -> tuple[list[BulkItem], Sequence[str]]:
    """The items below the headings, where there are any, and the headings."""
    found = headings.find(rows, KNOWN)
    columns = chosen or (_columns(found.texts) if found is not None else None)
    if chosen is not None and found is None and rows and not re.search("[0-9]", "".join(rows[0][1])):
        return bulk.items(rows[1:], chosen), rows[0][1]
    if found is None or columns is None:
        return bulk.items(rows, chosen), ()
    return bulk.items([(line, cells) for line, cells in rows if line > found.line], columns), found.texts


def _columns(texts: Sequence[str]) -> tuple[int, int | None] | None:
    """The positions of number and proof; None where no heading is one of numbers."""
    names = list(map(normalised, texts))
    number = next((at for at, name in enumerate(names) if name in _NUMBER_HEADINGS), None)
    proof = next((at for at, name in enumerate(names) if name in _PROOF_HEADINGS), None)
    return None if number is None else (number, proof)
