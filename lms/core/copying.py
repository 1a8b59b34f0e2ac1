"""Tables of a million rows and more, by `COPY … TO STDOUT`: the database writes the text, and nothing here holds the rows.

A row costs a server's time once, in PostgreSQL's own CSV writer. The rule against formulas is part of the query, so the
bytes go to the file as they come.
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
from lms.core.exports import CONTROL, FORMULA, Cell

PIECE_BYTES = 1024 * 1024  # bytes
AHEAD = 4  # pieces
AT_ONCE = 4000  # lines

# What Python's str.lstrip takes away.
SPACES = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)


class Kind(StrEnum):
    """What a column holds. Only a text can become a formula, and a sealed one once it is open."""

    TEXT = "text"
    WHOLE = "whole"
    DECIMAL = "decimal"
    DAY = "day"
    SEALED = "sealed"


@dataclass(frozen=True)
class Column:
    """One column: its name for programs, what it holds, and the expression. words: shown instead of the codes of a text."""

    name: str
    kind: Kind
    value: SQLColumnExpression[Any]
    words: Mapping[str, str] | None = None


# Makes the text of a sealed cell. Neither holds a comma, a quotation mark or the end of a line. Bytes, for it is called a
# million times: what is not done there is what the file takes less.
Unseal = Callable[[bytes], bytes]
# Some lines, each with its end. Lists, because what is done with each line of a million is dear in Python.
Lines = Sequence[bytes]
# How the texts of a sealed column begin that no spreadsheet takes for a formula.
USUAL = tuple(b"%d" % digit for digit in range(10))


@dataclass(frozen=True)
class Table:
    """Columns of a SELECT. rows: the SELECT, without its columns.

    unseal: where the last column is sealed, what opens it, which only this process can.
    """

    columns: Sequence[Column]
    rows: Select[*tuple[Any, ...]]
    unseal: Unseal | None = None

    def unseal_for_csv(self) -> Unseal | None:
        """`unseal`, for a file that a spreadsheet reads from text."""
        unseal = self.unseal
        if unseal is None:
            return None

        def guarded_text(sealed: bytes) -> bytes:
            text = unseal(sealed)
            return text if text.startswith(USUAL) else exports.escape_formula(text.decode()).encode()

        return guarded_text

    def shown(self) -> Select[*tuple[Any, ...]]:
        """For people, in a file that a spreadsheet reads from text: words for codes, and no formula."""
        return self.rows.with_only_columns(*(_shown(column) for column in self.columns), maintain_column_froms=True)

    def worded(self) -> Select[*tuple[Any, ...]]:
        """For people, where each cell has a type: words for codes."""
        return self.rows.with_only_columns(*(_worded(column) for column in self.columns), maintain_column_froms=True)

    def plain(self) -> Select[*tuple[Any, ...]]:
        """For programs: codes and texts as they are."""
        named: list[Any] = [column.value.label(column.name) for column in self.columns]
        return self.rows.with_only_columns(*named, maintain_column_froms=True)


def escape_formula(text: SQLColumnExpression[str]) -> ColumnElement[str]:
    """`lms.core.exports.escape_formula`, in SQL.

    Nearly every text begins with an ordinary letter, which one comparison tells, by code points whatever the database's
    order is; only the rest is looked at closely.
    """
    order = collate(text, "C")
    usual = or_(and_(order >= "A", order <= "z"), and_(order >= "\u3001", order <= "\ufeff"))
    suspicious = or_(func.left(text, 1).in_(CONTROL), func.left(func.ltrim(text, literal(SPACES)), 1).in_([*FORMULA]))
    return case((usual, text), (suspicious, literal("'").concat(text)), else_=text)


def _worded(column: Column) -> SQLColumnExpression[Any]:
    if not column.words:
        return column.value
    return case(dict(column.words), value=column.value, else_=column.value)


def _shown(column: Column) -> SQLColumnExpression[Any]:
    return escape_formula(_worded(column)) if column.kind is Kind.TEXT else column.value


def copy_rows(
    connection: Connection, rows: Select[*tuple[Any, ...]], unseal: Unseal | None = None, *, heading: bool = False
) -> Iterator[Lines]:
    """The lines of a SELECT as CSV, some thousands at a time. heading: the columns' names first, by themselves.

    unseal: makes the text of the last column, as `Table.unseal`.
    """
    # COPY takes none of the server's parameters, so the driver writes them in.
    statement, values = driver_statement(rows)
    options = "FORMAT csv, HEADER true" if heading else "FORMAT csv"
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY ({statement}) TO STDOUT ({options})", values) as copy:
        rest = iter(copy)
        if heading:
            yield [bytes(next(rest))]
        while lines := list(islice(rest, AT_ONCE)):
            yield lines if unseal is None else [_unsealed(bytes(line), unseal) for line in lines]


def _unsealed(line: bytes, unseal: Unseal) -> bytes:
    begin = line.rfind(b",") + 1
    sealed = line[begin:-1]
    return line[:begin] + unseal(sealed) + b"\n" if sealed else line


def join_pieces(made: Iterable[Lines], size: int = PIECE_BYTES) -> Iterator[bytes]:
    """Lines gathered to pieces of about `size`."""
    gathered: list[bytes] = []
    length = 0
    for lines in made:
        gathered.append(b"".join(lines))
        length += len(gathered[-1])
        if length >= size:
            yield b"".join(gathered)
            gathered.clear()
            length = 0
    if gathered:
        yield b"".join(gathered)


@contextmanager
def produce_ahead(made: Generator[bytes]) -> Generator[Iterator[bytes]]:
    """Pieces made in a thread of their own, a few ahead, while those before them are being put where they belong.

    An error of the thread comes out where its piece would have.
    """
    with ThreadPoolExecutor(1) as thread:

        def following() -> bytes | None:
            return next(made, None)

        def asked() -> Future[bytes | None]:
            return thread.submit(copy_context().run, following)

        def taken() -> Iterator[bytes]:
            waiting = deque(asked() for _ in range(AHEAD))
            while (piece := waiting.popleft().result()) is not None:
                waiting.append(asked())
                yield piece

        try:
            yield taken()
        finally:
            thread.shutdown(cancel_futures=True)
            made.close()


def typed_rows(made: Iterable[Lines], columns: Sequence[Column]) -> Iterator[Sequence[Cell]]:
    """The lines' values by the type of each column; an empty one is None."""
    read = [_READ[column.kind] for column in columns]
    for row in csv.reader(bytes(line).decode() for lines in made for line in lines):
        yield [reader(value) if value else None for reader, value in zip(read, row, strict=True)]


_READ: Mapping[Kind, Callable[[str], Cell]] = {
    Kind.TEXT: str,
    Kind.WHOLE: int,
    Kind.DECIMAL: float,
    Kind.DAY: date.fromisoformat,
    Kind.SEALED: str,
}


class _File(io.RawIOBase):
    """Lines as a file to read from, for a library that asks for one."""

    def __init__(self, made: Iterable[Lines]) -> None:
        self._pieces = join_pieces(made)
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


def write_parquet(made: Iterable[Lines], columns: Sequence[Column], file: IO[bytes]) -> int:
    """CSV with a heading to Parquet, a block at a time. Gives the number of rows."""
    import pyarrow as pa  # noqa: PLC0415  # 40 MB that only an export to Parquet needs
    from pyarrow import csv as arrow_csv  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types = {
        Kind.TEXT: pa.string(), Kind.WHOLE: pa.int64(), Kind.DECIMAL: pa.float64(), Kind.DAY: pa.date32(),
        Kind.SEALED: pa.string(),
    }  # fmt: skip
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    number = 0
    reader = arrow_csv.open_csv(
        io.BufferedReader(_File(made), PIECE_BYTES),
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
