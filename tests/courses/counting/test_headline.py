"""The headline: this year beside the same days of last year, this week, and only the offerings in reach."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from courses.counting.headline import headline
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import BEIJING, Plan, World
from tests.factories import Make


def heads(number: int, day: date, district: int = 1, programme: str = "RESCUE") -> Plan:
    return Plan(day, (number,), (), False, district, programme)


def test_the_headline_compares_the_same_days_of_two_years(db: Session) -> None:
    world = World(db)
    for plan in (
        heads(1, date(2024, 2, 28)),
        heads(20, date(2024, 3, 1)),  # after the same day last year
        heads(300, date(2025, 1, 1)),
        heads(4000, date(2025, 2, 28), district=2, programme="FIRST_RESPONDER"),
    ):
        world.close(plan)
    with clock.at(datetime(2025, 2, 28, 12, tzinfo=UTC)):
        figures = headline(db, EVERYTHING, BEIJING)
        own = headline(db, Scope(district_ids=frozenset({1})), BEIJING)
    assert (figures.since, figures.until) == (date(2025, 1, 1), date(2025, 2, 28))
    assert (figures.person_times, figures.last_year) == (4300, 1)
    assert [(programme.code, programme.person_times, programme.last_year) for programme in figures.programmes] == [
        ("RESCUE", 300, 1), ("FIRST_RESPONDER", 4000, 0), ("INSTRUCTOR", 0, 0),
    ]  # fmt: skip
    assert (own.person_times, own.last_year, own.change) == (300, 1, 29900)


def test_a_leap_day_and_an_empty_year_give_no_change(db: Session) -> None:
    with clock.at(datetime(2028, 2, 29, 3, tzinfo=UTC)):
        figures = headline(db, EVERYTHING, BEIJING)
    assert (figures.person_times, figures.change) == (0, None)


def test_a_week_is_monday_to_sunday_in_beijing(db: Session, make: Make) -> None:
    monday = datetime(2025, 6, 2, tzinfo=BEIJING)
    minute = timedelta(minutes=1)
    for moment in (monday - minute, monday, monday + timedelta(days=7) - minute, monday + timedelta(days=7)):
        make.offering(starts=[moment], hours=1)
    with clock.at(datetime(2025, 6, 8, 15, tzinfo=UTC)):  # 23:00 on Sunday in Beijing
        assert headline(db, EVERYTHING, BEIJING).sessions_this_week == 2
