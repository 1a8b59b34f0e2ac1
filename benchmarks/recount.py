"""Twelve figures, recounted by DuckDB straight from the attendances, against the page, CSV, XLSX and Parquet that are served.

`python -m benchmarks recount`, or `python -m benchmarks.recount [scale]` (0.1 unless told; `full`; or the address of a database
where it stands). The tables are taken out by COPY, and DuckDB counts without this system's code: a person present at one or
more sessions of an offering is one person-time, a headcount is the largest of the offering's sessions, minutes are whole and
within the session. Of a period, the adjustments of frozen quarters are moved to the day that they are dated by.
"""

import csv
import html
import io
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
from flask import Flask
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from benchmarks.measurement import Measurement
from benchmarks.signed_in import cookie
from benchmarks.stage import Ground, years

ALWAYS = ("2000-01-01", "2099-12-31")
TABLES = {
    "attendance": "SELECT enrolment_id, course_session_id, arrived_at, left_at FROM attendance",
    "enrolment": "SELECT id, offering_id, trainee_id, certified_at FROM enrolment",
    "meeting": "SELECT id, offering_id, starts_at, ends_at, headcount FROM course_session",
    "offering": "SELECT id, course_id, organisation_id, district_id, counted_on FROM offering WHERE state = 'closed'",
    "course": "SELECT id, refresher FROM course",
    "host": "SELECT id, sector FROM organisation",
    "late": "SELECT offering_id, dated_on, named + counted AS person_times FROM person_time_entry WHERE late",
}
# A row for each offering with what its attendances say, and a row for each person present at it.
COUNTED = """
CREATE TABLE stay AS
SELECT enrolment.offering_id, enrolment.trainee_id, sum(greatest(0, floor((
    epoch_us(least(coalesce(attendance.left_at, meeting.ends_at), meeting.ends_at))
    - epoch_us(CASE WHEN attendance.arrived_at >= meeting.ends_at THEN meeting.starts_at
        ELSE greatest(attendance.arrived_at, meeting.starts_at) END)) / 60000000)))::BIGINT AS minutes
FROM attendance JOIN enrolment ON enrolment.id = attendance.enrolment_id
JOIN meeting ON meeting.id = attendance.course_session_id GROUP BY ALL;
CREATE TABLE counted AS
SELECT offering.*, course.refresher, host.sector, coalesce(present.named, 0) AS named, coalesce(present.minutes, 0) AS minutes,
    coalesce(heads.counted, 0) AS counted
FROM offering JOIN course ON course.id = offering.course_id JOIN host ON host.id = offering.organisation_id
LEFT JOIN (SELECT offering_id, count(*) AS named, sum(minutes) AS minutes FROM stay GROUP BY 1) AS present
    ON present.offering_id = offering.id
LEFT JOIN (SELECT offering_id, max(headcount) AS counted FROM meeting GROUP BY 1) AS heads ON heads.offering_id = offering.id;
"""


@dataclass(frozen=True)
class Figure:
    """A figure: the column of the report, the report's arguments, and the condition on `counted` in DuckDB."""

    name: str
    column: str
    arguments: dict[str, str]
    condition: str = "true"

    @property
    def period(self) -> tuple[str, str]:
        """The first and the last day."""
        return self.arguments["since"], self.arguments["until"]


def _asked(since: str, until: str, grouping: str, **more: str) -> dict[str, str]:
    return {"since": since, "until": until, "grouping": grouping, "lang": "en", **more}


def figures(host: int, year: int) -> Sequence[Figure]:
    """The twelve. host: an organisation; year: the last one of which everything is counted."""
    autumn = (f"{year}-10-01", f"{year}-12-31")
    of_host, of_year = f"organisation_id = {host}", (f"{year}-01-01", f"{year}-12-31")
    return (
        Figure("person-times, all time", "Person-times", _asked(*ALWAYS, "year")),
        Figure(f"person-times, {year}", "Person-times", _asked(*of_year, "year")),
        Figure(f"person-times, {year}Q4", "Person-times", _asked(*autumn, "quarter")),
        Figure(
            "person-times, a district", "Person-times", _asked(*ALWAYS, "district", district="6"), "district_id = 6"
        ),
        Figure("person-times, a host", "Person-times", _asked(*ALWAYS, "host", host=str(host)), of_host),
        Figure(
            "person-times, schools", "Person-times", _asked(*ALWAYS, "sector", sector="school"), "sector = 'school'"
        ),
        Figure("person-times, refreshers", "Person-times", _asked(*ALWAYS, "year", refresher="1"), "refresher"),
        Figure("people, all time", "People (do not add up)", _asked(*ALWAYS, "year")),
        Figure(f"people, {year}Q4", "People (do not add up)", _asked(*autumn, "quarter")),
        Figure("people, a host", "People (do not add up)", _asked(*ALWAYS, "host", host=str(host)), of_host),
        Figure("person-hours, all time", "Person-hours", _asked(*ALWAYS, "year")),
        Figure("certificates, all time", "Certificates issued", _asked(*ALWAYS, "year")),
    )


