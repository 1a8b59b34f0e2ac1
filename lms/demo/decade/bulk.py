"""Filling empty tables as fast as PostgreSQL can: constraints and indexes are taken off, rows come by COPY, all is put back.

Everything happens in the one transaction of the connection that is filled, so that it is there whole or not at all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from psycopg import Connection, sql

Line = bytes | bytearray | memoryview
PIECE = 256 * 1024  # bytes handed over at once

# Foreign keys first, also those of other tables that point here, and the triggers that stand for some; then keys and
# exclusions; then what is an index only. Such a trigger would look each row up in a table whose key is off.
_BURDEN = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
    CASE contype WHEN 'f' THEN 0 ELSE 1 END AS turn
FROM pg_constraint
WHERE (contype IN ('p', 'u', 'x') AND conrelid = ANY (%(tables)s::regclass[]))
    OR (contype = 'f' AND (conrelid = ANY (%(tables)s::regclass[]) OR confrelid = ANY (%(tables)s::regclass[])))
UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid), 2
FROM pg_index
WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
UNION ALL
SELECT format('ALTER TABLE %%s DISABLE TRIGGER %%I', tgrelid::regclass, tgname),
    format('ALTER TABLE %%s ENABLE TRIGGER %%I', tgrelid::regclass, tgname), 0
FROM pg_trigger
WHERE tgrelid = ANY (%(tables)s::regclass[]) AND starts_with(tgname, 'demand_references')
ORDER BY 3
"""

_KINDS = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
)


def strip(target: Connection[Any], tables: Sequence[str]) -> list[str]:
    """Take every index and constraint but the checks off; returns the statements that put them back, in their order.

    The tables are emptied too (they must be empty already): only then are rows written as seen by everybody, which
    saves the database a second pass over them.
    """
    burden = target.execute(_BURDEN, {"tables": list(tables)}).fetchall()
    for drop, _restore, _turn in burden:
        target.execute(drop)
    target.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
    return [restore for _drop, restore, _turn in sorted(burden, key=lambda row: (row[2] == 0, row[2]))]


def prove(target: Connection[Any], table: str, column: str, parent: str) -> None:
    """Hold a reference that triggers keep against all rows that came while they were off. Raises psycopg's error for one."""
    identifiers = {
        name: sql.Identifier(value) for name, value in (("table", table), ("column", column), ("parent", parent))
    }
    target.execute(
        sql.SQL("ALTER TABLE {table} ADD CONSTRAINT proof FOREIGN KEY ({column}) REFERENCES {parent} (id)").format(
            **identifiers
        )
    )
    target.execute(sql.SQL("ALTER TABLE {table} DROP CONSTRAINT proof").format(**identifiers))


def pour(
    source: Connection[Any], query: sql.Composable, target: Connection[Any], table: str, *, frozen: bool = True
) -> Iterator[int]:
    """Copy a query's rows on one connection into a table on another; gives the number of rows with each piece.

    The query's columns are named as the table's. The two servers' processes work at the same time. frozen: the table was
    emptied in this transaction, by `strip`.
    """
    described = source.execute(sql.SQL("SELECT * FROM ({}) AS line LIMIT 0").format(query)).description or ()
    columns = [column.name for column in described]
    kinds = dict(target.execute(_KINDS, (table,)).fetchall())
    cast = sql.SQL(", ").join(sql.SQL("{}::{}").format(sql.Identifier(name), sql.SQL(kinds[name])) for name in columns)
    read = sql.SQL("COPY (SELECT {} FROM ({}) AS line) TO STDOUT (FORMAT binary)").format(cast, query)
    with source.cursor().copy(read) as rows:
        yield from _write(target, table, columns, rows, "FORMAT binary, FREEZE" if frozen else "FORMAT binary")


def pour_through(
    source: Connection[Any],
    query: sql.Composable,
    target: Connection[Any],
    table: str,
    *,
    columns: Sequence[str],
    change: Callable[[bytes], bytes],
    frozen: bool = True,
) -> Iterator[int]:
    """The same with lines of text (PostgreSQL's own, fields between tabs), each changed on its way."""
    with source.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as rows:
        yield from _write(target, table, columns, map(change, map(bytes, rows)), "FREEZE" if frozen else "FORMAT text")


def _write(
    target: Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Line], options: str
) -> Iterator[int]:
    write = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(options)
    )
    with target.cursor().copy(write) as into:
        piece = bytearray()
        number = 0
        for row in rows:
            piece += row
            number += 1
            if len(piece) >= PIECE:
                into.write(bytes(piece))
                piece.clear()
                yield number
                number = 0
        into.write(bytes(piece))
        yield number
