"""`python -m benchmarks.pipeline`: `lms.core.pipeline` against SQLAlchemy and psycopg's own pipeline mode.

Each unit of work begins a transaction, locks a session and a place, reads the history of events and commits, as the
first half of a check-in does. Eight threads work at once, as in a web worker. The figures are processor time.
"""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.phones import Phone, phones
from benchmarks.processor_time import backend_seconds
from benchmarks.stage import stage
from courses.attendance import stored_events
from lms.core.pipeline import PreparedStatement, send
from lms.core.scope import EVERYTHING

THREADS = 8
UNITS = 400  # of each thread in one round
ROUNDS = 5

Statements = Sequence[tuple[PreparedStatement, dict[str, Any]]]


def by_sqlalchemy(db: Session, statements: Statements) -> None:
    """Each statement by `Session.execute`."""
    for statement, values in statements:
        named = {f"p{place}": _decoded(value) for place, value in enumerate(statement.values(values), 1)}
        db.execute(text(_with_placeholders(statement.sql, r":p\1")), named).all()


def by_psycopg(db: Session, statements: Statements) -> None:
    """The statements in psycopg's pipeline mode, prepared by psycopg."""
    driver: Any = db.connection().connection.driver_connection
    cursors = []
    with driver.pipeline():
        for statement, values in statements:
            named = {f"p{place}": _decoded(value) for place, value in enumerate(statement.values(values), 1)}
            cursor = driver.cursor()
            cursor.execute(_with_placeholders(statement.sql, r"%(p\1)s"), named, prepare=True)
            cursors.append(cursor)
    for cursor in cursors:
        cursor.fetchall()


def by_pipeline(db: Session, statements: Statements) -> None:
    """The statements by `lms.core.pipeline`."""
    send(db, *statements)


def _with_placeholders(sql: str, placeholder: str) -> str:
    return re.sub(r"\$(\d+)", placeholder, sql).replace("::", "\\:\\:" if placeholder.startswith(":") else "::")


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _unit(
    sessions: Callable[[], Session], way: Callable[[Session, Statements], None], phone: Phone, number: int
) -> None:
    values: dict[str, Any] = {
        "sessions": [phone.sessions[0]],
        "enrolments": [phone.people[number % len(phone.people)]],
        "events": [],
    }
    with sessions() as db:
        way(db, [(stored_events.lock_statement(EVERYTHING), values), (stored_events.EVENTS_STATEMENT, values)])
        db.commit()


def main() -> None:
    """Measure the ways in turn and print the medians."""
    with stage() as set_stage:
        crowd = phones(set_stage.app, THREADS, people=40, sessions=1)
        sessions = set_stage.app.extensions["sessions"]
        taken: dict[str, list[tuple[float, float]]] = {}
        for _ in range(ROUNDS):
            for way in (by_sqlalchemy, by_psycopg, by_pipeline):

                def work(phone: Phone, way: Callable[[Session, Statements], None] = way) -> None:
                    for number in range(UNITS):
                        _unit(sessions, way, phone, number)

                database, client = backend_seconds(set_stage), time.process_time()
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(work, crowd))
                client = time.process_time() - client
                after = backend_seconds(set_stage)
                spent = sum(seconds - database.get(pid, 0.0) for pid, seconds in after.items())
                number = THREADS * UNITS / 1000
                taken.setdefault(way.__name__, []).append((client / number, spent / number))
        for name, pairs in taken.items():
            client, spent = (median(pair[place] for pair in pairs) for place in (0, 1))
            print(f"{name:<16} Python {client:6.3f} ms   PostgreSQL {spent:6.3f} ms of processor time a unit of work")


if __name__ == "__main__":
    main()
