"""The canonical text of rows of record, and the order in which blocks hold them.

A row's text is its line of `COPY … TO STDOUT` in PostgreSQL's text format: transaction number, key, then the other
columns. Time zone, date style and the format of bytes are set, so that the text is the same on every server. Rows are
ordered by transaction number and key.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, text

from lms.core.records import NUMBER, RecordTable

DOMAIN = "lms sealed records, 1"
FORMATS = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "bytea_output": "hex",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
    "row_security": "off",  # a policy that hides rows from the reader is an error then
    "statement_timeout": "0",  # the first block may hold millions of rows
}
_SIGN = 1 << 63


class Row(NamedTuple):
    """A row: the moment that the server set (seconds since 1970), transaction number, key and canonical text."""

    moment: int
    number: int
    key: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Boundary:
    """The end of a block. Without a key: after all rows with a smaller transaction number. With one: after that row."""

    number: int
    key: str | None = None

    def precedes(self, row: Row, table: RecordTable) -> bool:
        """Tell whether the row lies behind this boundary."""
        if row.number != self.number or self.key is None:
            return row.number >= self.number
        if table.has_uuid:
            return row.key > self.key  # PostgreSQL writes them in lower case, so the texts sort as the bytes
        return int(row.key) > int(self.key)


class Digest:
    """The SHA-256 of a block: its table, columns and range, the digest of the block before, and its rows in order."""

    def __init__(self, table: str, columns: Sequence[str], begin: Boundary, end: Boundary, previous: bytes) -> None:
        head = [DOMAIN, table, list(columns), [begin.number, begin.key], [end.number, end.key], previous.hex()]
        self._hash = hashlib.sha256(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def add(self, rows: Sequence[Row]) -> Self:
        """Add rows, which end with a line break each."""
        self._hash.update(b"".join([row.line for row in rows]))
        return self

    def value(self) -> bytes:
        """The 32 bytes."""
        return self._hash.digest()


def key_bytes(table: RecordTable, key: str) -> bytes:
    """The key as 8 or 16 bytes that sort as PostgreSQL sorts the keys."""
    return UUID(key).bytes if table.has_uuid else (int(key) + _SIGN).to_bytes(8, "big")


def key_text(table: RecordTable, raw: bytes) -> str:
    """The key of these bytes, as `key_bytes` makes them."""
    return str(UUID(bytes=raw)) if table.has_uuid else str(int.from_bytes(raw, "big") - _SIGN)


def set_formats(connection: Connection) -> None:
    """Set what decides the text of a value, for the connection's transaction."""
    for name, value in FORMATS.items():
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})


def columns_of(connection: Connection, table: RecordTable) -> list[str]:
    """The table's columns in canonical order: transaction number, key, and the others as they were added."""
    query = text(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    )
    names = list(connection.scalars(query, {"name": f"public.{table.name}"}))
    return [NUMBER, table.key, *(name for name in names if name not in {NUMBER, table.key})]


def rows(
    connection: Connection, table: RecordTable, columns: Sequence[str], begin: Boundary | None, end: Boundary | None
) -> Iterator[Row]:
    """Read the rows behind one boundary up to another, in order and one at a time in memory.

    The connection cannot execute anything else until the last row was read.
    """
    number, key = sql.Identifier(NUMBER), sql.Identifier(table.key)
    conditions: list[sql.Composable] = [sql.SQL("true")]
    if begin is not None:
        conditions.append(sql.SQL("{} >= {}").format(number, begin.number))
        if begin.key is not None:
            conditions.append(
                sql.SQL("({} > {} OR {} > {})").format(number, begin.number, key, _value(table, begin.key))
            )
    if end is not None and end.key is None:
        conditions.append(sql.SQL("{} < {}").format(number, end.number))
    elif end is not None and end.key is not None:
        conditions.append(sql.SQL("{} <= {}").format(number, end.number))
        conditions.append(sql.SQL("({} < {} OR {} <= {})").format(number, end.number, key, _value(table, end.key)))
    moment = sql.Identifier(table.moment)
    query = sql.SQL(
        "COPY (SELECT CASE WHEN isfinite({moment}) THEN floor(extract(epoch FROM {moment}))::bigint ELSE 0 END, {columns}"
        " FROM public.{table} WHERE {conditions} ORDER BY {number}, {key}) TO STDOUT"
    ).format(
        moment=moment,
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(table.name),
        conditions=sql.SQL(" AND ").join(conditions),
        number=number,
        key=key,
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(query) as lines:
        for data in lines:
            seconds, line = bytes(data).split(b"\t", 1)
            transaction, name, _rest = line.split(b"\t", 2)
            yield Row(int(seconds), int(transaction), name.decode(), line)


def _value(table: RecordTable, key: str) -> sql.Literal:
    return sql.Literal(UUID(key) if table.has_uuid else int(key))
