"""Freezing quarters."""

from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.models.quarters import FrozenQuarter
from lms.core import clock
from lms.core.errors import DomainError
from tests.courses.worlds import BEIJING, Plan, World


def test_a_quarter_is_frozen_only_when_it_is_over(db: Session) -> None:
    running = Quarter.of(clock.today(BEIJING))
    with pytest.raises(DomainError) as refused:
        quarters.freeze(db, running, BEIJING)
    assert refused.value.code == "quarter_not_over"
    for _again in range(2):
        quarters.freeze(db, running.previous, BEIJING)
    assert len(db.scalars(select(FrozenQuarter)).all()) == 1


def test_the_listing_goes_from_the_last_quarter_that_is_over_back_to_the_first_counted(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (10,), (), False, 1))
    with clock.at(datetime(2025, 11, 5, 12, tzinfo=BEIJING)):
        quarters.freeze(db, Quarter(2025, 1), BEIJING)
        states = quarters.listing(db, BEIJING)
        assert quarters.state(db, Quarter(2025, 1)) == states[-1]
    assert [(str(state.quarter), state.person_times) for state in states] == [
        ("2025Q3", 0),
        ("2025Q2", 0),
        ("2025Q1", 10),
    ]
    assert [state.frozen_at is not None for state in states] == [False, False, True]
    assert quarters.is_frozen(db, date(2025, 3, 31))
    assert not quarters.is_frozen(db, date(2025, 4, 1))
