"""`python -m benchmarks.kill_importing`: an import of 20,000 rows, killed with SIGKILL in every step, and its undo.

Into a register that holds a smaller import of the same people already, the file goes twice: in peace, and by commands that are
killed in the middle of a transaction, in every step once as soon as they write and again at a random moment; PostgreSQL is killed
too. Both registers must say the same, row for row. Then the import is undone, killed in every step too, and the register must be
as it was. Exit 1 when anything is otherwise, or when a step had no kill. BENCH_KILL_ROWS says how many rows the file has.
"""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from benchmarks.importing import organised, plain, write_file
from benchmarks.stage import Stage, stage
from courses.imports.past import PAST_TRAININGS
from lms.config import ROOT
from lms.embedded.postgres import Server

ROWS = int(os.environ.get("BENCH_KILL_ROWS", "20000"))
BEFORE = 3_000
CHUNK = "2000"
STEPS = ("file", "read", "match", *PAST_TRAININGS.steps)
UNDO_STEPS = tuple(PAST_TRAININGS.undo_steps)
KILLS = 3  # in each step, as long as it lasts
DATABASE_IN, UNDO_DATABASE_IN = "offerings", "undo_offerings"
LONGEST = 1.0  # seconds from the moment a command is seen writing to its death, at most
VICTIMS: LiteralString = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'victim'"
LAST = "SELECT id, state, step, cursor FROM import_run WHERE id > %s ORDER BY id DESC LIMIT 1"
BUSY = ("checking", "running", "undoing")
PLACE = "offering.place, offering.counted_on, trainee.name_key, encode(trainee.phone_index, 'hex')"
OF_PLACE = "FROM enrolment JOIN trainee ON trainee.id = enrolment.trainee_id JOIN offering ON offering.id = enrolment.offering_id"
# What the register says, without the ids that it gives: each table's rows as text.
ROWS_OF = {
    "trainees": "SELECT name, name_key, phone_index, birth_year, district_id FROM trainee WHERE name_key NOT LIKE '%%已撤销%%'",
    "offerings": "SELECT course_id, organisation_id, district_id, place, capacity, state, counted_on FROM offering"
    " WHERE state <> 'cancelled'",
    "sessions": "SELECT place, starts_at, ends_at, course_session.headcount FROM course_session"
    " JOIN (SELECT id, place AS at FROM offering WHERE state <> 'cancelled') AS one ON one.id = offering_id",
    "enrolments": f"SELECT {PLACE}, enrolment.state, source, sessions_attended, minutes_attended, shortfalls, certificate_due,"
    f" certified_at {OF_PLACE} WHERE enrolment.state <> 'cancelled'",
    "attendances": f"SELECT {PLACE}, arrived_at, left_at {OF_PLACE} JOIN attendance ON enrolment_id = enrolment.id",
    "check-ins not taken back": f"SELECT {PLACE}, kind, method, happened_at {OF_PLACE}"
    " JOIN attendance_event AS event ON event.enrolment_id = enrolment.id"
    " WHERE kind <> 'undo' AND NOT EXISTS (SELECT FROM attendance_event AS other WHERE other.undoes = event.id)",
    "participations": "SELECT place, counted_on, name_key FROM participation JOIN offering ON offering.id = offering_id"
    " CROSS JOIN LATERAL unnest(trainees) AS one (id) JOIN trainee ON trainee.id = one.id",
    "the ledger by day": "SELECT dated_on, sum(enrolled), sum(named), sum(counted), sum(minutes), sum(passed),"
    " sum(certificates) FROM person_time_entry GROUP BY dated_on HAVING sum(enrolled) <> 0 OR sum(minutes) <> 0",
    "legacy certificates": "SELECT number, name_key, unit, issued_on, valid_until, source FROM legacy_certificate",
}


Watcher = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Place:
    """An import and where it is."""

    id: int
    state: str
    step: str
    cursor: int

    @property
    def step_at_work(self) -> str:
        """The step that a command works on; the state where it only asks for the next one."""
        return self.step if not self.id or self.state in BUSY else self.state


