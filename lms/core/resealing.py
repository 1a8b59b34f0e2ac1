"""Sealing everything anew with the newest field key, while the system runs.

The first byte of each ciphertext is the number of its key, so the rows themselves say what is left to do: the work can be
stopped at any time and goes on where it stopped. A batch is one short transaction. It takes rows that nobody else has
locked, so that no request waits for it longer than for a few rows, and it writes a row only if its ciphertext is still the one
that was read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any

from cryptography.exceptions import InvalidTag
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import JSON, Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from lms.core import crypto, sealed_columns
from lms.core.crypto import UnknownKey
from lms.core.db import Base
from lms.core.sealed_columns import KeyedHashes, Sealed

LOCKED_ROWS = 0.1  # seconds to wait
MANY = 5000  # rows in memory
_NO_TIMEOUT = text("SET LOCAL statement_timeout = 0")  # a large table is counted whole


@dataclass(frozen=True)
class Sums:
    """The ciphertexts of one place, by the number of their key."""

    place: str
    by_key: dict[int, int]

    def beside(self, number: int) -> int:
        """How many are sealed with another key."""
        return sum(count for key, count in self.by_key.items() if key != number)


@dataclass
class Progress:
    """The state of the work at one table. unreadable: rows that no configured key opens, by table and primary key."""

    table: str
    done: int
    total: int
    unreadable: list[str]


def count(db: Session) -> list[Sums]:
    """Count the ciphertexts of each place by the number of their key."""
    sums: dict[str, Sums] = {}
    db.execute(_NO_TIMEOUT)
    for table, places in sealed_columns.by_table().items():
        for sealed in places:
            query = f"SELECT {sealed.lead()} AS number, count(*) FROM {table} GROUP BY 1 ORDER BY 1"  # noqa: S608  # our own names
            place = sums.setdefault(sealed.place, Sums(sealed.place, {}))
            for number, many in db.execute(text(query)):
                if number is not None:
                    place.by_key[number] = place.by_key.get(number, 0) + many
    return list(sums.values())


def reseal(sessions: sessionmaker[Session], *, stopped: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
    """Seal every place anew with the newest key; yields after each batch, until nothing is left or `stopped` says so.

    Rows that others have locked are left for the next round. A row that no configured key opens is named and left. All tables
    are gone through again until nothing is found, because an import copies ciphertexts from one table to another.
    """
    unreadable: set[str] = set()
    found = True
    while found and not stopped():
        found = False
        for table, places in sealed_columns.by_table().items():
            left = total = _count_stale(sessions, places)
            progress = Progress(table, 0, total, sorted(_of(table, unreadable)))
            yield progress
            while left > len(_of(table, unreadable)) and not stopped():
                found = True
                yield from _round(sessions, places, progress, stopped)
                unreadable |= set(progress.unreadable)
                progress.unreadable = sorted(_of(table, unreadable))
                if left == (left := _count_stale(sessions, places)):
                    sleep(LOCKED_ROWS)  # others have locked all that is left


def _of(table: str, names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(f"{table} ")}


def _count_stale(sessions: sessionmaker[Session], places: Sequence[Sealed]) -> int:
    query = f"SELECT count(*) FROM {places[0].table} WHERE {_stale(places)}"  # noqa: S608  # our own names
    with sessions() as db:
        db.execute(_NO_TIMEOUT)
        return db.scalar(text(query), _parameters()) or 0


def end_hashes(sessions: sessionmaker[Session], hashes: KeyedHashes) -> int:
    """End hashes that depend on a former key, one person in each transaction; returns how many."""
    ended = 0
    while True:
        with sessions() as db, db.begin():
            many = hashes.end(db)
        if not many:
            return ended
        ended += many


def reseal_rows(db: Session, table: str, where: str, **parameters: Any) -> None:
    """Seal the rows of a table that meet a condition anew, in this transaction; waits for rows that others have locked.

    Raises ValueError for a row that no configured key opens.
    """
    places = sealed_columns.by_table()[table]
    statement = _selection(places, f"({where}) AND {_stale(places)}", f"LIMIT {MANY} FOR UPDATE")
    while rows := db.execute(statement, _parameters() | parameters).all():
        unreadable = _write(db, places, rows)
        if unreadable:
            raise ValueError(f"no configured key opens {unreadable[0]}")


def _round(
    sessions: sessionmaker[Session], places: Sequence[Sealed], progress: Progress, stopped: Callable[[], bool]
) -> Iterator[Progress]:
    """Go through the table once, by its primary key."""
    keys = _keys(places[0].table)
    after: dict[str, Any] = {}
    while not stopped():
        beyond = f"({', '.join(keys)}) > ({', '.join(f':after_{key}' for key in keys)}) AND " if after else ""
        condition = f"{beyond}{_stale(places)}"
        limit = min(sealed.batch for sealed in places)
        statement = _selection(places, condition, f"LIMIT {limit} FOR UPDATE SKIP LOCKED")
        try:
            with sessions() as db, db.begin():
                rows = db.execute(statement, _parameters() | after).all()
                progress.unreadable += _write(db, places, rows)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | LockNotAvailable):
                raise
            continue
        if not rows:
            return
        after = {f"after_{key}": getattr(rows[-1], key) for key in keys}
        progress.done += len(rows)
        yield progress


def _selection(places: Sequence[Sealed], condition: str, ending: str) -> Any:
    table = places[0].table
    keys = ", ".join(_keys(table))
    selected = {name: sql for sealed in places for name, sql in sealed.selected().items()}
    leads = ", ".join(f"{sealed.lead()} AS lead_{number}" for number, sealed in enumerate(places))
    columns = ", ".join(f"{sql} AS {name}" for name, sql in selected.items() if name not in _keys(table))
    query = f"SELECT {keys}, {leads}, {columns} FROM {table} WHERE {condition} ORDER BY {keys}"  # noqa: S608  # our own names
    return text(f"{query} {ending.replace('FOR UPDATE', f'FOR UPDATE OF {table}')}")


def _write(db: Session, places: Sequence[Sealed], rows: Sequence[Row[Any]]) -> list[str]:
    """Write the rows, sealed anew; returns the names of those that no key opens."""
    table, cipher, unreadable = places[0].table, crypto.cipher(), []
    keys = _keys(table)
    updates: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        read = dict(row._mapping)
        values: dict[str, Any] = {}
        try:
            for number, sealed in enumerate(places):
                if read[f"lead_{number}"] not in {None, cipher.number}:
                    sealed.sealed_anew(read, values, cipher)
        except (InvalidTag, UnknownKey):
            unreadable.append(f"{table} {', '.join(str(read[key]) for key in keys)}")
            continue
        updates.setdefault(tuple(values), []).append(
            {key: read[key] for key in keys}
            | {f"new_{name}": value for name, value in values.items()}
            | {f"old_{name}": read[name] for name in values if name in read}
        )
    for names, parameters in updates.items():
        db.execute(_update(table, names, parameters[0]), parameters)
    return unreadable


def _update(table: str, names: Sequence[str], parameters: Mapping[str, Any]) -> TextClause:
    """The statement that writes these columns of a row whose ciphertexts are still those that were read."""
    former = [name for name in names if f"old_{name}" in parameters]
    sets = ", ".join(f"{name} = :new_{name}" for name in names)
    same = " AND ".join([*(f"{key} = :{key}" for key in _keys(table)), *(f"{name} = :old_{name}" for name in former)])
    columns = Base.metadata.tables[table].columns
    json = [name for name in names if isinstance(columns[name].type, JSON)]
    return text(f"UPDATE {table} SET {sets} WHERE {same}").bindparams(  # noqa: S608  # our own names
        *(bindparam(f"new_{name}", type_=JSONB) for name in json),
        *(bindparam(f"old_{name}", type_=JSONB) for name in json if name in former),
    )


def _stale(places: Sequence[Sealed]) -> str:
    return "(" + " OR ".join(f"{sealed.lead()} <> :newest" for sealed in places) + ")"


def _parameters() -> dict[str, Any]:
    return {"newest": crypto.cipher().number}


def _keys(table: str) -> list[str]:
    return [column.name for column in Base.metadata.tables[table].primary_key.columns]
