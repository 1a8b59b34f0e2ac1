"""The copy of the ledger in the memory of this process, which follows the database.

`current` compares the copy with the snapshot of the caller's session and gives the columns that this snapshot sees. The
whole ledger is read once in the life of a process. What is finished is then added to the copy; what is not finished, as
the caller's own changes, is added to the answer alone and never kept.

A transaction may commit after another that began later, so no largest id tells what is new. The rows bear the number of
their transaction (`lms.core.records`): all transactions below a snapshot's oldest running one are finished.
"""

from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.orm import Session

from courses.counting.ledger_columns import LedgerColumns, followed, read

# The oldest number that a snapshot's transactions may have, and the files of the two tables: emptying a table, as
# restoring a database, gives it another file.
_STATE = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + number_offset AS oldest,
    (SELECT oid FROM pg_database WHERE datname = current_database()) AS database,
    pg_relation_filenode('person_time_entry') AS ledger_file, pg_relation_filenode('participation') AS people_file,
    (SELECT min(transaction_number) FROM person_time_entry WHERE transaction_number >= :horizon) AS line,
    least(
        (SELECT min(changed_in) FROM participation WHERE changed_in >= :horizon),
        (SELECT min(changed_in) FROM former_participation WHERE changed_in >= :horizon)
    ) AS people
FROM record_numbering
"""
_NO_NUMBER = 2**62


class _Copy(NamedTuple):
    """The columns, and the files that they were read from."""

    files: tuple[int, int, int]
    columns: LedgerColumns


class _Kept:
    """The copy of one engine's database, and the lock that lets one thread read at a time."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.copy: _Copy | None = None


_kept: "WeakKeyDictionary[Engine, _Kept]" = WeakKeyDictionary()
_keeping = Lock()


def current(db: Session) -> LedgerColumns:
    """Return the ledger as the session's snapshot has it."""
    db.flush()
    engine = db.get_bind().engine
    with _keeping:
        kept = _kept.setdefault(engine, _Kept())
    copy, state = kept.copy, _state_of(db, kept.copy)
    if copy is None or _is_outdated(copy, state):
        copy = _refreshed(kept, engine, state)
        state = _state_of(db, copy)
    since = min(state.oldest, copy.columns.horizon)
    unfinished = state.line is not None or state.people is not None
    if not unfinished and not copy.columns.holds_from(since):
        return copy.columns
    return followed(copy.columns, db.connection(), since, since)


def _state_of(db: Session | Connection, copy: _Copy | None) -> Row[Any]:
    horizon = _NO_NUMBER if copy is None else copy.columns.horizon
    return db.execute(text(_STATE), {"horizon": horizon}).one()


def _files(state: Row[Any]) -> tuple[int, int, int]:
    return state.database, state.ledger_file, state.people_file


def _is_outdated(copy: _Copy, state: Row[Any]) -> bool:
    """True if the copy is of other files, or lacks what a finished transaction wrote."""
    if copy.files != _files(state):
        return True
    first = min(number for number in (state.line, state.people, _NO_NUMBER) if number is not None)
    return bool(first < state.oldest)


def _refreshed(kept: _Kept, engine: Engine, state: Row[Any]) -> _Copy:
    """Read what is missing by a connection of its own, which sees one snapshot and nothing that is not committed."""
    with kept.lock:
        copy = kept.copy
        if copy is not None and copy.files == _files(state) and copy.columns.horizon >= state.oldest:
            return copy  # another thread has read it meanwhile
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            now = _state_of(connection, copy)
            connection.execute(text("SET LOCAL work_mem = '64MB'"))
            if copy is None or copy.files != _files(now):
                columns = read(connection, now.oldest)
            else:
                columns = followed(copy.columns, connection, copy.columns.horizon, now.oldest)
            connection.rollback()
        kept.copy = _Copy(_files(now), columns)
        return kept.copy
