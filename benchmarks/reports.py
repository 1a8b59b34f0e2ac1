"""Reports over ten years: from what is kept, recounted from attendances, by DuckDB over the raw rows, and as whole pages.

`python -m benchmarks.reports [scale …]` (0.1 unless told; `full` is the branch's size) loads the years and measures; where
they stand already, `full=postgresql://…` measures there. With several scales it draws docs/performance-reports.svg. Times are
medians of five; of numbers of people, each run counts anew what a page would remember.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pygal
from pygal.style import CleanStyle
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.load import get, latencies
from benchmarks.measurement import RUNS, Measurement, once, seconds
from benchmarks.signed_in import cookie
from benchmarks.stage import Ground, gunicorn, years
from courses.counting import ledger_copy, recount
from courses.reports import districts_by_period, enrolment, people_counts
from courses.reports.questions import Filters, Grouping, Question
from lms.config import ROOT
from lms.core.scope import EVERYTHING

SINCE, UNTIL = date(2008, 1, 1), date(2017, 12, 31)
ALL = Question(Filters(SINCE, UNTIL), EVERYTHING)
ADMINISTRATORS = 8
YEARS, PART_YEARS = "since=2008-01-01&until=2017-12-31", "since=2008-01-15&until=2017-12-10"
# What one reader asks, with nobody else there: whole and partial years, each filter that no kept sum answers.
ALONE = {
    **{f"by {by}": f"enrolment?{YEARS}&grouping={by}" for by in ("quarter", "course", "sector", "host", "instructor")},
    **{f"partial years by {by}": f"enrolment?{PART_YEARS}&grouping={by}" for by in ("month", "sector", "host")},
    "hosts by a part of the name": f"enrolment?{YEARS}&grouping=host&organisation=%E5%AD%A6",
    "as known on a day": f"enrolment?{YEARS}&grouping=month&as_of=2016-06-15",
    "beyond the years": "enrolment?since=2015-01-01&until=2030-12-31&grouping=quarter",
    **{f"indicators by {by}": f"indicators/?{YEARS}&grouping={by}" for by in ("district", "host", "instructor")},
    "hours": f"hours?{YEARS}",
    "districts × months": f"districts?{PART_YEARS}&grouping=month",
    "the last of the offerings": f"offerings?{YEARS}&grouping=month&column=offerings&page=99999",
    "the people": f"people?{YEARS}&grouping=month",
    "hosts as CSV": f"enrolment/export/csv?{YEARS}&grouping=host",
    "hosts as XLSX": f"enrolment/export/xlsx?{YEARS}&grouping=host",
}
ALONE_SECONDS = 5.0
PAGE_SECONDS = 10.0
WARM_SECONDS = 2.0
# What the picture holds: enough to tell what grows.
DRAWN = (
    "programme × district × month, all years", "the same recounted from attendances",
    "the same by DuckDB over the raw rows", "by host, all years",
    "people of a district's rescue courses", "people by quarter, all years", "bare GROUP BY of the attendances",
    "person-time check, whole", f"whole pages, {ADMINISTRATORS} at once, p95",
)  # fmt: skip
CHART = ROOT / "docs" / "performance-reports.svg"

# What DuckDB gets: each attendance with its dimensions beside it, which is more than a copy of the tables would give it.
RAW = """
SELECT course.programme_code AS programme, offering.district_id AS district, date_trunc('month', offering.counted_on)::date
    AS month, enrolment.offering_id, enrolment.trainee_id
FROM attendance
JOIN enrolment ON enrolment.id = attendance.enrolment_id
JOIN offering ON offering.id = enrolment.offering_id
JOIN course ON course.id = offering.course_id
"""
RECOUNTED = f"""
SELECT programme, district, month, count(*) FROM (SELECT DISTINCT programme, district, month, offering_id, trainee_id FROM ({RAW})
    AS raw) AS each GROUP BY 1, 2, 3