@dataclass
class Killed:
    """How often a command was killed in each step, where the import was each time, and how often the database was killed."""

    by_step: Counter[str] = field(default_factory=Counter)
    at: list[str] = field(default_factory=list)
    database: int = 0

    def missed(self, steps: Sequence[str]) -> list[str]:
        """The steps in which nobody died."""
        return [step for step in steps if not self.by_step[step]]

    def __str__(self) -> str:
        return ", ".join(f"{step} {number}" for step, number in self.by_step.items())


class Way:
    """A register under test: a database of its own and the commands that work on it."""

    def __init__(self, set_stage: Stage, name: str) -> None:
        self.server: Server = set_stage.server
        self.name = name
        self._environment = {
            **set_stage.environment, "DATABASE_URL": self.server.url(name), "PGAPPNAME": "victim",
        }  # fmt: skip
        self._log = set_stage.folder / f"{name}.log"

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """`flask …` on its own."""
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
                cwd=ROOT, env=self._environment, stdout=output, stderr=output,
            )  # fmt: skip

    def through(self, *arguments: str) -> float:
        """`flask …` to its end, undisturbed; the seconds. Raises RuntimeError when it fails."""
        began = time.monotonic()
        if self.start(*arguments).wait():
            raise RuntimeError(self._log.read_text()[-2000:])
        return time.monotonic() - began

    def last(self, after: int) -> Place:
        """Where the last import is, of those after an id."""
        with self._watch() as db:
            return self._place(db, after)

    @staticmethod
    def _place(db: Watcher, after: int) -> Place:
        row = db.execute(LAST, (after,)).fetchone()
        return Place(0, "", "file", 0) if row is None else Place(int(row[0]), str(row[1]), str(row[2]), int(row[3]))

    def kill_in(
        self, command: "subprocess.Popen[bytes]", after: int, due: Mapping[str, int], killed: Killed, database: str = ""
    ) -> bool:
        """SIGKILL to a command while it writes in a step whose kills are due; False when it ended before.

        The first kill of a step falls as soon as the command writes there, the next ones a random moment later, or where the
        next step begins. The command is stopped first, and killed only when it is then seen in the middle of a transaction: what
        it had committed does not move any more, so the step is known. database: the step in which PostgreSQL dies too, instead.
        """
        with self._watch() as db:
            while command.poll() is None:
                step, writes = self._seen(db, after)
                if writes and step == database and killed.by_step[step] and not killed.database:
                    _revive(self.server)
                    killed.database += 1
                    return False
                if writes and killed.by_step[step] < due.get(step, 0):
                    moment = time.monotonic() + (random.uniform(0, LONGEST) if killed.by_step[step] else 0)
                    while time.monotonic() < moment and self._place(db, after).step_at_work == step:
                        time.sleep(0.002)
                    if self._dies(db, command):
                        place = self.last(after)
                        killed.by_step[place.step_at_work] += 1
                        killed.at.append(f"{place.step_at_work} {place.cursor}")
                        return True
                time.sleep(0.002)
        return False

    def _dies(self, db: Watcher, command: "subprocess.Popen[bytes]") -> bool:
        command.send_signal(signal.SIGSTOP)
        while self._says(db, "state = 'active' AND query ILIKE 'commit%%'"):  # it may be through yet
            time.sleep(0.01)
        if command.poll() is not None or not self._says(db, "backend_xid IS NOT NULL"):
            command.send_signal(signal.SIGCONT)
            return False
        command.kill()
        command.wait()
        while self._says(db, "backend_xid IS NOT NULL"):
            time.sleep(0.01)
        return True

    def _watch(self) -> Watcher:
        return psycopg.connect(plain(self.server.url(self.name)), autocommit=True, application_name="watcher")

    def _seen(self, db: Watcher, after: int) -> tuple[str, bool]:
        """The step that is at work, and whether something is written there at this moment."""
        return self._place(db, after).step_at_work, self._says(db, "backend_xid IS NOT NULL")

    def _says(self, db: Watcher, what: LiteralString) -> bool:
        row = db.execute(f"{VICTIMS} AND {what}", (self.name,)).fetchone()
        return row is not None and bool(row[0])

    def says(self) -> dict[str, tuple[int, str]]:
        """How many rows of each kind there are, and a checksum over all of them."""
        with psycopg.connect(plain(self.server.url(self.name))) as db:
            found = {}
            for what, query in ROWS_OF.items():
                row = db.execute(
                    "SELECT count(*), coalesce(md5(string_agg(said, '' ORDER BY said)), '')"
                    f" FROM (SELECT md5(one::text) AS said FROM ({query.replace('%%', '%')}) AS one) AS lines"
                ).fetchone()
                found[what] = (0, "") if row is None else (int(row[0]), str(row[1]))
            return found