def measure(ground: Ground) -> Sequence[Measurement]:
    """Compare each figure with what is served; the value is the number of differences."""
    measurements = []
    with tempfile.TemporaryDirectory(prefix="lms-recount-") as folder, duckdb.connect() as duck:
        _take_out(ground.app, Path(folder), duck)
        [(host, year)] = duck.sql(
            "SELECT mode(organisation_id), (SELECT max(year(counted_on)) FROM counted) FROM counted"
        ).fetchall()
        browser = _Browser(ground.app)
        for figure in figures(host, year):
            recounted = _recounted(duck, figure)
            served = dict(browser.served(figure))
            differing = [where for where, value in served.items() if abs(value - recounted) >= 0.05]
            text = ", ".join(f"{where} {value:,.1f}".removesuffix(".0") for where, value in served.items())
            print(f"{figure.name}: DuckDB {recounted:,.1f}; {text}")
            measurements.append(Measurement(f"differs: {figure.name}", len(differing), "files", ceiling=0))
    return measurements


def _take_out(app: Flask, folder: Path, duck: duckdb.DuckDBPyConnection) -> None:
    raw = app.extensions["engine"].raw_connection()
    try:
        driver: Any = raw.driver_connection
        driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        driver.execute("SET LOCAL statement_timeout = 0")
        for name, query in TABLES.items():
            path = folder / f"{name}.csv"
            with (
                path.open("wb") as file,
                driver.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as pieces,
            ):
                for piece in pieces:
                    file.write(piece)
            duck.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{path}', sample_size = -1)")
            path.unlink()
        driver.rollback()
    finally:
        raw.close()
    duck.execute(COUNTED)


def _recounted(duck: duckdb.DuckDBPyConnection, figure: Figure) -> float:
    first, last = figure.period
    within = f"BETWEEN DATE '{first}' AND DATE '{last}'"
    chosen = f"FROM counted WHERE {figure.condition} AND counted_on {within}"
    queries = {
        # Late lines count on the day that they are dated by, and not on their offering's.
        "Person-times": f"""SELECT (SELECT sum(named + counted) {chosen})
            + coalesce(sum(late.person_times) FILTER (late.dated_on {within}), 0)
            - coalesce(sum(late.person_times) FILTER (counted.counted_on {within}), 0)
            FROM late JOIN counted ON counted.id = late.offering_id WHERE {figure.condition}""",
        "People (do not add up)": f"SELECT count(DISTINCT trainee_id) FROM stay WHERE offering_id IN (SELECT id {chosen})",
        "Person-hours": f"SELECT sum(minutes) / 60 {chosen}",
        "Certificates issued": f"""SELECT count(*) FROM enrolment JOIN counted ON counted.id = enrolment.offering_id
            WHERE {figure.condition} AND (certified_at AT TIME ZONE 'Asia/Shanghai')::DATE {within}""",
    }
    row = duck.execute(queries[figure.column]).fetchone()
    return float(row[0] or 0) if row is not None else 0.0


class _Browser:
    """A city administrator who opens the report and downloads its files."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client(use_cookies=False)
        self._headers = {"Cookie": cookie(app)}

    def served(self, figure: Figure) -> Iterator[tuple[str, float]]:
        """The figure in the total of the page and of each file; of Parquet, which has no total, from its rows."""
        arguments = urlencode(figure.arguments)
        page = self._get(f"/reports/enrolment?{arguments}").decode()
        [head] = re.findall(r"<thead>(.*?)</thead>", page, re.DOTALL)[:1]
        names = ["People (do not add up)" if cell.startswith("People") else cell for cell in _cells(head)]
        total = re.findall(r'<tr class="report-sum">(.*?)</tr>', page, re.DOTALL)[0]
        yield "page", _number(_cells(total)[names.index(figure.column)])
        text = self._get(f"/reports/enrolment/export/csv?{arguments}").decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text)))
        heading = next(line for line in lines if figure.column in line)
        yield "CSV", _number(lines[-1][heading.index(figure.column)])
        book = CalamineWorkbook.from_filelike(io.BytesIO(self._get(f"/reports/enrolment/export/xlsx?{arguments}")))
        rows = book.get_sheet_by_index(0).to_python()
        yield "XLSX", float(str(rows[-1][rows[0].index(figure.column)]))
        table = parquet.read_table(io.BytesIO(self._get(f"/reports/enrolment/export/parquet?{arguments}")))
        if table.num_rows == 1 or "People" not in figure.column:
            yield "Parquet", float(sum(table.column(figure.column).to_pylist()))

    def _get(self, address: str) -> bytes:
        answer = self._client.get(address, headers=self._headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
        return answer.data


def _cells(row: str) -> list[str]:
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


if __name__ == "__main__":
    with years(sys.argv[1] if len(sys.argv) > 1 else "0.1") as ground_of_years:
        results = measure(ground_of_years)
    sys.exit(any(not result.reached for result in results))
