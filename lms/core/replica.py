"""Reports from a streaming replica, so that long queries take no processor time from check-ins.

The lag of the replica is measured at most once a second and shown on the page. While the replica is unreachable, or
behind by more than the limit, reports are read from the primary. A replica that is unreachable is tried again every few
seconds by one request alone, with a short time-out; no other request waits for it. A browser that saved something reads
from the primary until the replica has replayed what it saved.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

import psycopg
import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.engine import make_engine
from lms.core.transactions import make_sessions

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 10.0  # between attempts to reach a replica that was unreachable
CONNECT_SECONDS = 2
HUNG_SECONDS = 3.0  # after which a measurement counts as not answered
CATCH_UP_SECONDS = 0.1  # within which a replica that streams replays what the primary had
STEP_SECONDS = 0.01
EXPORT_SECONDS = 5.0  # the wait before an export, which takes longer than that
REMEMBERED = 300  # measurements
CLOCK_MARGIN_SECONDS = 60.0  # clocks of web servers differ
CONFLICTS = {"40001", "40P01"}  # SQLSTATEs by which the replay cancels a read-only transaction

# TCP time-outs. Without them a request waits for a quarter of an hour after the network to the replica failed.
SILENCE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 6000}

_PRIMARY = text(
    "SELECT clock_timestamp(), (pg_current_wal_lsn() - '0/0')::bigint,"
    " (SELECT system_identifier FROM pg_control_system()), current_database()"
)
_STANDBY = text("SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()), current_database()")
_REPLAYED = text("SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint, pg_last_xact_replay_timestamp()")
# The position up to which the log is written, which includes every commit (while `synchronous_commit` is on). The
# insert position may be further, and a replica would not reach it before the next commit.
_WRITTEN = text("SELECT (pg_current_wal_lsn() - '0/0')::bigint")


class Unavailable(StrEnum):
    """The reason why reports are read from the primary."""

    GONE = "gone"
    BEHIND = "behind"
    LACKS_OWN = "lacks_own"  # it has not replayed yet what this browser saved


@dataclass(frozen=True)
class Freshness:
    """How fresh the data of a report is.

    as_of: all that was saved until then is included. seconds: the lag of the replica.
    """

    as_of: datetime
    seconds: float = 0.0
    unavailable: Unavailable | None = None

    @property
    def from_replica(self) -> bool:
        """True if the report is read from the replica."""
        return self.unavailable is None


@dataclass(frozen=True)
class WritePosition:
    """The position of the primary's log after a browser saved something. at: seconds since 1970."""

    position: int
    at: float