"""
BARE = """
SELECT enrolment.offering_id, count(DISTINCT enrolment.trainee_id),
    sum(extract(epoch FROM least(coalesce(left_at, ends_at), ends_at) - greatest(arrived_at, starts_at)))
FROM attendance
JOIN enrolment ON enrolment.id = attendance.enrolment_id
JOIN course_session ON course_session.id = attendance.course_session_id
GROUP BY enrolment.offering_id
"""


def measure(ground: Ground) -> Sequence[Measurement]:
    """All of it, at the scale that is loaded."""
    with Session(ground.app.extensions["engine"]) as db:
        db.execute(text("SET statement_timeout = 0"))
        return [*_in_database(db), *_proof(ground, db), *_pages(ground)]


def _in_database(db: Session) -> Sequence[Measurement]:
    ledger_copy.current(db)  # a web process has read it before its first question
    by_month = seconds(lambda: districts_by_period.figures(db, ALL)) * 1000
    again = seconds(lambda: db.execute(text(RECOUNTED)).all()) * 1000
    duck = _duckdb_ms(db)
    of_district = Question(Filters(SINCE, UNTIL, district=6, programme="RESCUE", grouping=Grouping.COURSE), EVERYTHING)
    return [
        Measurement("programme × district × month, all years", by_month, "ms", ceiling=60),
        Measurement("the same recounted from attendances", again, "ms"),
        Measurement("recounted / kept", again / by_month, "×", floor=20),
        Measurement("the same by DuckDB over the raw rows", duck, "ms"),
        Measurement("DuckDB / kept", duck / by_month, "×", floor=1),
        *(
            Measurement(f"by {grouping.value}, all years", _rows_ms(db, grouping), "ms", ceiling=60)
            for grouping in (Grouping.INSTRUCTOR, Grouping.HOST)
        ),
        Measurement("people of a district's rescue courses", _people(db, of_district), "s", ceiling=0.3),
        *(
            Measurement(f"people by {grouping.value}, all years", _people(db, _all_by(grouping)), "s", ceiling=0.3)
            for grouping in (Grouping.QUARTER, Grouping.COURSE, Grouping.SECTOR, Grouping.HOST, Grouping.INSTRUCTOR)
        ),
    ]


def _all_by(grouping: Grouping) -> Question:
    return Question(Filters(SINCE, UNTIL, grouping=grouping), EVERYTHING)


def _people(db: Session, question: Question) -> float:
    def count() -> None:
        ledger_copy.current(db).answers.clear()  # each run is a first question
        people_counts.count_people(db, question)

    return seconds(count)


def _rows_ms(db: Session, grouping: Grouping) -> float:
    return seconds(lambda: enrolment.rows(db, _all_by(grouping))) * 1000


def _duckdb_ms(db: Session) -> float:
    """A columnar copy in DuckDB's own file, and the same question to it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "raw.csv"
        driver: Any = db.connection().connection.driver_connection
        with file.open("wb") as out, driver.cursor().copy(f"COPY ({RAW}) TO STDOUT (FORMAT csv, HEADER)") as rows:
            out.writelines(rows)
        with duckdb.connect(str(Path(folder) / "raw.duckdb")) as duck:
            duck.execute(f"CREATE TABLE raw AS SELECT * FROM read_csv('{file}')")
            question = (
                "SELECT programme, district, month, count(*) FROM (SELECT DISTINCT programme, district, month, offering_id,"
                " trainee_id FROM raw) GROUP BY 1, 2, 3"
            )
            return seconds(lambda: duck.execute(question).fetchall()) * 1000


