"""`python -m benchmarks.kill_issuing`: 2,000 owed certificates while workers and the database are killed with SIGKILL.

Real workers (`celery worker`) on the embedded queue, which lives in the same PostgreSQL: when that is killed, the
broker dies with it. Each is killed in the middle of a chunk, when it has taken rows and not committed. Afterwards each
entitled trainee must have exactly one certificate, and have been told of it once. Exit 1 when anything is otherwise.
"""

import random
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from benchmarks.owed import owe
from benchmarks.stage import Stage, stage
from certificates import issuing, ledger
from certificates.models import Certificate, LedgerEntry
from certificates.tasks import sweep
from courses.counting import recount
from courses.models.enrolment import Enrolment
from lms.config import ROOT
from lms.core import tasks
from lms.core.audit import AuditEntry
from lms.core.messages.models import Message
from lms.core.transactions import transaction
from lms.embedded import queue
from lms.embedded.postgres import Server

OWED = 2000
WORKERS = 3
KILLS = 12
STEP = 120  # certificates between two kills, so that they fall over the whole of the work
DATABASE_AFTER = 6  # worker kills before the database's
SECONDS = 170.0
RING_SECONDS = 1.0  # the schedule's minute, shortened
# A worker that has taken its chunk and not yet committed: PostgreSQL gave its transaction a number.
AT_WORK = """
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'victim-%' AND backend_xid IS NOT NULL
"""


@dataclass
class Killed:
    """Counts of the kills, and how many certificates were issued at each of them."""

    workers: int = 0
    database: int = 0
    at: list[int] = field(default_factory=list)


class Fleet:
    """Workers that are started anew whenever one dies, as a service manager does. PostgreSQL knows each by its name."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0

    def keep(self) -> None:
        """Start workers until there are as many as there should be."""
        self._running = {name: worker for name, worker in self._running.items() if worker.poll() is None}
        while len(self._running) < WORKERS:
            self._started += 1
            name = f"victim-{self._started}"
            self._running[name] = self._start(name)

    def kill(self, name: str) -> bool:
        """SIGKILL to one; whether it still ran."""
        victim = self._running.pop(name, None)
        if victim is None or victim.poll() is not None:
            return False
        victim.kill()
        victim.wait()
        return True

    def stop(self) -> None:
        """End all."""
        for name in list(self._running):
            self.kill(name)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "lms.worker", "worker", "--pool", "solo", "--loglevel", "INFO"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with (self._folder / "workers.log").open("ab") as output:
            return subprocess.Popen(
                [*command, *quiet, "--hostname", f"{name}@bench"],
                cwd=ROOT,
                env={**self._environment, "PGAPPNAME": name},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def _look(app: Flask) -> tuple[int, list[str]] | None:
    """How many certificates there are, and who is in the middle of a chunk; None while the database is away."""
    try:
        with transaction(app.extensions["sessions"]) as db:
            issued = db.scalar(select(func.count()).select_from(Certificate)) or 0
            return issued, list(db.scalars(text(AT_WORK)))
    except OperationalError:
        return None


def _revive(server: Server, broker: str) -> None:
    """Kill PostgreSQL's postmaster with SIGKILL, then start it again on the same data."""
    if server.process is None:
        raise RuntimeError("the database does not run")
    server.process.kill()
    server.process.wait()
    server.process = None
    server.start()
    queue.prepare(broker)


def run() -> tuple[Killed, float, dict[str, tuple[object, object]]]:
    """Owe, kill, wait; what was killed, the seconds it took, and each thing found beside what it must be."""
    killed = Killed()
    with stage(queue=True) as set_stage:
        app = set_stage.app
        queue.prepare(set_stage.environment["BROKER_URL"])
        owe(app, OWED)
        with transaction(app.extensions["sessions"]) as db:
            enrolments = db.scalars(select(Enrolment).where(Enrolment.certificate_due)).all()
            for enrolment in enrolments:
                enrolment.email = f"holder{enrolment.id}@example.org"
            entitled = {enrolment.id for enrolment in enrolments}
        fleet = Fleet(set_stage.environment, set_stage.folder)
        began = time.monotonic()
        try:
            _kill(set_stage, fleet, killed, began)
        finally:
            fleet.stop()
        took = time.monotonic() - began
        with transaction(app.extensions["sessions"]) as db:
            return killed, took, _found(db, entitled)


def _kill(set_stage: Stage, fleet: Fleet, killed: Killed, began: float) -> None:
    """Kill whoever is in the middle of a chunk, at a random moment of it, until all is done."""
    rung = began - RING_SECONDS
    while time.monotonic() - began < SECONDS:
        fleet.keep()
        if time.monotonic() - rung >= RING_SECONDS:
            rung = time.monotonic()
            with suppress(Exception):  # the broker may be down
                tasks.enqueue(sweep)
        seen = _look(set_stage.app)
        if seen is not None and seen[0] >= OWED:
            return
        if seen is None or not seen[1]:
            time.sleep(0.02)
            continue
        issued, at_work = seen
        time.sleep(random.uniform(0, 0.4))
        if killed.workers >= DATABASE_AFTER and not killed.database:
            _revive(set_stage.server, set_stage.environment["BROKER_URL"])
            killed.database += 1
        elif issued >= killed.workers * STEP and killed.workers < KILLS and fleet.kill(random.choice(at_work)):
            killed.workers += 1
            killed.at.append(issued)


def _found(db: Session, entitled: set[int]) -> dict[str, tuple[object, object]]:
    """Each thing that was counted, and what it must be."""
    rows = db.execute(select(Certificate.enrolment_id, Certificate.number, Certificate.serial)).all()
    lines = db.scalar(select(func.count()).select_from(LedgerEntry))
    told = db.scalars(select(Message).where(Message.purpose == "certificate_issued")).all()
    audited = db.scalar(select(func.count()).where(AuditEntry.action == "certificate.issue"))
    return {
        "certificates": (len(rows), OWED),
        "trainees with one": (len({row.enrolment_id for row in rows} & entitled), OWED),
        "different numbers": (len({row.number for row in rows}), OWED),
        "different serials": (len({row.serial for row in rows}), OWED),
        "lines of the ledger": (lines, OWED),
        "audit entries": (audited, OWED),
        "messages to holders": (len(told), OWED),
        "holders who are told": (len({message.person for message in told}), OWED),
        "still owed": (issuing.count_owed(db), 0),
        "faults that the ledger's check finds": (len(list(ledger.check(db))), 0),
        "differences that the person-time check finds": (
            sum(len(recount.check(db, part)) for part in recount.ranges(db)),
            0,
        ),
    }


def main() -> int:
    """Run, print, judge."""
    killed, took, found = run()
    print(f"{killed.workers} workers and PostgreSQL {killed.database} times killed with SIGKILL, in {took:.0f} s")
    print(f"certificates at each kill: {', '.join(map(str, killed.at))}")
    wrong = killed.workers < KILLS or killed.database < 1
    for what, (number, expected) in found.items():
        print(f"{what:<48} {number:>6}   must be {expected:<6} {'ok' if number == expected else 'WRONG'}")
        wrong = wrong or number != expected
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
