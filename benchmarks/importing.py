"""Importing past trainings: a file of attendances, checked, matched and moved, against a bare COPY of what it made.

The bare COPY writes the very rows that the import made, into the same tables with all their indexes and keys, in an empty copy
of the database. The file has a million rows where the years are the branch's (BENCH_SCALE=full), else 100,000;
BENCH_IMPORT_ROWS says otherwise.
"""

import csv
import os
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from subprocess import STDOUT, Popen
from time import perf_counter

import psycopg
from sqlalchemy import make_url

from benchmarks.measurement import RUNS, Measurement
from benchmarks.stage import SCALE, Stage
from courses.imports.past_rows import COLUMNS
from lms.config import ROOT
from lms.core import migrations

ROWS = int(os.environ.get("BENCH_IMPORT_ROWS") or (1_000_000 if SCALE == "full" else 100_000))
SIZE = 30  # people of an offering
COMING_AGAIN = 0.3
TABLES = (
    "trainee", "offering", "course_session", "enrolment", "attendance_event", "attendance", "person_time_entry",
    "participation",
)  # fmt: skip
HEADINGS = [column.zh for column in COLUMNS]


def measure(stage: Stage) -> Sequence[Measurement]:
    """How the import compares with the COPY, and the memory of the process that imports: medians of pairs, the most memory."""
    imported, copied, memory = [], [], []
    for run_number in range(RUNS):
        name = f"importing_{os.getpid()}_{run_number}"
        file = stage.folder / "past.csv"
        write_file(file, ROWS, organised(stage, name))
        environment = {**stage.environment, "DATABASE_URL": stage.server.url(name)}
        began = perf_counter()
        memory.append(_import(file, environment))
        imported.append(perf_counter() - began)
        copied.append(_copied(stage, stage.server.url(name)))
        stage.server.drop_database(name)  # a million rows are a gigabyte
    return [
        Measurement(f"import of {ROWS:,} rows", median(imported), "s"),
        Measurement("a bare COPY of what it made", median(copied), "s"),
        Measurement("import as a share of the COPY's speed", median(copied) / median(imported), "×", floor=0.3),
        Measurement("memory of the importing process", max(memory), "MB", ceiling=400),
    ]


def organised(stage: Stage, name: str) -> dict[int, str]:
    """Make a database with the organisations that the file names; its districts."""
    stage.server.create_database(name)
    migrations.upgrade(stage.server.url(name))
    with psycopg.connect(plain(stage.server.url(name))) as db:
        db.execute(
            "INSERT INTO organisation (district_id, name_zh, sector, active)"
            " SELECT 1 + n % 16, '第' || n || '社区', 'community', true FROM generate_series(1, 400) AS n"
        )
        return dict(db.execute("SELECT id, name_zh FROM district").fetchall())


def write_file(path: Path, rows: int, districts: dict[int, str]) -> None:
    """Past rescue trainings of the years 2008 to 2017, 30 people each, three in ten of whom come again."""
    chance = random.Random(5)  # invented people
    people = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADINGS)
        for number in range(-(-rows // SIZE)):
            host = 1 + number % 400
            held = date(2008, 1, 1) + timedelta(days=number * 3650 // (1 + rows // SIZE))
            place = f"{number}号教室"
            seen = set()
            for _one in range(min(SIZE, rows - number * SIZE)):
                person = chance.randrange(people) if people and chance.random() < COMING_AGAIN else people
                while person in seen:
                    person = people
                    people += 1
                people += person == people
                seen.add(person)
                out.writerow(
                    [
                        "RESCUE-TALK", districts[1 + host % 16], f"第{host}社区", held.isoformat(), "09:00", "11:00", "", place,
                        f"学员{person}", f"139{person:08d}", "", "", 1950 + person % 60, "", "", "", "", "", "",
                    ]
                )  # fmt: skip


def _copied(stage: Stage, url: str) -> float:
    """Seconds of COPY for the rows that the import made, table after table, each committed."""
    name = f"copying_{os.getpid()}"
    stage.server.create_database(name)
    migrations.upgrade(stage.server.url(name))
    took = 0.0
    with psycopg.connect(plain(url)) as source, psycopg.connect(plain(stage.server.url(name))) as target:
        with (
            source.cursor().copy("COPY organisation TO STDOUT") as rows,
            target.cursor().copy("COPY organisation FROM STDIN") as into,
        ):
            for row in rows:
                into.write(row)
        target.commit()
        for table in TABLES:
            columns = ", ".join(
                column
                for (column,) in source.execute(
                    "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                    " AND attgenerated = '' AND NOT attisdropped ORDER BY attnum",
                    (table,),
                )
            )
            file = stage.folder / f"{table}.copy"
            with (
                file.open("wb") as out,
                source.cursor().copy(f"COPY {table} ({columns}) TO STDOUT (FORMAT binary)") as rows,
            ):
                for row in rows:
                    out.write(row)
            began = perf_counter()
            with (
                file.open("rb") as kept,
                target.cursor().copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)") as into,
            ):
                while piece := kept.read(1 << 18):
                    into.write(piece)
            target.commit()
            took += perf_counter() - began
            file.unlink()
    stage.server.drop_database(name)
    return took


def plain(url: str) -> str:
    """An address for psycopg itself."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _import(file: Path, environment: Mapping[str, str]) -> float:
    """Import a file by the command that the branch's people use, and return the most memory that its process held, in MB."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "run", "past", str(file)]
    with (file.parent / "import.log").open("wb") as log:
        started = Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=STDOUT)
        _pid, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError((file.parent / "import.log").read_text())
    return used.ru_maxrss / 1024
