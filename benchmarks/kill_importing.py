"""`python -m benchmarks.kill_importing`: an import of 100,000 rows, killed with SIGKILL again and again, and its undo.

Into a register that holds a smaller import of the same people already, the file goes twice: in peace, and by commands that are
killed in the middle of a chunk, at a random moment of it; once PostgreSQL is killed too. Both registers must say the same, row
for row. Then the import is undone, killed again meanwhile, and the register must be as it was. Exit 1 when anything is otherwise.
"""

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.importing import organised, plain, write_file
from benchmarks.stage import Stage, stage
from lms.config import ROOT
from lms.embedded.postgres import Server

ROWS = int(os.environ.get("BENCH_KILL_ROWS", "100000"))
BEFORE = 3_000
CHUNK = "4000"
KILLS = 12
UNDO_KILLS = 4
DATABASE_AFTER = 6  # kills of commands before the database's
LONGEST = 1.0  # seconds from the moment a command has begun to write to its death, at most
AT_WORK = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'victim' AND backend_xid IS NOT NULL"
STATE = "SELECT state, step, cursor FROM import_run ORDER BY id DESC LIMIT 1"
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
    "kept people": "SELECT programme_code, district_id, period, people FROM people_count WHERE people <> 0",
}


@dataclass
class Killed:
    """What was killed, and where the import was each time."""

    commands: int = 0
    database: int = 0
    at: list[str] = field(default_factory=list)


class Way:
    """One register: a database of its own and the commands that work on it."""

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

    def where(self) -> tuple[str, str, int]:
        """State, step and cursor of the last import; states are empty while there is none."""
        with psycopg.connect(plain(self.server.url(self.name))) as db:
            row = db.execute(STATE).fetchone()
        return ("", "", 0) if row is None else (str(row[0]), str(row[1]), int(row[2]))

    def kill_at_work(self, command: "subprocess.Popen[bytes]") -> bool:
        """SIGKILL to a command, a random moment after it began to write; False when it ended before."""
        while command.poll() is None:
            with self.server.connect() as db:
                row = db.execute(AT_WORK, (self.name,)).fetchone()
            if row is not None and row[0]:
                time.sleep(random.uniform(0, LONGEST))
                break
            time.sleep(0.02)
        if command.poll() is not None:
            return False
        command.kill()
        command.wait()
        return True

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


def _import(way: Way, file: Path, before: int, killed: Killed) -> None:
    """Let the file in; whoever does so dies again and again."""
    while True:
        state, step, cursor = way.where() if _imports(way) > before else ("", "", 0)
        if state == "done":
            return
        command = (
            way.start("import", "run", "past", str(file), "--chunk", CHUNK)
            if not state
            else way.start("import", "resume", str(before + 1), "--chunk", CHUNK)
        )
        if killed.commands >= KILLS:
            command.wait()
        elif way.kill_at_work(command):
            killed.commands += 1
            killed.at.append(f"{step or 'file'} {cursor}")
            if killed.commands == DATABASE_AFTER:
                again = way.start("import", "resume", str(before + 1), "--chunk", CHUNK)
                time.sleep(4)  # in the middle of something, with a command that sees it die
                _revive(way.server)
                again.wait()
                killed.database += 1


def _undo(way: Way, number: int) -> int:
    """Undo the import; how often whoever does so died."""
    kills = 0
    command = way.start("import", "undo", str(number), "--reason", "benchmark", "--chunk", CHUNK)
    while way.where()[0] != "undone":
        if kills < UNDO_KILLS:
            kills += way.kill_at_work(command)
        else:
            command.wait()
        if way.where()[0] == "undone":
            break
        again = (
            ("resume", str(number)) if way.where()[0] == "undoing" else ("undo", str(number), "--reason", "benchmark")
        )
        command = way.start("import", *again, "--chunk", CHUNK)
    command.wait()
    return kills


def _imports(way: Way) -> int:
    with psycopg.connect(plain(way.server.url(way.name))) as db:
        row = db.execute("SELECT count(*) FROM import_run").fetchone()
    return 0 if row is None else int(row[0])


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
        origin.through("import", "run", "past", str(first))
        before = origin.says()
        calm, rough = Way(set_stage, "calm"), Way(set_stage, "rough")
        for way in (calm, rough):
            set_stage.server.create_database(way.name, template=origin.name)
        took = calm.through("import", "run", "past", str(file), "--chunk", CHUNK)
        killed, began = Killed(), time.monotonic()
        _import(rough, file, 1, killed)
        print(
            f"{ROWS:,} rows: {took:.0f} s in peace; {killed.commands} commands and PostgreSQL {killed.database} times killed"
            f" with SIGKILL, {time.monotonic() - began:.0f} s"
        )
        print(f"where it was at each kill: {', '.join(killed.at)}")
        good = killed.commands >= KILLS and killed.database >= 1
        good &= _compare("after the import, beside the one in peace:", rough.says(), calm.says())
        rough.through("person-time", "check")
        kills = _undo(rough, 2)
        good &= _compare(f"after the undo, {kills} times killed, beside what was there before:", rough.says(), before)
        rough.through("person-time", "check")
        print("the recount finds no difference after either")
    return 0 if good and kills >= UNDO_KILLS else 1


if __name__ == "__main__":
    sys.exit(main())
