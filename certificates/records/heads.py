"""The last block of each table's chain, noted outside the database too.

Whoever removes the last blocks together with their rows leaves a chain that is whole. So number and digest of each last
block are noted in a file of the keys folder, and compared before the next block is sealed.
"""

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, bindparam, func, select

from certificates.records.models import RecordBlock
from lms.core import records
from lms.core.autocommit import Reads

FILE = "record-heads.json"


@dataclass(frozen=True, slots=True)
class PublishedBlock:
    """A block as it is published. digest: hexadecimal."""

    table: str
    number: int
    digest: str
    sealed_at: datetime
    document: str


_BLOCKS = select(
    RecordBlock.record_table, RecordBlock.number, RecordBlock.digest, RecordBlock.sealed_at, RecordBlock.document
).where(RecordBlock.record_table == bindparam("table"))
_LAST = _BLOCKS.order_by(RecordBlock.number.desc()).limit(1)
_BY_NUMBER = _BLOCKS.where(RecordBlock.number == bindparam("number"))


def newest(db: Reads | Connection) -> list[PublishedBlock]:
    """The last block of each table that has one."""
    return [head for table in records.registered() if (head := block(db, table.name)) is not None]


def block(db: Reads | Connection, table: str, number: int | None = None) -> PublishedBlock | None:
    """A block of a table by its number; without a number the last one."""
    statement = _LAST if number is None else _BY_NUMBER
    row = db.execute(statement, {"table": table, "number": number}).one_or_none()
    return PublishedBlock(row[0], row[1], bytes(row[2]).hex(), row[3], row[4]) if row is not None else None


def count_rows(db: Reads | Connection, only: Collection[str] = ()) -> int:
    """The number of rows in the blocks of these tables; of all where `only` is empty."""
    statement = select(func.coalesce(func.sum(RecordBlock.row_count), 0))
    if only:
        statement = statement.where(RecordBlock.record_table.in_(only))
    return int(db.execute(statement).scalar_one())


def noted(folder: Path) -> dict[str, tuple[int, str]]:
    """Number and digest of each table's last block as the file has them; empty where there is no file.

    Raises ValueError for a file that is damaged.
    """
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    try:
        return {str(table): (int(number), str(digest)) for table, (number, digest) in content.items()}
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{folder / FILE} is damaged") from error


def is_noted(db: Reads | Connection, folder: Path, table: str) -> bool:
    """Tell whether the database still has the block that the file notes as the table's last one."""
    known = noted(folder).get(table)
    if known is None:
        return True
    stored = block(db, table, known[0])
    return stored is not None and stored.digest == known[1]


def note(db: Reads | Connection, folder: Path, tables: Collection[str], *, accept: bool = False) -> None:
    """Write the last blocks of these tables to the file. Call this after the commit: the file is never ahead.

    The heads are read under a lock, so that of two workers neither writes older heads over newer ones. What the file
    has of a table stays while the database lacks that block. accept: write all the same, after a restored backup.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        known = noted(folder)
        heads = known | {
            head.table: (head.number, head.digest)
            for head in newest(db)
            if head.table in tables and (accept or is_noted(db, folder, head.table))
        }
        if heads == known:
            return
        draft = folder / f".{FILE}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(heads, file, indent=1)
            file.flush()
            os.fchmod(file.fileno(), 0o644)  # root may write it for the worker's user; there is nothing secret in it
            os.fsync(file.fileno())
        draft.replace(folder / FILE)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
