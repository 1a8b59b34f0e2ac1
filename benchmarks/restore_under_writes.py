"""`python -m benchmarks.restore_under_writes [20]`: backups and restores while five threads write all the time.

The writers check people in, enrol people (who are owed a message each), owe other messages, close trainings and issue
their certificates, and seal the tables of record, as the web and the worker do. Each notes what was committed, with the
moment of the answer. A backup is restored into another server, and compared: everything that was committed before the
backup began must be there, nothing half, no row that the source does not have, and all checks clean. Exit 1 when
anything is otherwise.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from flask import Flask
from sqlalchemy import Connection, create_engine, text, update

from benchmarks.owed import name, owe
from benchmarks.phones import Phone, phones
from benchmarks.stage import Stage, stage
from certificates import issuing
from certificates.branch import Branch
from certificates.records import sealing
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.enrolment import places
from courses.enrolment.trainees import TraineeFacts
from courses.models.offerings import CourseSession, Offering
from lms.backup import checks, encryption, restoring, writing
from lms.backup.encryption import Opener
from lms.backup.restoring import Destination
from lms.backup.writing import Lock, Source
from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient
from lms.core.scope import EVERYTHING
from lms.core.transactions import transaction
from lms.embedded.postgres import Server

ROUNDS = 20
CLASS = 4  # people in each training that is closed, and certificates in each of its two chunks
SEAL_SECONDS = 0.5
PAUSE_SECONDS = 0.002  # between two units of work of a writer, so that the backup gets its share of two processors
NOTICE = Purpose("bench_notice", "A message of the measurement", called=False)
RECORD = (
    "audit_entry", "attendance_event", "attendance_decision", "skill_event", "theory_event", "retest_event", "person_time_entry",
    "ledger_entry",
)  # fmt: skip
# What is there of each kind of work, whole: its key, where all that belongs to it is there too.
WHOLE = {
    "check-in": """SELECT e.id::text FROM attendance_event e JOIN attendance a ON a.event_id = e.id""",
    "enrolment": """SELECT e.id::text FROM enrolment e JOIN trainee t ON t.id = e.trainee_id
        WHERE EXISTS (SELECT FROM message m WHERE m.person = 'trainee:' || t.id)""",
    "message": """SELECT key FROM message WHERE key LIKE 'bench:%'""",
    "certificate": """SELECT c.id::text FROM certificate c JOIN ledger_entry l ON l.certificate_id = c.id""",
}
# Halves of transactions: each must be counted as 0.
HALVES = {
    "attendances without their event": """SELECT count(*) FROM attendance a
        WHERE NOT EXISTS (SELECT FROM attendance_event e WHERE e.id = a.event_id)""",
    "events without their attendance": """SELECT count(*) FROM attendance_event e
        WHERE NOT EXISTS (SELECT FROM attendance a WHERE a.event_id = e.id)""",
    "check-ins without, or audited without check-in": """SELECT
        (SELECT count(*) FROM attendance_event e JOIN course_session s ON s.id = e.course_session_id
            WHERE s.closed_at IS NULL)
        - (SELECT count(*) FROM audit_entry WHERE action = 'attendance.arrive')""",
    "certificates without their ledger entry": """SELECT count(*) FROM certificate c
        WHERE NOT EXISTS (SELECT FROM ledger_entry l WHERE l.certificate_id = c.id)""",
    "certificates without their audit entry": """SELECT (SELECT count(*) FROM certificate)
        - (SELECT count(*) FROM audit_entry WHERE action = 'certificate.issue')""",
    "certified without certificate": """SELECT count(*) FROM enrolment e WHERE e.certified_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM certificate c WHERE c.enrolment_id = e.id)""",
    "enrolled without message, or told without enrolment": """SELECT
        (SELECT count(*) FROM audit_entry WHERE action = 'enrolment.create')
        - (SELECT count(*) FROM message WHERE purpose IN ('ticket', 'waiting_list'))""",
}


@dataclass(frozen=True)
class Committed:
    """A unit of work that was answered: its kind, its key, and when (`time.monotonic`)."""

    kind: str
    key: str
    moment: float


class Writers:
    """Five threads that write until they are stopped, and the log of what was committed."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._log: list[Committed] = []
        self._over = threading.Event()
        self.errors: list[BaseException] = []
        works = (self._check_in, self._enrol, self._owe, self._certify, self._seal)
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in works]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def committed(self) -> list[Committed]:
        """The log so far. What is in it was answered before this call."""
        return list(self._log)

    def wait_for_all(self) -> None:
        """Wait until each kind of work was committed at least once since now."""
        began = time.monotonic()
        while not self.errors and {one.kind for one in self._log if one.moment > began} != set(WHOLE):
            time.sleep(0.02)

    def _run(self, work: Callable[[], Iterator[list[tuple[str, str]]]]) -> None:
        try:
            for facts in work():
                moment = time.monotonic()
                self._log.extend(Committed(kind, key, moment) for kind, key in facts)
                if self._over.wait(PAUSE_SECONDS):
                    return
        except BaseException as error:
            self.errors.append(error)
            raise

    def _check_in(self) -> Iterator[list[tuple[str, str]]]:
        sessions = self._app.extensions["sessions"]
        while True:
            for phone in phones(self._app, 1, people=40, sessions=4):
                for events in _batches(phone):
                    with transaction(sessions) as db:
                        answers = recording.record_all(db, events, user_id=None, now=clock.now())
                    yield [("check-in", str(answer.id)) for answer in answers if str(answer.outcome) == "accepted"]

    def _enrol(self) -> Iterator[list[tuple[str, str]]]:
        sessions = self._app.extensions["sessions"]
        (phone,) = phones(self._app, 1, people=1, sessions=1)
        with transaction(sessions) as db:
            meeting = db.get_one(CourseSession, phone.sessions[0])
            offering_id = meeting.offering_id
            later = {"starts_at": clock.now() + timedelta(days=1), "ends_at": clock.now() + timedelta(days=1, hours=1)}
            db.execute(update(CourseSession).where(CourseSession.id == meeting.id).values(later))
            db.execute(update(Offering).where(Offering.id == offering_id).values(capacity=30_000))
        number = 0
        while True:
            number += 1
            with transaction(sessions) as db:
                facts = TraineeFacts(name=name(number), phone=f"+86139{number:08d}", email=f"p{number}@example.org")
                offering = db.get_one(Offering, offering_id)
                today = clock.today(self._app.config["SETTINGS"].zone)
                enrolled = places.enrol_by_staff(db, offering, facts, EVERYTHING, confirmed=True, today=today)
                key = str(enrolled.enrolment.id) if enrolled.enrolment is not None else ""
            yield [("enrolment", key)]

    def _owe(self) -> Iterator[list[tuple[str, str]]]:
        while True:
            keys = [f"bench:{uuid4()}" for _ in range(5)]
            with transaction(self._app.extensions["sessions"]) as db:
                for key in keys:
                    recipient = Recipient(None, "收件人", (Address(Channel.EMAIL, "bench@example.org"),))
                    owing.owe(db, NOTICE, recipient, subject="测量", text="测量", key=key)
            yield [("message", key) for key in keys]

    def _certify(self) -> Iterator[list[tuple[str, str]]]:
        branch = Branch.of(self._app.config["SETTINGS"])
        while True:
            owe(self._app, CLASS)
            yield []
            for _ in range(2):
                with transaction(self._app.extensions["sessions"]) as db:
                    latest = db.scalar(text("SELECT coalesce(max(id), 0) FROM certificate"))
                    issuing.issue_owed(db, branch, limit=CLASS // 2)
                    newer = text("SELECT id::text FROM certificate WHERE id > :latest")
                    ids = list(db.scalars(newer, {"latest": latest}))
                yield [("certificate", identity) for identity in ids]

    def _seal(self) -> Iterator[list[tuple[str, str]]]:
        branch, engine = Branch.of(self._app.config["SETTINGS"]), self._app.extensions["engine"]
        while True:
            for _block in sealing.seal(self._app.extensions["sessions"], engine.connect, branch):
                pass
            self._over.wait(SEAL_SECONDS)
            yield []


def _batches(phone: Phone) -> Iterator[list[AttendanceInput]]:
    for session in phone.sessions:
        for start in range(0, len(phone.people), 10):
            people = phone.people[start : start + 10]
            yield [AttendanceInput(id=uuid4(), session_id=session, enrolment_id=person) for person in people]


@dataclass(frozen=True)
class Round:
    """A backup and its restore. committed: units of work before it began. during: units while it was made."""

    rows: int
    megabytes: float
    backup_seconds: float
    restore_seconds: float
    committed: int
    during: int
    missing: int
    halves: Mapping[str, int]
    strangers: int
    faults: Mapping[str, int]

    @property
    def is_right(self) -> bool:
        """Tell whether nothing was found."""
        return not (self.missing or self.strangers or any(self.halves.values()) or any(self.faults.values()))


def run(app: Flask, environ: Mapping[str, str], into: Server, folder: Path, rounds: int) -> Iterator[Round]:
    """Write, back up and restore, so many times. Each round has a new database of the server `into`."""
    identity, recipient = encryption.new_identity()
    settings = app.config["SETTINGS"]
    source = Source(settings.database_url, settings.keys_dir, environ)
    with Writers(app) as writers:
        for number in range(rounds):
            writers.wait_for_all()
            before = writers.committed()
            began = time.perf_counter()
            made = writing.make(source, folder / f"{number}.age", Lock((recipient,)), lambda _: None)
            backup_seconds = time.perf_counter() - began
            during = len(writers.committed()) - len(before)
            into.create_database(f"back_{number}")
            destination = Destination(into.url(f"back_{number}"), folder / f"keys_{number}")
            began = time.perf_counter()
            with restoring.restore(made.path, Opener([identity]), destination, lambda _: None) as restored:
                faults = {check.name: len(check.faults) for check in checks.run(restored.subject)}
                restore_seconds = time.perf_counter() - began
                with restored.subject.sessions() as db:
                    found = _compare(db.connection(), settings.database_url, before)
            into.drop_database(f"back_{number}")
            yield Round(
                made.manifest.rows,
                made.size / 1e6,
                backup_seconds,
                restore_seconds,
                len(before),
                during,
                *found,
                faults,
            )
        if writers.errors:
            raise writers.errors[0]


def _compare(restored: Connection, source_url: str, before: list[Committed]) -> tuple[int, Mapping[str, int], int]:
    """The units of work that are missing, the halves of units, and the rows of record that differ from the source."""
    missing = 0
    for kind, statement in WHOLE.items():
        there = {str(key) for key in restored.execute(text(statement)).scalars()}
        missing += len({one.key for one in before if one.kind == kind} - there)
    halves = {what: int(restored.execute(text(statement)).scalar() or 0) for what, statement in HALVES.items()}
    engine = create_engine(source_url)
    strangers = 0
    with engine.connect() as source:
        for table in RECORD:
            statement = text(f"SELECT md5(t::text) FROM {table} t")
            copies = set(restored.execute(statement).scalars())
            strangers += len(copies - set(source.execute(statement).scalars()))
    engine.dispose()
    return missing, halves, strangers


def _print(set_stage: Stage, rounds: int) -> bool:
    right = True
    committed = 0
    print(" round    rows      MB  backup s  restore s  committed  during  missing  halves  strangers  faults")
    with tempfile.TemporaryDirectory(prefix="lms-bench-") as place:
        folder = Path(place)
        folder.chmod(0o711)
        with Server(folder / "pg", fsync=False) as into:
            for number, found in enumerate(run(set_stage.app, os.environ, into, folder, rounds), 1):
                halves, faults = sum(map(abs, found.halves.values())), sum(found.faults.values())
                print(
                    f"{number:>6} {found.rows:>7} {found.megabytes:>7.2f} {found.backup_seconds:>9.1f}"
                    f" {found.restore_seconds:>10.1f} {found.committed:>10} {found.during:>7} {found.missing:>8}"
                    f" {halves:>7} {found.strangers:>10} {faults:>7}",
                    flush=True,
                )
                right = right and found.is_right
                committed += found.committed
    print(f"{rounds} restores, {committed} units of work looked for: {'nothing missing' if right else 'WRONG'}")
    return right


def main(arguments: list[str]) -> int:
    """Run, print, judge."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    with stage() as set_stage:
        return 0 if _print(set_stage, rounds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