class Replica:
    """The replica of a primary. limit: the lag in seconds up to which reports are read from it."""

    def __init__(self, url: str, primary: Engine, *, limit: float) -> None:
        self._engine = make_engine(url, reads_only=True, connect_seconds=CONNECT_SECONDS, libpq=SILENCE)
        self._sessions = make_sessions(self._engine)
        # In autocommit mode, because an open transaction would delay the replay that is waited for.
        self._autocommit_engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._primary = primary
        self._limit = limit
        self._measuring = Lock()
        self._measuring_since = 0.0
        self._last: Freshness | None = None
        self._next_measurement = 0.0
        self._replayed = 0
        self._primary_positions: deque[tuple[datetime, int]] = deque(maxlen=REMEMBERED)
        self._answers: Counter[str] = Counter()

    def freshness(self, written: WritePosition | None = None) -> Freshness:
        """Decide for one request whether it reads from the replica, by a measurement that is at most a second old.

        written: the position of what this browser saved last, which the replica must have replayed.
        """
        freshness = self._freshness_for(written)
        self._answers[freshness.unavailable or "replica"] += 1
        return freshness

    def standing(self) -> dict[str, object]:
        """The state for the health check, and how many reports of this process were read from where."""
        last = self._current()
        return {
            "state": last.unavailable or "ok",
            "seconds_behind": round(last.seconds, 1),
            "answers": {str(who): count for who, count in sorted(self._answers.items())},
        }

    def session(self) -> Session:
        """A session on the replica: one read-only transaction, so that all figures of a page are of one moment."""
        return self._sessions()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to the replica."""
        with self._engine.connect() as opened:
            yield opened

    def written(self) -> WritePosition | None:
        """The current position of the primary's log; None where the primary does not answer."""
        try:
            with self._primary.connect() as connection:
                return WritePosition(connection.execute(_WRITTEN).scalar_one(), clock.now().timestamp())
        except SQLAlchemyError:
            return None

    def has_all(self) -> bool:
        """Tell whether the replica has all that the primary has now.

        Waits some seconds; this is for the worker, not for a page.
        """
        if not self._current().from_replica:
            return False
        now = self.written()
        return now is not None and self._reaches(now.position, EXPORT_SECONDS)

    def lost(self, error: Exception) -> bool:
        """Tell whether an error was caused by the replica, so that the query can be repeated on the primary.

        Either the replay cancelled the query, or the replica is unreachable. Then its state is GONE and its connections
        are closed.
        """
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = getattr(cause, "sqlstate", None)
        if state in CONFLICTS:
            log.warning("replica_conflict", code=state)
            return True
        if not isinstance(cause, psycopg.OperationalError) or not (state is None or state.startswith(("08", "57P"))):
            return False
        self._set(Freshness(clock.now(), unavailable=Unavailable.GONE))
        return True

    def dispose(self) -> None:
        """Close the connections to the replica."""
        self._engine.dispose()

    def _freshness_for(self, written: WritePosition | None) -> Freshness:
        last = self._current()
        if not last.from_replica:
            return Freshness(clock.now(), last.seconds, last.unavailable)
        # A replica whose lag is within the limit has all that is older than the limit.
        recent = written is not None and clock.now().timestamp() - written.at < self._limit + CLOCK_MARGIN_SECONDS
        if written is not None and recent and not self._reaches(written.position, CATCH_UP_SECONDS):
            return Freshness(clock.now(), unavailable=Unavailable.LACKS_OWN)
        return last

    def _current(self) -> Freshness:
        now = time.monotonic()
        if now >= self._next_measurement:
            if self._measuring.acquire(blocking=False):
                self._measuring_since = now
                try:
                    self._set(self._measure())
                finally:
                    self._measuring.release()
            elif now - self._measuring_since > HUNG_SECONDS:
                return Freshness(clock.now(), unavailable=Unavailable.GONE)
        return self._last or Freshness(clock.now(), unavailable=Unavailable.GONE)

    def _set(self, freshness: Freshness) -> None:
        before = self._last
        if before is None or freshness.unavailable is not before.unavailable:
            tell = log.info if freshness.from_replica else log.warning
            tell("replica", state=freshness.unavailable or "ok", seconds=round(freshness.seconds, 1))
        gone = freshness.unavailable is Unavailable.GONE
        self._last = freshness
        self._next_measurement = time.monotonic() + (PAUSE_SECONDS if gone else LOOK_SECONDS)
        if gone:
            self._engine.dispose()

    def _measure(self) -> Freshness:
        with self._primary.connect() as connection:
            asked, position, *cluster = connection.execute(_PRIMARY).one()
        self._primary_positions.append((asked, position))
        try:
            with self._autocommit_engine.connect() as connection:  # one that was promoted, or another's, answers too
                recovering, *other = connection.execute(_STANDBY).one()
            if not recovering or other != cluster:
                log.error("replica_is_none", state="another" if recovering else "promoted")
                return Freshness(asked, unavailable=Unavailable.GONE)
            caught_up, replayed = self._replay(position, CATCH_UP_SECONDS)
        except SQLAlchemyError as error:
            log.warning("replica_unreachable", error=type(error).__name__)
            return Freshness(asked, unavailable=Unavailable.GONE)
        if caught_up:
            return Freshness(asked)
        # The later of two things that it surely has: the last change it replayed, and a position that was looked at.
        times = [moment for moment, reached in self._primary_positions if reached <= self._replayed]
        as_of = max([*times, *([replayed] if replayed else [])], default=None)
        if as_of is None:
            return Freshness(asked, unavailable=Unavailable.BEHIND)
        behind = max(0.0, (asked - as_of).total_seconds())
        return Freshness(as_of, behind, Unavailable.BEHIND if behind > self._limit else None)

    def _reaches(self, position: int, seconds: float) -> bool:
        if self._replayed >= position:
            return True
        try:
            return self._replay(position, seconds)[0]
        except SQLAlchemyError as error:
            self.lost(error)
            return False

    def _replay(self, position: int, seconds: float) -> tuple[bool, datetime | None]:
        """Wait until a position is replayed, `seconds` at most.

        Gives whether it is, and the commit time of the last replay.
        """
        until = time.monotonic() + seconds
        with self._autocommit_engine.connect() as connection:
            while True:
                replayed, saved = connection.execute(_REPLAYED).one()
                self._replayed = replayed or 0
                if self._replayed >= position or time.monotonic() >= until:
                    return self._replayed >= position, saved
                time.sleep(STEP_SECONDS)
