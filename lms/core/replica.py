"""Reports from a streaming replica, so that long questions take nothing from the check-ins at the door.

How far the replica is behind is looked at once a second at most, and told on the page. One that is gone, or behind by more
than the limit, is not asked: the primary answers. While it is gone it is tried again every few seconds by one request alone,
with a short time-out; no other request waits for it. A browser that saved something sees it: the primary answers until the
replica has it.
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
PAUSE_SECONDS = 10.0  # between tries to reach one that is gone
CONNECT_SECONDS = 2
HUNG_SECONDS = 3.0  # a look that takes longer looks at one that does not answer
CATCH_UP_SECONDS = 0.1  # a replica that streams has in that time what the primary had
STEP_SECONDS = 0.01
EXPORT_SECONDS = 5.0  # an export takes longer than that
REMEMBERED = 300  # looks
CLOCK_MARGIN_SECONDS = 60.0  # clocks of web servers differ
CONFLICTS = {"40001", "40P01"}  # in a transaction that only reads, these say that the replay could not wait for it

# Ends a question to a machine that fell silent; without it a dead network holds a page for a quarter of an hour.
SILENCE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 6000}

_PRIMARY = text(
    "SELECT clock_timestamp(), (pg_current_wal_lsn() - '0/0')::bigint,"
    " (SELECT system_identifier FROM pg_control_system()), current_database()"
)
_STANDBY = text("SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()), current_database()")
_REPLAYED = text("SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint, pg_last_xact_replay_timestamp()")
# All that was saved, since a commit waits until it is written (`synchronous_commit` is on unless somebody turned it off). What is
# only inserted may lie there until the next commit, and no replica would get there.
_WRITTEN = text("SELECT (pg_current_wal_lsn() - '0/0')::bigint")


class Unavailable(StrEnum):
    """Why the primary answers instead."""

    GONE = "gone"
    BEHIND = "behind"
    LACKS_OWN = "lacks_own"  # what this browser saved a moment ago


@dataclass(frozen=True)
class Freshness:
    """Whose data a report shows. as_of: everything saved until then is in it. seconds: how far the replica was behind."""

    as_of: datetime
    seconds: float = 0.0
    unavailable: Unavailable | None = None

    @property
    def from_replica(self) -> bool:
        """Whether the replica answers."""
        return self.unavailable is None


@dataclass(frozen=True)
class WritePosition:
    """How far the primary's log was when a browser had saved something. at: seconds since 1970."""

    position: int
    at: float


class Replica:
    """The replica of a primary. limit: seconds that it may be behind and still be asked."""

    def __init__(self, url: str, primary: Engine, *, limit: float) -> None:
        self._engine = make_engine(url, reads_only=True, connect_seconds=CONNECT_SECONDS, libpq=SILENCE)
        self._sessions = make_sessions(self._engine)
        # Each question by itself: an open transaction would hold up the replay that is waited for.
        self._asking = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._primary = primary
        self._limit = limit
        self._looking = Lock()
        self._looks_since = 0.0
        self._last: Freshness | None = None
        self._next_look = 0.0
        self._replayed = 0
        self._seen: deque[tuple[datetime, int]] = deque(maxlen=REMEMBERED)
        self._answers: Counter[str] = Counter()

    def freshness(self, written: WritePosition | None = None) -> Freshness:
        """Who is to answer one request, and how fresh that is, as of a second ago at most.

        written: what this browser saved last; the replica answers only once it has it.
        """
        found = self._found(written)
        self._answers[found.unavailable or "replica"] += 1
        return found

    def standing(self) -> dict[str, object]:
        """For the health check: how it stands, and who answered this process's reports so far."""
        last = self._current()
        return {
            "state": last.unavailable or "ok",
            "seconds_behind": round(last.seconds, 1),
            "answers": {str(who): count for who, count in sorted(self._answers.items())},
        }

    def session(self) -> Session:
        """A session on it: one transaction that only reads, so that all figures of a page are of one moment."""
        return self._sessions()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to it."""
        with self._engine.connect() as opened:
            yield opened

    def written(self) -> WritePosition | None:
        """How far the primary's log is now; None when it does not answer."""
        try:
            with self._primary.connect() as connection:
                return WritePosition(connection.execute(_WRITTEN).scalar_one(), clock.now().timestamp())
        except SQLAlchemyError:
            return None

    def has_all(self) -> bool:
        """Whether it has all that the primary has now. Waits some seconds for it: for the worker, not for a page."""
        if not self._current().from_replica:
            return False
        now = self.written()
        return now is not None and self._reaches(now.position, EXPORT_SECONDS)

    def lost(self, error: Exception) -> bool:
        """Whether a failed question is the replica's own unavailable, so that the primary is to be asked.

        It was ended by the replay, or nobody is there any more: then it counts as gone, and its connections are closed.
        """
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = getattr(cause, "sqlstate", None)
        if state in CONFLICTS:
            log.warning("replica_conflict", code=state)
            return True
        if not isinstance(cause, psycopg.OperationalError) or not (state is None or state.startswith(("08", "57P"))):
            return False
        self._keep(Freshness(clock.now(), unavailable=Unavailable.GONE))
        return True

    def dispose(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _found(self, written: WritePosition | None) -> Freshness:
        last = self._current()
        if not last.from_replica:
            return Freshness(clock.now(), last.seconds, last.unavailable)
        # One that is behind by no more than the limit has all that is older than that.
        recent = written is not None and clock.now().timestamp() - written.at < self._limit + CLOCK_MARGIN_SECONDS
        if written is not None and recent and not self._reaches(written.position, CATCH_UP_SECONDS):
            return Freshness(clock.now(), unavailable=Unavailable.LACKS_OWN)
        return last

    def _current(self) -> Freshness:
        now = time.monotonic()
        if now >= self._next_look:
            if self._looking.acquire(blocking=False):
                self._looks_since = now
                try:
                    self._keep(self._look())
                finally:
                    self._looking.release()
            elif now - self._looks_since > HUNG_SECONDS:
                return Freshness(clock.now(), unavailable=Unavailable.GONE)
        return self._last or Freshness(clock.now(), unavailable=Unavailable.GONE)

    def _keep(self, found: Freshness) -> None:
        before = self._last
        if before is None or found.unavailable is not before.unavailable:
            tell = log.info if found.from_replica else log.warning
            tell("replica", state=found.unavailable or "ok", seconds=round(found.seconds, 1))
        gone = found.unavailable is Unavailable.GONE
        self._last = found
        self._next_look = time.monotonic() + (PAUSE_SECONDS if gone else LOOK_SECONDS)
        if gone:
            self._engine.dispose()

    def _look(self) -> Freshness:
        with self._primary.connect() as connection:
            asked, position, *cluster = connection.execute(_PRIMARY).one()
        self._seen.append((asked, position))
        try:
            with self._asking.connect() as connection:  # one that was promoted, or another's, answers too
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
        times = [moment for moment, reached in self._seen if reached <= self._replayed]
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
        """Wait until a position is replayed, no longer than that; and when what was replayed last had been saved."""
        until = time.monotonic() + seconds
        with self._asking.connect() as connection:
            while True:
                replayed, saved = connection.execute(_REPLAYED).one()
                self._replayed = replayed or 0
                if self._replayed >= position or time.monotonic() >= until:
                    return self._replayed >= position, saved
                time.sleep(STEP_SECONDS)
