"""The figures that a quarter froze, and the check that compares them."""

from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from courses.counting import frozen_figures, quarters, recount
from courses.counting.frozen_figures import Place
from courses.counting.quarters import Quarter
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World

PASSED = EnrolmentState.COMPLETED
FIRST = Quarter(2025, 1)


def person(who: int) -> Person:
    return Person(who, PASSED, (Presence(0, 0, None),))


def frozen_world(db: Session) -> World:
    world = World(db)
    world.close(Plan(date(2025, 1, 10), (30,), (person(1), person(2)), False, 1))
    world.close(Plan(date(2025, 3, 10), (0,), (person(2),), True, 2, "RESCUE"))
    with clock.at(datetime(2025, 4, 5, 12, tzinfo=BEIJING)):
        quarters.freeze(db, FIRST, BEIJING)
    return world


def test_freezing_stores_the_figures_of_each_part_of_the_quarter(db: Session) -> None:
    frozen_world(db)
    figures = frozen_figures.stored(db, [FIRST, Quarter(2025, 2)])
    assert list(figures) == [FIRST]
    parts = figures[FIRST]
    assert (parts[Place()].person_times, parts[Place()].people, parts[Place()].offerings) == (33, 2, 2)
    assert (parts[Place(month=3)].person_times, parts[Place(month=3)].people) == (1, 1)
    assert parts[Place(programme="RESCUE", district=2)].refresher == 1
    assert parts[Place(district=1)].minutes == 2 * 180
    assert Place(district=3) not in parts


def test_the_check_names_a_figure_that_differs_from_what_was_frozen(db: Session) -> None:
    frozen_world(db)
    assert [step for step in recount.check_rollups(db) if step] == []
    db.execute(text("UPDATE person_time_month SET passed = passed + 1 WHERE month = '2025-01-01'"))
    places = [difference.place for difference in frozen_figures.differences(db)]
    assert "frozen_figures 2025Q1 0 - 0 passed" in places
    assert "frozen_figures 2025Q1 1 FIRST_RESPONDER 1 passed" in places
    assert len(places) == 8


def test_what_was_frozen_is_never_altered(db: Session) -> None:
    frozen_world(db)
    with pytest.raises(DBAPIError, match="frozen_figures"), db.begin_nested():
        db.execute(text("UPDATE frozen_figures SET people = 0"))
