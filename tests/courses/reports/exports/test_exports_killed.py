"""Workers that are killed in the middle of an export: nothing half is left, the next makes it whole, and three times is the last.

The workers are processes that one forks, as Celery does, and do what the schedule asks of one each minute. A long export is long
because it has many rows; where a worker must not come far, it waits for a table that the test holds.
"""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import sessionmaker

from courses.models.enrolment import EnrolmentState
from courses.models.exports import Export, ExportChunk, ExportKind, ExportProgress, ExportState
from courses.reports.exports import exports
from courses.reports.exports.exports import ExportHead
from courses.reports.exports.orders import ReportExportOrder
from courses.reports.exports.tables import ExportWording
from courses.reports.questions import Filters
from lms.config import ROOT, Settings
from lms.core.exports import Format
from lms.core.scope import Role, Scope
from lms.core.transactions import transaction
from tests.conftest import FIELD_KEY
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

PATIENCE = 60.0  # seconds: a machine that does much else is slow, not wrong
MANY = 80_000  # rows: some seconds of XLSX
ONE = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))
WORKERS = """
import os, sys, traceback
from courses import tasks
from lms.app import create_app
app = create_app()
for _line in sys.stdin:
    worker = os.fork()
    if not worker:
        try:
            with app.app_context():
                tasks.sweep_exports()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(worker, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]), flush=True)
"""
PEOPLE = """
WITH person AS (
    INSERT INTO trainee (ref, name, name_key, name_sound)
    SELECT gen_random_uuid(), 'N' || number, 'N' || number, 'N' || number FROM generate_series(1, :many) number RETURNING id
)
INSERT INTO enrolment (offering_id, trainee_id, ticket_hash, ticket_sealed, state, source, sessions_attended,
                       minutes_attended, shortfalls, certificate_due)
SELECT (SELECT max(id) FROM offering), person.id, sha256(uuid_send(gen_random_uuid())), '', 'completed', 'import', 1,
       180, '[]', false
FROM person
"""


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    made = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    yield made
    made.dispose()


@pytest.fixture
def owed(engine: Engine) -> Callable[[int], int]:
    """Owe an export of so many participations; its number."""

    def owe(rows: int) -> int:
        with transaction(sessionmaker(engine, expire_on_commit=False)) as db:
            World(db).close(Plan(date(2025, 6, 1), (0,), (ONE,), False, 1))
            if rows > 1:
                db.execute(text(PEOPLE), {"many": rows - 1})
            owner = Make(db).user(Role.CITY_ADMINISTRATOR)
            filters = Filters(date(2025, 1, 1), date(2025, 12, 31))
            reach = Scope(user_id=owner.id, everything=True)
            order = ReportExportOrder(kind=ExportKind.PARTICIPATIONS, filters=filters, scope=reach)
            table = order.table(ExportWording())
            head = ExportHead("Participations", [], [column.name for column in table.columns], ExportWording())
            return exports.begin(db, order, Format.XLSX, head=head, rows=rows).id

    return owe


class Workers:
    """Workers, one at a time, each of which makes one export that is owed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._worker = 0

    def start(self) -> None:
        """Another."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._worker = self._said()

    def kill(self) -> None:
        """SIGKILL, while it works."""
        os.kill(self._worker, signal.SIGKILL)
        assert self._said() == -signal.SIGKILL

    def end(self) -> None:
        """Wait until it went by itself."""
        assert self._said() == 0

    def _said(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@pytest.fixture
def workers(fresh_database: str, settings: Settings) -> Iterator[Workers]:
    given = {
        "DATABASE_URL": fresh_database,
        "LMS_EMBEDDED": "1",
        "BROKER_URL": "memory://",
        "SECRET_KEY": settings.secret_key,
        "FIELD_KEY": FIELD_KEY,
        "PUBLIC_URL": settings.public_url,
        "KEYS_DIR": str(settings.keys_dir),
    }
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_REPLICA_URL", "REDIS_URL"}}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKERS],
        cwd=ROOT,
        env=kept | given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Workers(process)
    process.communicate(timeout=PATIENCE)


def until(engine: Engine, seen: Callable[[int, int], bool]) -> tuple[int, int]:
    """The attempts and rows of the newest export, once they are such."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with engine.connect() as connection:
            row = connection.execute(
                select(ExportProgress.attempts, ExportProgress.rows).order_by(ExportProgress.export_id.desc()).limit(1)
            ).one()
        if seen(*row):
            return row.attempts, row.rows
        assert time.monotonic() < deadline, row
        time.sleep(0.02)


def left(engine: Engine, export_id: int) -> tuple[ExportState, int]:
    """Its state, once no dead worker's connection holds its row, and the pieces that are there."""
    with transaction(sessionmaker(engine)) as db:
        db.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'"))
        state = db.scalars(select(Export.state).where(Export.id == export_id).with_for_update()).one()
        return state, db.scalar(select(func.count()).select_from(ExportChunk)) or 0


@contextmanager
def held_up(engine: Engine) -> Iterator[None]:
    """No export comes to its rows meanwhile."""
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE programme IN ACCESS EXCLUSIVE MODE")
        yield


def test_the_next_worker_makes_whole_the_export_that_a_killed_one_began(
    engine: Engine, owed: Callable[[int], int], workers: Workers
) -> None:
    export_id = owed(MANY)
    workers.start()
    attempt, come = until(engine, lambda _attempts, rows: rows > 0)
    workers.kill()
    assert attempt == 1
    assert come < MANY
    assert left(engine, export_id) == (ExportState.WAITING, 0)

    with held_up(engine):
        workers.start()
        assert until(engine, lambda attempts, _rows: attempts == 2) == (2, 0)  # it counts anew
    until(engine, lambda _attempts, rows: rows > 0)
    workers.kill()
    assert left(engine, export_id) == (ExportState.WAITING, 0)

    workers.start()
    workers.end()
    with transaction(sessionmaker(engine)) as db:
        export = db.get_one(Export, export_id)
        assert (export.state, export.rows) == (ExportState.DONE, MANY)
        content = b"".join(exports.stored_pieces(sessionmaker(engine), export_id))
        assert len(content) == export.bytes
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert len({row[8] for row in rows[-MANY:]}) == MANY  # each person once


def test_an_export_that_kills_each_worker_is_given_up_after_the_third(
    engine: Engine, owed: Callable[[int], int], workers: Workers
) -> None:
    export_id = owed(1)
    with held_up(engine):
        for number in range(1, exports.MAX_ATTEMPTS + 1):
            workers.start()
            until(engine, lambda attempts, _rows, number=number: attempts == number)
            workers.kill()
            assert left(engine, export_id) == (ExportState.WAITING, 0)
        workers.start()
        workers.end()
        assert left(engine, export_id) == (ExportState.FAILED, 0)
    workers.start()  # it is tried no more
    workers.end()
    assert left(engine, export_id) == (ExportState.FAILED, 0)
