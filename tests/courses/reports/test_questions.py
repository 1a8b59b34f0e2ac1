"""A question cannot be made outside of its scope, and its filters stand in the query string."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.reports import enrolment
from courses.reports.questions import Filters, Grouping, Question, end_of_day
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import PRESENT, YEAR, ask, in_district
from tests.courses.worlds import BEIJING, Plan, World


def test_another_districts_question_finds_nothing() -> None:
    assert ask(in_district(1), district=1).filters.district == 1
    assert ask(district=2).filters.district == 2
    with pytest.raises(NotFound):
        ask(in_district(1), district=2)
    with pytest.raises(NotFound):
        ask(Scope(), district=1)
    mine = ask(in_district(1))
    with pytest.raises(NotFound):
        replace(mine, filters=replace(mine.filters, district=2))


def test_another_organisations_host_is_not_found() -> None:
    coordinator = Scope(organisation_ids=frozenset({9}))
    assert ask(coordinator, host=9).filters.host == 9
    with pytest.raises(NotFound):
        ask(coordinator, host=8)


def test_equal_questions_of_two_readers_are_equal_values() -> None:
    mine, other = (Question(YEAR, Scope(everything=True, user_id=user, read_only=user == 2)) for user in (1, 2))
    assert mine == other
    assert hash(mine) == hash(other)
    assert mine.scope == EVERYTHING


def test_a_report_as_of_a_day_shows_what_was_known_then(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1)
    with clock.at(datetime(2025, 3, 1, 18, tzinfo=BEIJING)):
        offering = world.close(plan)
    world.fill(offering, replace(plan, headcounts=(4,)))
    with clock.at(datetime(2025, 4, 2, 0, 0, 1, tzinfo=BEIJING)):
        person_time.record_correction(db, offering, "重复清点", BEIJING)
    known = {
        day: enrolment.report(db, ask(known_before=end_of_day(day, BEIJING)), zone=BEIJING).total.person_times
        for day in (date(2025, 2, 28), date(2025, 4, 1), date(2025, 4, 2))
    }
    assert known == {date(2025, 2, 28): 0, date(2025, 4, 1): 11, date(2025, 4, 2): 5}


def test_the_query_arguments_name_what_is_set_and_nothing_else() -> None:
    assert YEAR.address() == {"since": "2025-01-01", "until": "2025-12-31", "grouping": "month"}
    filters = Filters(
        date(2025, 3, 1), date(2025, 3, 31), programme="RESCUE", district=6, course=7, host=9, organisation="小学",
        sector="school", refresher=False, known_before=end_of_day(date(2025, 4, 2), BEIJING), grouping=Grouping.HOST, key="12",
    )  # fmt: skip
    assert filters.address() == {
        "since": "2025-03-01", "until": "2025-03-31", "programme": "RESCUE", "district": "6", "course": "7",
        "host": "9", "organisation": "小学", "sector": "school", "refresher": "0", "as_of": "2025-04-02", "grouping": "host",
        "key": "12",
    }  # fmt: skip


def test_a_day_belongs_to_the_period_and_to_the_row() -> None:
    assert YEAR.holds_day(date(2025, 12, 31))
    assert not YEAR.holds_day(date(2026, 1, 1))
    first_quarter = replace(YEAR, grouping=Grouping.QUARTER, key="2025Q1")
    assert first_quarter.holds_day(date(2025, 3, 31))
    assert not first_quarter.holds_day(date(2025, 4, 1))
    assert replace(YEAR, grouping=Grouping.DISTRICT, key="1").holds_day(date(2025, 4, 1))


def test_a_leap_day_has_its_28th_a_year_before() -> None:
    earlier = Filters(date(2024, 2, 29), date(2024, 2, 29), key="2024-02").a_year_before()
    assert (earlier.since, earlier.until, earlier.key) == (date(2023, 2, 28), date(2023, 2, 28), None)


def test_the_total_is_the_branchs_only_where_nothing_is_left_out() -> None:
    assert ask().covers_branch
    assert ask(programme="RESCUE").covers_branch
    assert not ask(in_district(1)).covers_branch
    for part in ({"district": 1}, {"host": 9}, {"organisation": "小学"}, {"sector": "school"}):
        assert not ask(**part).covers_branch


def test_a_question_covers_its_districts() -> None:
    assert [ask(in_district(1)).covers_district(district) for district in (1, 2)] == [True, False]
    assert [ask(district=2).covers_district(district) for district in (1, 2)] == [False, True]
    assert ask().covers_district(16)