def _revive(server: Server) -> None:
    """Kill PostgreSQL's postmaster with SIGKILL, then start it again on the same data."""
    if server.process is None:
        raise RuntimeError("the database does not run")
    server.process.kill()
    server.process.wait()
    server.process = None
    server.start()


def _import(way: Way, file: Path, after: int, killed: Killed) -> None:
    """Let the file in; whoever does so dies in every step."""
    due = dict.fromkeys(STEPS, KILLS)
    while (place := way.last(after)).state != "done":
        command = (
            way.start("import", "resume", str(place.id), "--chunk", CHUNK)
            if place.id
            else way.start("import", "run", "past", str(file), "--chunk", CHUNK)
        )
        way.kill_in(command, after, due, killed, DATABASE_IN)
        command.wait()


def _undo(way: Way, after: int, killed: Killed) -> None:
    """Undo the import; whoever does so dies in every step."""
    due = dict.fromkeys(UNDO_STEPS, KILLS)
    while (place := way.last(after)).state != "undone":
        arguments = (
            ("undo", str(place.id), "--reason", "benchmark") if place.state == "done" else ("resume", str(place.id))
        )
        command = way.start("import", *arguments, "--chunk", CHUNK)
        way.kill_in(command, after, due, killed, UNDO_DATABASE_IN)
        command.wait()


def _certified(path: Path) -> None:
    """Give every fifth row of a file a certificate number: they are written and taken back beside the rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    at = head.index("证书编号")
    for number, row in enumerate(rows):
        row[at] = f"旧证{path.stem}-{number}" if not number % 5 else ""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def _compare(title: str, found: dict[str, tuple[int, str]], expected: dict[str, tuple[int, str]]) -> bool:
    """Print each thing found beside what it must be; whether all are the same."""
    print(title)
    for what, (number, checksum) in found.items():
        same = (number, checksum) == expected[what]
        print(f"  {what:<28} {number:>9} rows, {checksum[:12]}   {'the same' if same else f'MUST BE {expected[what]}'}")
    return found == expected


def main() -> int:
    """Run, print, judge."""
    with stage() as set_stage:
        first, file = set_stage.folder / "before.csv", set_stage.folder / "past.csv"
        origin = Way(set_stage, "origin")
        districts = organised(set_stage, origin.name)
        write_file(first, BEFORE, districts)
        write_file(file, ROWS, districts)
        _certified(file)
        origin.through("import", "run", "past", str(first))
        before, after = origin.says(), origin.last(0).id
        calm, rough = Way(set_stage, "calm"), Way(set_stage, "rough")
        for way in (calm, rough):
            set_stage.server.create_database(way.name, template=origin.name)
        took = calm.through("import", "run", "past", str(file), "--chunk", CHUNK)
        killed, began = Killed(), time.monotonic()
        _import(rough, file, after, killed)
        print(
            f"{ROWS:,} rows: {took:.0f} s in peace; killed with SIGKILL {killed.by_step.total()} times and PostgreSQL"
            f" {killed.database} times, {time.monotonic() - began:.0f} s"
        )
        print(f"kills by step: {killed}; where it was: {', '.join(killed.at)}")
        good = not killed.missed(STEPS) and killed.database >= 1
        good &= _compare("after the import, beside the one in peace:", rough.says(), calm.says())
        rough.through("person-time", "check")
        killed = Killed()
        _undo(rough, after, killed)
        print(
            f"kills by step of the undo: {killed}, PostgreSQL {killed.database}; where it was: {', '.join(killed.at)}"
        )
        good &= not killed.missed(UNDO_STEPS) and killed.database >= 1
        good &= _compare("after the undo, beside what was there before:", rough.says(), before)
        rough.through("person-time", "check")
        print("the recount finds no difference after either")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
