"""Exports of a million rows: the whole job of a worker against a bare `COPY (the same query) TO STDOUT`.

`python -m benchmarks.exporting [scale]` (0.1 unless told) loads the branch's years, or measures where they stand
(`full=postgresql://…`). The rows are those of the last months that have a million between them, all years where there are
fewer. Each job is what a worker does, in a process of its own: the audited order, the rows read by the rule, every piece of
the file in its place, committed. The two of a pair run one after the other, so that others on the machine disturb both;
seconds are medians. The memory is the most that the process held resident. Exit 1 when one misses its ceiling.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

from flask import Flask
from sqlalchemy import Connection, Engine, delete
from sqlalchemy.orm import Session

from benchmarks.measurement import RUNS, Measurement
from benchmarks.stage import Ground, years
from courses.models.enrolment import EnrolmentState
from courses.models.exports import Export, ExportKind, ExportState, PersonalData
from courses.reports.exports import exports
from courses.reports.exports.exports import ExportHead
from courses.reports.exports.orders import ReportExportOrder
from courses.reports.exports.tables import ExportWording
from courses.reports.questions import Filters
from lms.accounts.models import RoleGrant, User
from lms.app import create_app
from lms.config import ROOT
from lms.core.copying import copy_rows
from lms.core.exports import Format
from lms.core.scope import EVERYTHING, Role
from lms.core.transactions import transaction
from lms.organisations.models import Sector

MILLION = 1_000_000
FIRST, LAST = date(2008, 1, 1), date(2017, 12, 31)
CSV_RATIO = 1.5
MEBIBYTES: Mapping[Format, float] = {Format.CSV: 200, Format.XLSX: 400, Format.PARQUET: 400}
WORDING = ExportWording(
    states={state.value: state.name for state in EnrolmentState},
    sectors={sector.value: sector.name for sector in Sector},
)
# Kind of file, what of the people, and how often: a workbook takes most of a minute, and has no time to keep to.
JOBS = (
    (Format.CSV, PersonalData.NONE, RUNS),
    (Format.CSV, PersonalData.MASKED, RUNS),
    (Format.CSV, PersonalData.FULL, RUNS),
    (Format.PARQUET, PersonalData.NONE, RUNS),
    (Format.XLSX, PersonalData.NONE, 1),
)


def measure(ground: Ground) -> Sequence[Measurement]:
    """Each kind of file, over the years that are there."""
    with Session(ground.app.extensions["engine"]) as db:
        filters, rows = _question(db)
    found = [Measurement("rows", rows, "")]
    for form, personal, runs in JOBS:
        order = ReportExportOrder(kind=ExportKind.PARTICIPATIONS, filters=filters, scope=EVERYTHING, personal=personal)
        bare, whole, memory, size = [], [], [], 0.0
        for _run in range(runs):
            bare.append(_bare(ground.app.extensions["engine"], order))
            job = _job(ground, order, form)
            whole.append(job["seconds"])
            memory.append(job["mebibytes"])
            size = job["bytes"] / 2**20
        people = {
            PersonalData.NONE: "",
            PersonalData.MASKED: ", names and masked phones",
            PersonalData.FULL: ", names and phones",
        }
        name = f"{form.name}{people[personal]}"
        ceiling = CSV_RATIO if form is Format.CSV else None
        found += [
            Measurement(f"{name}: bare COPY", median(bare), "s"),
            Measurement(f"{name}: whole job", median(whole), "s"),
            Measurement(f"{name}: whole job / bare COPY", median(whole) / median(bare), "×", ceiling=ceiling),
            Measurement(f"{name}: most memory", max(memory), "MiB", ceiling=MEBIBYTES[form]),
            Measurement(f"{name}: file", size, "MiB"),
        ]
    return found


def _question(db: Session) -> tuple[Filters, int]:
    """The shortest span of whole months to the end of the years that has a million rows, or all; and how many it has."""
    since = date(LAST.year, LAST.month, 1)
    while True:
        filters = Filters(since, LAST)
        rows = ReportExportOrder(kind=ExportKind.PARTICIPATIONS, filters=filters, scope=EVERYTHING).count_rows(db)
        if rows >= MILLION or since <= FIRST:
            return filters, rows
        since = date(since.year - (since.month == 1), (since.month - 2) % 12 + 1, 1)


def _bare(engine: Engine, order: ReportExportOrder) -> float:
    """Seconds of a bare COPY of the rows as they are, thrown away as they come."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        began = perf_counter()
        for _lines in copy_rows(connection, order.table(WORDING).plain()):
            pass
        return perf_counter() - began


def _job(ground: Ground, order: ReportExportOrder, form: Format) -> Mapping[str, float]:
    """Owe one export, have a process of its own make it, take it away again; what the process tells of itself."""
    sessions = ground.app.extensions["sessions"]
    with transaction(sessions) as db:
        user = db.query(User).join(RoleGrant).where(RoleGrant.role == Role.CITY_ADMINISTRATOR).first()
        if user is None:
            raise RuntimeError("the years have no city administrator")
        asked = replace(order, scope=replace(EVERYTHING, user_id=user.id))
        names = [column.name for column in order.table(WORDING).columns]
        export_id = exports.begin(db, asked, form, head=ExportHead("Rows", [], names, WORDING), rows=0).id
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exporting", "make", str(export_id)],
        cwd=ROOT, env=ground.environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    with transaction(sessions) as db:
        db.execute(delete(Export).where(Export.id == export_id))
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def make(app: Flask, export_id: int) -> Mapping[str, float]:
    """A worker's job: seconds to its commit, the most memory of this process in MiB, and the size of the file in bytes."""

    @contextmanager
    def opening() -> Iterator[Connection]:
        with app.extensions["engine"].connect() as connection:
            yield connection

    began = perf_counter()
    with app.app_context(), transaction(app.extensions["sessions"]) as db:
        exports.make(db, app.extensions["sessions"], opening, app.config["SETTINGS"].zone, export_id)
    taken = perf_counter() - began
    with transaction(app.extensions["sessions"]) as db:
        export = db.get(Export, export_id)
        if export is None or export.state is not ExportState.DONE or export.bytes is None:
            raise RuntimeError("the export was not made")
        return {"seconds": taken, "mebibytes": _most_memory(), "bytes": export.bytes}


def _most_memory() -> float:
    """The most that this process held resident, MiB: the kernel's own mark, which begins anew with a program."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(arguments: Sequence[str]) -> int:
    """Measure, or be the process of one job; the exit code."""
    if arguments[0] == "make":
        print(json.dumps(make(create_app(), int(arguments[1]))))
        return 0
    scale, _, address = arguments[0].partition("=")
    with years(address or scale) as ground:
        found = measure(ground)
    for one in found:
        print(one.line(), flush=True)
    return 1 if any(not one.reached for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["0.1"]))