def _proof(ground: Ground, db: Session) -> Sequence[Measurement]:
    """`flask person-time check`, all of it, against the bare GROUP BY of the attendances with the same memory, in turns."""
    db.execute(text("SET work_mem = '64MB'"))
    bare, whole = [], []
    for _run in range(RUNS):
        bare.append(once(lambda: db.execute(text(BARE)).all()))
        whole.append(once(lambda: _check(ground, db)))
    return [
        Measurement("bare GROUP BY of the attendances", median(bare), "s"),
        Measurement("person-time check, whole", median(whole), "s"),
        Measurement("person-time check / bare", median(whole) / median(bare), "×", ceiling=2),
    ]


def _check(ground: Ground, db: Session) -> None:
    found = [*recount.check_all(ground.app.extensions["sessions"], recount.ranges(db)), *recount.check_rollups(db)]
    if any(found):
        raise RuntimeError("the recount found differences")


def _pages(ground: Ground) -> Sequence[Measurement]:
    """The whole page over all years, eight administrators at once, each asking again as soon as it is answered.

    Server, client and database share this machine; there is a web process for each of its processors.
    """
    signed_in = f"Cookie: {cookie(ground.app)}"
    found, every = [], list[float]()
    with gunicorn("wsgi:app", ground.environment, workers=os.cpu_count() or 1) as server:
        for grouping in (Grouping.MONTH, Grouping.DISTRICT, Grouping.PROGRAMME, Grouping.YEAR):
            asked = get(f"/reports/enrolment?since={SINCE}&until={UNTIL}&grouping={grouping.value}", signed_in)
            latencies(server.port, asked, seconds=WARM_SECONDS, connections=ADMINISTRATORS)
            taken = latencies(server.port, asked, seconds=PAGE_SECONDS, connections=ADMINISTRATORS)
            every += taken
            found.append(Measurement(f"page by {grouping.value}, median", median(taken) * 1000, "ms"))
            found.append(Measurement(f"page by {grouping.value}, p95", _p95(taken), "ms", ceiling=300))
        for name, path in ALONE.items():
            taken = latencies(server.port, get(f"/reports/{path}", signed_in), seconds=ALONE_SECONDS, connections=1)
            found.append(Measurement(f"{name}, alone, p95", _p95(taken), "ms", ceiling=300))
    found.append(Measurement("pages answered", len(every), ""))
    found.append(Measurement(f"whole pages, {ADMINISTRATORS} at once, p95", _p95(every), "ms", ceiling=300))
    return found


def _p95(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)] * 1000


def draw(found: Mapping[str, Sequence[Measurement]]) -> None:
    """How the figures grow with the data: one line a figure, both axes by factors of ten."""
    chart = pygal.XY(
        logarithmic=True, xlogarithmic=True, style=CleanStyle, title="Reports over ten years: what grows, and how",
        x_title="times the branch's data", y_title="milliseconds", legend_at_bottom=True, legend_at_bottom_columns=2,
        width=900, height=680, js=(), x_labels=sorted(map(_scale, found)), y_labels=[1, 10, 100, 1_000, 10_000, 100_000],
    )  # fmt: skip
    lines: dict[str, list[tuple[float, float]]] = {}
    for scale, measurements in found.items():
        for one in measurements:
            if one.name in DRAWN:
                milliseconds = one.value * (1000 if one.unit == "s" else 1)
                lines.setdefault(one.name, []).append((_scale(scale), milliseconds))
    for name, points in lines.items():
        chart.add(name, sorted(points))
    CHART.write_bytes(chart.render())


def _scale(word: str) -> float:
    return 1.0 if word == "full" else float(word)


def main(scales: Sequence[str]) -> int:
    """Measure at each scale; the exit code."""
    found: dict[str, Sequence[Measurement]] = {}
    for argument in scales:
        scale, _, address = argument.partition("=")
        print(f"scale {scale}", flush=True)
        with years(address or scale) as ground:
            found[scale] = measure(ground)
        for one in found[scale]:
            print(one.line(), flush=True)
    if len(scales) > 1:
        draw(found)
    return 1 if any(not one.reached for measurements in found.values() for one in measurements) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["0.1"]))
