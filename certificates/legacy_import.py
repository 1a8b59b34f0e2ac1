"""Importing legacy certificates from a spreadsheet: each bad row named by line and reason, duplicates refused.

CSV is read row by row, so a file may hold a million; an XLSX is unpacked into memory, so it may hold `SHEET.rows`.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates.legacy import number_key
from certificates.models import LEGACY_ID_NUMBER, Certificate, LegacyCertificate
from certificates.number import NumberScheme
from courses import id_numbers
from courses.enrolment_sheet import ID_TYPES
from courses.models.catalogue import Programme
from courses.models.trainees import IdType
from lms.core import audit, clock, crypto, spreadsheets
from lms.core.errors import N_, DomainError
from lms.core.names import norm

BATCH = 1000
EARLIEST = date(1980, 1, 1)
LONGEST = 200
# About 80 bytes a cell while it is read: a hundred thousand rows of nine columns are under 200 MB.
SHEET = spreadsheets.Limits(file_megabytes=64, unpacked_bytes=1 << 30, rows=100_001)

# Field → the headings it may have, in Chinese first; a file names its columns in its first row.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "number": ("证书编号", "编号", "number", "certificate number"),
    "name": ("姓名", "name"),
    "id_type": ("证件类型", "id type"),
    "id_number": ("证件号码", "身份证号", "id number"),
    "programme": ("培训项目", "项目", "programme"),
    "course": ("证书类型", "课程", "type", "course"),
    "issued_on": ("发证日期", "issued on", "issue date"),
    "valid_until": ("有效期至", "valid until"),
    "unit": ("发证单位", "issuing unit", "unit"),
}
NEEDED = ("number", "name", "programme", "issued_on", "unit")
NO_EXPIRY = {"", "长期", "长期有效", "永久", "none"}

_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot go in: its line in the file (from 1), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one batch: rows that went in, and those that did not."""

    imported: int
    bad: tuple[BadRow, ...]


def load(db: Session, path: Path, scheme: NumberScheme) -> Iterator[Step]:
    """Import a file in batches, one audit entry at the end; the caller commits all of it, or rolls all of it back.

    Raises DomainError when the file cannot be read or lacks a column.
    """
    rows = _rows(path)
    columns = _columns(next(rows, (1, [])))
    programmes = _programmes(db)
    total = 0
    while batch := list(islice(rows, BATCH)):
        step = _load_batch(db, batch, columns, programmes, scheme, path.name)
        total += step.imported
        yield step
    if total:
        audit.record(db, "certificate.import_legacy", f"file:{path.name}", after={"rows": total})
        db.flush()


def _load_batch(  # noqa: PLR0917  # one batch and all that it is read with
    db: Session,
    batch: Sequence[tuple[int, Sequence[str]]],
    columns: Mapping[str, int],
    programmes: Mapping[str, str],
    scheme: NumberScheme,
    source: str,
) -> Step:
    good: dict[str, tuple[int, dict[str, Any]]] = {}
    bad: list[BadRow] = []
    for line, cells in batch:
        try:
            values = _values({field: cells[at] for field, at in columns.items() if at < len(cells)}, programmes)
        except DomainError as error:
            bad.append(BadRow(line, str(error)))
            continue
        key = values["number_key"]
        if key in good:
            bad.append(BadRow(line, f"the number stands in line {good[key][0]} already"))
        else:
            good[key] = (line, values | {"source": f"{source}:{line}"})
    for key in _ours(db, good, scheme):
        bad.append(BadRow(good.pop(key)[0], "this number is a certificate of this system"))
    new = _insert(db, [values for _line, values in good.values()])
    bad += [BadRow(line, "the number was imported already") for key, (line, _values) in good.items() if key not in new]
    return Step(len(new), tuple(sorted(bad, key=lambda one: one.line)))


def _insert(db: Session, rows: list[dict[str, Any]]) -> set[str]:
    """Write the rows whose numbers are not there yet; the numbers (compared form) that are new."""
    if not rows:
        return set()
    statement = (
        insert(LegacyCertificate)
        .on_conflict_do_nothing(index_elements=[LegacyCertificate.number_key])
        .returning(LegacyCertificate.number_key)
    )
    return set(db.scalars(statement, rows))


def _ours(db: Session, good: Mapping[str, tuple[int, dict[str, Any]]], scheme: NumberScheme) -> list[str]:
    """Those numbers that this system has issued itself."""
    canonical = {}
    for key in good:
        try:
            canonical[scheme.normalise(key)] = key
        except DomainError:
            continue
    if not canonical:
        return []
    found = db.scalars(select(Certificate.number).where(Certificate.number.in_(canonical)))
    return [canonical[number] for number in found]


