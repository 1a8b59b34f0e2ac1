"""The year so far: this year beside the same days of last year, by month, programme and district, within reach."""

from datetime import date

from sqlalchemy.orm import Session

from courses.counting import targets
from courses.reports import year_so_far
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import Plan, World


def heads(number: int, day: date, district: int = 1, programme: str = "RESCUE") -> Plan:
    return Plan(day, (number,), (), False, district, programme)


def test_the_same_days_of_two_years_are_compared(db: Session) -> None:
    world = World(db)
    for plan in (
        heads(1, date(2024, 2, 28)),
        heads(20, date(2024, 3, 1)),  # after the same day last year
        heads(300, date(2025, 1, 1)),
        heads(4000, date(2025, 2, 28), district=2, programme="FIRST_RESPONDER"),
        heads(50000, date(2025, 3, 1)),  # after today
    ):
        world.close(plan)
    today = date(2025, 2, 28)
    year = year_so_far.read(db, EVERYTHING, today, None)
    own = year_so_far.read(db, Scope(district_ids=frozenset({1})), today, None)
    assert (year.since, year.until) == (date(2025, 1, 1), today)
    assert (year.total.person_times, year.total.before, year.total.difference) == (4300, 1, 4299)
    assert (year.total.months, year.total.months_before) == ((300, 4000), (0, 1, 20, *[0] * 9))
    assert [(part.key, part.person_times, part.before) for part in year.programmes] == [
        ("RESCUE", 300, 1), ("FIRST_RESPONDER", 4000, 0), ("INSTRUCTOR", 0, 0),
    ]  # fmt: skip
    assert [part.person_times for part in year.districts[:3]] == [300, 4000, 0]
    assert (own.total.person_times, own.total.before, own.total.change) == (300, 1, 299.0)
    assert [part.key for part in own.districts] == ["1"]


def test_january_a_leap_day_and_an_empty_year_have_figures(db: Session) -> None:
    World(db).close(heads(7, date(2027, 1, 31)))
    leap = year_so_far.read(db, EVERYTHING, date(2028, 2, 29), None)
    assert (leap.total.person_times, leap.total.before, leap.total.change) == (0, 7, -1.0)
    january = year_so_far.read(db, EVERYTHING, date(2027, 1, 31), None)
    assert (january.total.months, january.total.change) == ((7,), None)
    empty = year_so_far.read(db, EVERYTHING, date(2031, 6, 1), None)
    assert (empty.total.person_times, empty.total.before, empty.certified.share) == (0, 0, None)


def test_a_host_sees_its_own_and_targets_come_in_beside(db: Session, statements: list[str]) -> None:
    world = World(db)
    offering = world.close(heads(300, date(2025, 1, 1)))
    world.close(heads(5, date(2025, 1, 2)))
    own = year_so_far.read(db, Scope(organisation_ids=frozenset({offering.organisation_id})), date(2025, 6, 30), None)
    assert (own.total.person_times, own.districts) == (300, ())
    targets.save(db, 2025, {("RESCUE", 1): 1000}, {})
    year_targets = targets.read(db, 2025, EVERYTHING)
    statements.clear()
    year = year_so_far.read(db, EVERYTHING, date(2025, 6, 30), year_targets)
    assert len(statements) <= 6
    assert year.total.progress is not None
    assert (year.total.progress.target, year.total.progress.person_times) == (1000, 305)
    assert year.districts[1].progress is None
