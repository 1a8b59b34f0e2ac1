"""How the tables and the commonest questions grow with the data: for docs/scaling.md.

`python -m benchmarks.growth 0.01=postgresql://… 0.1=postgresql://… 1=postgresql://…` reads databases that `flask demo load --scale`
filled, and prints one line for each table and question, with a column for each database. It writes nothing.
"""

import os
import random
import sys
from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from benchmarks.measurement import seconds
from benchmarks.reports import BARE
from courses.attendance import roster
from courses.enrolment import trainee_search
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession
from courses.models.trainees import Trainee
from courses.reports import districts_by_period, enrolment, offerings, people, people_counts
from courses.reports.questions import Filters, Grouping, Question
from lms.core import crypto
from lms.core.scope import EVERYTHING

SINCE, UNTIL = date(2008, 1, 1), date(2017, 12, 31)
ALL = Question(Filters(SINCE, UNTIL), EVERYTHING)
ASKED = 200  # rosters, people: each another one
TABLES = ("attendance_event", "enrolment", "trainee", "attendance", "legacy_certificate", "person_time_entry")
SIZES = "SELECT pg_table_size(oid) / 1e6, pg_indexes_size(oid) / 1e6 FROM pg_class WHERE oid = to_regclass(:name)"


def measured(db: Session) -> dict[str, str]:
    """Megabytes of tables and of their indexes, and milliseconds of questions."""
    found = {"whole database, MB": f"{db.scalar(text('SELECT pg_database_size(current_database()) / 1e6')) or 0:,.0f}"}
    for name in TABLES:
        table, indexes = db.execute(text(SIZES), {"name": name}).one()
        found[f"{name}, MB + indexes"] = f"{table:,.0f} + {indexes:,.0f}"
    for name, act in _questions(db).items():
        runs = 1 if name.startswith("recount") else 3
        found[f"{name}, ms"] = f"{seconds(act, runs) * 1000:,.1f}"
    return found


def _questions(db: Session) -> Mapping[str, Callable[[], object]]:
    chance = random.Random(7)
    last = db.scalar(select(func.max(CourseSession.id))) or 1
    meetings = [roster.load_session(db, chance.randint(1, last), EVERYTHING) for _ in range(ASKED)]
    holders = [chance.randint(1, db.scalar(select(func.max(Trainee.id))) or 1) for _ in range(ASKED)]
    name = db.scalar(select(Trainee.name).order_by(Trainee.id).limit(1)) or ""
    month = Question(Filters(date(2016, 3, 1), date(2016, 3, 31)), EVERYTHING)
    by_host = Question(Filters(SINCE, UNTIL, grouping=Grouping.HOST), EVERYTHING)
    of_district = Question(Filters(SINCE, UNTIL, district=6, programme="RESCUE", grouping=Grouping.COURSE), EVERYTHING)
    return {
        f"{ASKED} rosters": lambda: [roster.read_roster(db, meeting) for meeting in meetings],
        f"{ASKED} people's enrolments": lambda: [
            db.scalars(select(Enrolment.id).where(Enrolment.trainee_id == holder)).all() for holder in holders
        ],
        "people of one name": lambda: trainee_search.search(db, name, EVERYTHING),
        "report by month and district, ten years": lambda: districts_by_period.figures(db, ALL),
        "report by host, ten years": lambda: enrolment.rows(db, by_host),
        "people of a district's rescue courses": lambda: people_counts.count_people(db, of_district),
        "offerings of a month, a page": lambda: offerings.drill_down(db, month),
        "people of a month, a page": lambda: people.drill_down(db, month),
        "recount by offering (the bare GROUP BY)": lambda: db.execute(text(BARE)).all(),
    }


def main(places: list[str]) -> int:
    """Print the table."""
    crypto.configure(os.environ["FIELD_KEY"])  # the one that they were filled with
    columns: dict[str, dict[str, str]] = {}
    for place in places:
        scale, _, address = place.partition("=")
        engine = create_engine(address, connect_args={"options": "-c default_transaction_read_only=on"})
        with Session(engine) as db:
            columns[scale] = measured(db)
        engine.dispose()
    print("| | " + " | ".join(f"{scale}×" for scale in columns) + " |\n|---|" + "---|" * len(columns))
    for line in next(iter(columns.values())):
        print(f"| {line} | " + " | ".join(found[line] for found in columns.values()) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