def _programmes(db: Session) -> dict[str, str]:
    """Programme codes by each word for them."""
    return {
        _word(word): row.code
        for row in db.scalars(select(Programme))
        for word in (row.code, row.short_code, row.name_zh, row.name_en)
    }


def _values(cells: Mapping[str, str], programmes: Mapping[str, str]) -> dict[str, Any]:
    """One row as it is kept. Raises DomainError that says what is wrong with it."""
    for field in NEEDED:
        if not cells.get(field):
            raise DomainError("legacy_missing", N_("%(column)s is missing"), column=HEADINGS[field][-1])
    if any(len(cell) > LONGEST for cell in cells.values()):
        raise DomainError("legacy_long", N_("a cell is longer than %(most)s characters"), most=LONGEST)
    number, name, key = cells["number"], cells["name"], number_key(cells["number"])
    if not any(letter.isdigit() for letter in key):
        raise DomainError("legacy_number", N_("the number has no digit"))
    if not any(letter.isalpha() for letter in name):
        raise DomainError("legacy_name", N_("the name has no letter"))
    programme = programmes.get(_word(cells["programme"]))
    if programme is None:
        raise DomainError("legacy_programme", N_("there is no programme %(text)s"), text=cells["programme"])
    issued_on = _day(cells["issued_on"])
    ends = cells.get("valid_until", "")
    valid_until = None if _word(ends) in NO_EXPIRY else _day(ends)
    if not EARLIEST <= issued_on <= clock.now().date():
        raise DomainError("legacy_issued", N_("the issue date %(day)s cannot be"), day=issued_on.isoformat())
    if valid_until is not None and valid_until < issued_on:
        raise DomainError("legacy_period", N_("it would end before it begins"))
    return {
        "number": number,
        "number_key": key,
        "name": name,
        "name_key": norm(name),
        "programme_code": programme,
        "course": cells.get("course") or cells["programme"],
        "unit": cells["unit"],
        "issued_on": issued_on,
        "valid_until": valid_until,
        "imported_at": clock.now(),
    } | _identity(cells)


def _identity(cells: Mapping[str, str]) -> dict[str, Any]:
    """The ID number, checked, sealed and indexed; nothing where none is given."""
    ref, text = uuid4(), cells.get("id_number", "")
    if not text:
        return {"ref": ref, "id_type": None, "id_number_sealed": None, "id_number_index": None}
    kind = _id_type(cells.get("id_type", ""))
    number = id_numbers.canonical(kind, text, clock.now().date())
    cipher = crypto.cipher()
    return {
        "ref": ref,
        "id_type": kind,
        "id_number_sealed": cipher.encrypt(LEGACY_ID_NUMBER, ref, number),
        "id_number_index": cipher.blind_index(LEGACY_ID_NUMBER, number),
    }


def _id_type(text: str) -> IdType:
    if not text:
        return IdType.RESIDENT
    for kind, words in ID_TYPES.items():
        if _word(text) in {_word(word) for word in (*words, kind.value)}:
            return kind
    raise DomainError("legacy_id_type", N_("there is no ID type %(text)s"), text=text)


def _day(text: str) -> date:
    found = _DATE.fullmatch(text.replace(" ", ""))
    if found is not None:
        year, *rest = found.groups()
        month, day = (int(part) for part in rest if part)
        try:
            return date(int(year), month, day)
        except ValueError:
            pass
    raise DomainError("legacy_day", N_("%(text)s is not a date"), text=text)


def _columns(heading: tuple[int, Sequence[str]]) -> dict[str, int]:
    words = {_word(word): field for field, known in HEADINGS.items() for word in known}
    columns: dict[str, int] = {}
    for at, cell in enumerate(heading[1]):
        field = words.get(_word(cell))
        if field is not None:
            columns.setdefault(field, at)
    missing = [HEADINGS[field][0] for field in NEEDED if field not in columns]
    if missing:
        raise DomainError("legacy_columns", N_("The file has no column %(names)s."), names=", ".join(missing))
    return columns


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of the rows that hold anything."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"PK\x03\x04"):
        yield from spreadsheets.rows_of(path, SHEET)
        return
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        yield from spreadsheets.read(head)  # refuses it in words
        return
    with path.open(encoding=_encoding(path, head), newline="") as text:
        delimiter = max(",\t;", key=text.readline().count)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter)
        try:
            for cells in reader:
                clean = [_clean(cell) for cell in cells]
                if any(clean):
                    yield reader.line_num, clean
        except csv.Error as error:
            raise _unreadable() from error


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else what Chinese Windows writes; found without keeping the file."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding) as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise _unreadable()


def _clean(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split()).lstrip("'’`").strip()


def _word(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _unreadable() -> DomainError:
    return DomainError(
        "legacy_unreadable", N_("The file could not be read. Save it again as XLSX or CSV and send that.")
    )
