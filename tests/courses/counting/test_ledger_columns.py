"""The columns of the ledger, and the places of ids."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from courses.counting import ledger_columns
from courses.counting.ledger_columns import CLOSING
from courses.models.enrolment import EnrolmentState
from tests.courses.worlds import Person, Plan, Presence, World

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, 120),))


def test_places_are_found_in_any_order_and_what_is_not_there_is_at_none() -> None:
    places = ledger_columns.places_of(np.array([7, 3, 9]), np.array([9, 3, 4, 10, 7]))
    assert places.tolist() == [2, 1, -1, -1, 0]
    assert ledger_columns.places_of(np.array([], np.int64), np.array([1])).tolist() == [-1]


def test_a_day_and_a_moment_are_counted_from_the_same_beginning() -> None:
    assert ledger_columns.day_number(date(2000, 1, 3)) == 2
    noon = datetime(2000, 1, 1, 12, tzinfo=UTC)
    assert ledger_columns.moment_number(noon) == 12 * 60 * 60 * 10**6
    assert ledger_columns.moment_number(noon.astimezone(ZoneInfo("Asia/Shanghai"))) == 12 * 60 * 60 * 10**6
    assert ledger_columns.moment_number(noon - timedelta(days=1)) < 0


def test_a_line_has_its_figures_and_its_offering(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (4, 10), (PRESENT,), False, 2))
    columns = ledger_columns.read(db.connection(), 0)
    (place,) = np.flatnonzero(columns.offerings.id == offering.id)
    (line,) = np.flatnonzero(columns.lines.offering == place)
    figures = {name: int(column[line]) for name, column in columns.lines.figures.items()}
    assert figures == {"enrolled": 1, "named": 1, "counted": 10, "minutes": 120, "passed": 1, "certificates": 0}
    assert (columns.lines.kind[line], columns.lines.late[line]) == (CLOSING, False)
    assert columns.lines.day[line] == columns.offerings.day[place] == ledger_columns.day_number(date(2025, 3, 2))
    facts = columns.offerings
    assert (facts.district[place], facts.sessions[place], facts.lead[place]) == (2, 2, offering.lead_instructor_id or 0)
    assert (facts.course[place], facts.organisation[place]) == (offering.course_id, offering.organisation_id)
