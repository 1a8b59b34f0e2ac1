"""The registered population: a figure needs a source, and a report takes the newest figure up to its year."""

import pytest
from sqlalchemy.orm import Session

from courses.counting import population
from lms.core.errors import DomainError


def test_a_figure_needs_a_source_and_the_newest_one_counts(db: Session) -> None:
    with pytest.raises(DomainError, match="the source of the figures"):
        population.save(db, 2016, {1: 980_000}, None)
    assert population.save(db, 2016, {1: 980_000, 2: None}, "统计年鉴2017") == 1
    population.save(db, 2018, {1: 990_000}, "统计年鉴2019")
    assert population.latest(db, 2017) == {1: (980_000, 2016)}
    assert population.latest(db, 2018) == {1: (990_000, 2018)}
    assert population.latest(db, 2015) == {}


def test_taking_a_figure_away_needs_no_source(db: Session) -> None:
    population.save(db, 2016, {1: 980_000}, "统计年鉴2017")
    assert population.save(db, 2016, {1: None}, None) == 1
    assert [row.people for row in population.read(db, 2016)] == [None] * 16
