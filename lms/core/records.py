"""Tables of record: rows that are only ever added. Blocks over them are sealed by `certificates.records`.

Each row bears the number of the transaction that wrote it, which the table's default sets: `pg_current_xact_id()` plus an
offset. All transactions below PostgreSQL's snapshot horizon are finished, so a row that commits late cannot slip behind a
sealed block. For example, transaction 500 writes a row and stays open; 501 commits. The horizon stays at 500, so neither
row is sealed before both transactions have ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import BigInteger, Column, Index, Table, Uuid, text

from lms.core.db import Base

NUMBER = "transaction_number"
DEFAULT = "(pg_current_xact_id()::text::bigint + {offset})"

_Model = TypeVar("_Model", bound=type[Base])


@dataclass(frozen=True, slots=True)
class RecordTable:
    """A table of record. key: its primary key, a bigint or (has_uuid) a UUID. moment: when the server wrote the row."""

    name: str
    key: str
    moment: str
    has_uuid: bool


_registered: dict[str, RecordTable] = {}


def of_record(moment: str) -> Callable[[_Model], _Model]:
    """Decorate the model of a table of record. moment: the column that the server sets when it writes the row.

    The transaction's number is a column of the table and no attribute of the model: the database sets it, and the
    sealing reads it.
    """

    def decorate(model: _Model) -> _Model:
        table: Any = model.__table__
        number = Column(NUMBER, BigInteger, nullable=False, server_default=text(DEFAULT.format(offset=0)))
        table.append_column(number)
        Index(f"ix_{table.name}_{NUMBER}", number)
        _register(table, moment)
        return model

    return decorate


def _register(table: Table, moment: str) -> None:
    (key,) = table.primary_key.columns
    _registered[table.name] = RecordTable(table.name, key.name, moment, isinstance(key.type, Uuid))


def registered() -> tuple[RecordTable, ...]:
    """The tables of record, by name."""
    return tuple(_registered[name] for name in sorted(_registered))


def continue_numbers(url: str) -> bool:
    """Raise the offset where the server's transaction counter is below the stored numbers; tell whether it was.

    A dump that is restored into another server brings the rows with their numbers, and that server counts from its own
    start. url: the address of the database for the owner of the tables. Call it before anything writes.
    """
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        tables = [name for (name,) in connection.execute(_NUMBERED)]
        if not tables:
            return False
        first = max(
            *(_largest(connection, name, NUMBER) + 1 for name in tables),
            _largest(connection, "record_block", "to_number"),
        )
        row = connection.execute(
            "SELECT number_offset, pg_snapshot_xmin(snapshot)::text::bigint, pg_snapshot_xmax(snapshot)::text::bigint"
            " FROM record_numbering, pg_current_snapshot() AS snapshot"
        ).fetchone()
        if row is None or row[2] + row[0] >= first:
            return False
        offset = first - row[1]  # a transaction that runs already may write a row after this one
        default = DEFAULT.format(offset=offset)
        for name in tables:
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER {} SET DEFAULT {}").format(
                    sql.Identifier(name), sql.Identifier(NUMBER), sql.SQL(default)
                )
            )
        connection.execute("UPDATE record_numbering SET number_offset = %s", [offset])
        return True


_NUMBERED = (
    "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'transaction_number' AND NOT attisdropped"
    " WHERE tgname = 'append_only' AND relnamespace = 'public'::regnamespace ORDER BY relname"
)


def _largest(connection: psycopg.Connection[Any], table: str, column: str) -> int:
    query = sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(sql.Identifier(column), sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0
