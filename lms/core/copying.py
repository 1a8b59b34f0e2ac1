"""Exports of a million rows and more, by `COPY … TO STDOUT (FORMAT csv)`.

PostgreSQL writes the CSV, and texts that a spreadsheet would read as a formula are escaped within the query. So Python
copies bytes to the file and does not look at each row.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import IO, Any

from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, and_, case, collate, func, literal, or_

from lms.core import exports
from lms.core.binary import driver_statement
from lms.core.exports import CONTROL, FORMULA, Cell, Reference

PIECE_BYTES = 1024 * 1024  # bytes
PIECES_AHEAD = 4
LINES_AT_ONCE = 4000

# What Python's str.lstrip takes away.
SPACES = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)


class Kind(StrEnum):
    """The type of a column. A REFERENCE is a number that names something: it has no separators and is not added up.

    A TEXT can become a formula, and so can a SEALED one, which is encrypted, once it is decrypted.
    """

    TEXT = "text"
    WHOLE = "whole"
    REFERENCE = "reference"
    DECIMAL = "decimal"
    DAY = "day"
    SEALED = "sealed"


@dataclass(frozen=True)
class Column:
    """A column: its name for programs, its type and its expression.

    labels: shown to people instead of the codes of a text.
    """

    name: str
    kind: Kind
    value: SQLColumnExpression[Any]
    labels: Mapping[str, str] | None = None


# Decrypts a cell. Neither the encrypted nor the decrypted text has a comma, a quotation mark or a line break. Both are
# bytes, because decoding a million of them would take longer than the rest.
Unseal = Callable[[bytes], bytes]
# Lines with their line breaks. They are passed in lists, because a generator step for each line is expensive in Python.
Lines = Sequence[bytes]
# A decrypted text that begins with a digit is no formula.
STARTS_OF_NO_FORMULA = tuple(b"%d" % digit for digit in range(10))


@dataclass(frozen=True)
class Table:
    """A table to export. rows: the SELECT, whose columns are replaced by `columns`.

    unseal: decrypts the last column if it is SEALED, for which PostgreSQL has no key.
    """

    columns: Sequence[Column]
    rows: Select[*tuple[Any, ...]]
    unseal: Unseal | None = None

    def unseal_for_csv(self) -> Unseal | None:
        """`unseal` for CSV, with formulas escaped."""
        unseal = self.unseal
        if unseal is None:
            return None

        def unseal_and_escape(sealed: bytes) -> bytes:
            text = unseal(sealed)
            return text if text.startswith(STARTS_OF_NO_FORMULA) else exports.escape_formula(text.decode()).encode()

        return unseal_and_escape

    def for_csv(self) -> Select[*tuple[Any, ...]]:
        """The SELECT for a CSV file for people: labels instead of codes, and formulas escaped."""
        return self.rows.with_only_columns(*(_escaped(column) for column in self.columns), maintain_column_froms=True)

    def for_typed_cells(self) -> Select[*tuple[Any, ...]]:
        """The SELECT for a file for people whose cells have types (XLSX): labels instead of codes."""
        return self.rows.with_only_columns(*(_labelled(column) for column in self.columns), maintain_column_froms=True)

    def for_programs(self) -> Select[*tuple[Any, ...]]:
        """The SELECT for programs: codes, and texts as they are."""
        named: list[Any] = [column.value.label(column.name) for column in self.columns]
        return self.rows.with_only_columns(*named, maintain_column_froms=True)


def escape_formula(text: SQLColumnExpression[str]) -> ColumnElement[str]:
    """`lms.core.exports.escape_formula`, in SQL.

    Nearly every text begins with an ordinary letter. One comparison by code points, independent of the database's
    collation, recognises it, so that only the others are examined closely.
    """
    order = collate(text, "C")
    harmless = or_(and_(order >= "A", order <= "z"), and_(order >= "\u3001", order <= "\ufeff"))
    suspicious = or_(func.left(text, 1).in_(CONTROL), func.left(func.ltrim(text, literal(SPACES)), 1).in_([*FORMULA]))
    return case((harmless, text), (suspicious, literal("'").concat(text)), else_=text)


def _labelled(column: Column) -> SQLColumnExpression[Any]:
    if not column.labels:
        return column.value
    return case(dict(column.labels), value=column.value, else_=column.value)


def _escaped(column: Column) -> SQLColumnExpression[Any]:
    return escape_formula(_labelled(column)) if column.kind is Kind.TEXT else column.value


def copy_rows(
    connection: Connection, rows: Select[*tuple[Any, ...]], unseal: Unseal | None = None, *, heading: bool = False
) -> Iterator[Lines]:
    """The rows of a SELECT as lines of CSV, in lists of some thousands.

    heading: give a line with the column names first.

    unseal: decrypts the last column (`Table.unseal`).
    """
    # COPY takes no parameters, so psycopg writes the values into the statement.
    statement, values = driver_statement(rows)
    options = "FORMAT csv, HEADER true" if heading else "FORMAT csv"
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY ({statement}) TO STDOUT ({options})", values) as copy:
        rest = iter(copy)
        if heading:
            yield [bytes(next(rest))]
        while lines := list(islice(rest, LINES_AT_ONCE)):
            yield lines if unseal is None else [_unsealed(bytes(line), unseal) for line in lines]


def _unsealed(line: bytes, unseal: Unseal) -> bytes:
    begin = line.rfind(b",") + 1
    sealed = line[begin:-1]
    return line[:begin] + unseal(sealed) + b"\n" if sealed else line


def join_pieces(batches: Iterable[Lines], size: int = PIECE_BYTES) -> Iterator[bytes]:
    """Join lines to pieces of at least `size` bytes; the last piece may be smaller."""
    gathered: list[bytes] = []
    length = 0
    for lines in batches:
        gathered.append(b"".join(lines))
        length += len(gathered[-1])
        if length >= size:
            yield b"".join(gathered)
            gathered.clear()
            length = 0
    if gathered:
        yield b"".join(gathered)


@contextmanager
def produce_ahead(producer: Generator[bytes]) -> Generator[Iterator[bytes]]:
    """Produce pieces in another thread, a few ahead of the caller, which writes the earlier ones meanwhile.

    An exception of the producer is raised where its piece would have been given.
    """
    with ThreadPoolExecutor(1) as thread:

        def next_piece() -> bytes | None:
            return next(producer, None)

        def submit() -> Future[bytes | None]:
            return thread.submit(copy_context().run, next_piece)

        def pieces() -> Iterator[bytes]:
            waiting = deque(submit() for _ in range(PIECES_AHEAD))
            while (piece := waiting.popleft().result()) is not None:
                waiting.append(submit())
                yield piece

        try:
            yield pieces()
        finally:
            thread.shutdown(cancel_futures=True)
            producer.close()


def typed_rows(batches: Iterable[Lines], columns: Sequence[Column]) -> Iterator[Sequence[Cell]]:
    """The cells of each line, converted to the types of the columns. An empty cell is None."""
    readers = [_READERS[column.kind] for column in columns]
    for row in csv.reader(bytes(line).decode() for lines in batches for line in lines):
        yield [reader(value) if value else None for reader, value in zip(readers, row, strict=True)]


_READERS: Mapping[Kind, Callable[[str], Cell]] = {
    Kind.TEXT: str,
    Kind.WHOLE: int,
    Kind.REFERENCE: Reference,
    Kind.DECIMAL: float,
    Kind.DAY: date.fromisoformat,
    Kind.SEALED: str,
}


class _File(io.RawIOBase):
    """Lines of CSV as a readable file, for pyarrow."""

    def __init__(self, batches: Iterable[Lines]) -> None:
        self._pieces = join_pieces(batches)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of `buffer`."""
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        number = min(len(buffer), len(self._left))
        buffer[:number] = self._left[:number]
        self._left = self._left[number:]
        return number


def write_parquet(batches: Iterable[Lines], columns: Sequence[Column], file: IO[bytes]) -> int:
    """Convert CSV with a heading to Parquet, a block at a time. Gives the number of rows."""
    import pyarrow as pa  # noqa: PLC0415  # 40 MB that only an export to Parquet needs
    from pyarrow import csv as arrow_csv  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types = {
        Kind.TEXT: pa.string(), Kind.WHOLE: pa.int64(), Kind.REFERENCE: pa.int64(), Kind.DECIMAL: pa.float64(),
        Kind.DAY: pa.date32(), Kind.SEALED: pa.string(),
    }  # fmt: skip
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    number = 0
    reader = arrow_csv.open_csv(
        io.BufferedReader(_File(batches), PIECE_BYTES),
        read_options=arrow_csv.ReadOptions(use_threads=False, block_size=4 * PIECE_BYTES),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    with parquet.ParquetWriter(file, schema, compression="zstd") as out:
        for batch in reader:
            number += batch.num_rows
            out.write_batch(batch)
    return number
