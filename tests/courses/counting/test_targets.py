"""Targets: the part that was reached, and saving without overwriting a number that was not seen."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.counting import targets
from courses.models.enrolment import EnrolmentState
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from lms.organisations.models import Sector
from tests.courses.worlds import Person, Plan, Presence, World

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))
PLACE = ("FIRST_RESPONDER", 1)


def test_what_was_reached_is_the_years_person_times(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    world.close(Plan(date(2024, 3, 1), (7,), (), False, 1))
    world.close(Plan(date(2025, 3, 1), (100,), (), False, 2, "RESCUE"))
    targets.save(db, 2025, {PLACE: 22, ("RESCUE", 2): 50}, {})
    year = targets.read(db, 2025, EVERYTHING)
    assert (year.cells[PLACE].person_times, year.cells[PLACE].share) == (11, 0.5)
    assert year.of_programme("RESCUE") == targets.TargetProgress(50, 100)
    assert year.total == targets.TargetProgress(72, 111)
    assert year.of_district(3) == targets.TargetProgress(None, 0)
    assert year.of_district(3).share is None


def test_a_district_sees_its_own_targets_alone(db: Session) -> None:
    targets.save(db, 2025, {PLACE: 22, ("RESCUE", 2): 50}, {})
    year = targets.read(db, 2025, Scope(district_ids=frozenset({1})))
    assert {district for _code, district in year.cells} == {1}
    assert year.total.target == 22


def test_only_changes_are_saved_and_a_number_not_seen_is_not_overwritten(db: Session) -> None:
    assert targets.save(db, 2025, {PLACE: 22, ("RESCUE", 1): None}, {}) == 1
    assert targets.save(db, 2025, {PLACE: 22, ("RESCUE", 1): 5}, {PLACE: 22}) == 1
    with pytest.raises(DomainError) as refused:
        targets.save(db, 2025, {PLACE: 30}, {PLACE: 21})
    assert refused.value.code == "target_changed"
    assert targets.save(db, 2025, {PLACE: None}, {PLACE: 22}) == 1
    assert targets.read(db, 2025, EVERYTHING).cells[PLACE].target is None


def test_targets_by_sector_are_of_the_branch_and_reached_by_its_hosts(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    place = ("FIRST_RESPONDER", Sector.COMMUNITY)
    assert targets.save_sectors(db, 2025, {place: 22}, {}) == 1
    year = targets.read_sectors(db, 2025)
    assert year.cells[place].target == 22
    assert sum(progress.person_times for progress in year.cells.values()) == 11
    assert year.of_programme("FIRST_RESPONDER") == targets.TargetProgress(22, 11)


def test_last_years_targets_fill_what_is_missing_by_a_percentage(db: Session) -> None:
    school = ("RESCUE", Sector.SCHOOL)
    targets.save(db, 2024, {PLACE: 21, ("RESCUE", 2): 50, ("RESCUE", 3): 1}, {})
    targets.save_sectors(db, 2024, {school: 1000}, {})
    targets.save(db, 2025, {PLACE: 7}, {})
    assert targets.copy(db, 2024, 2025, 105) == 3
    year = targets.read(db, 2025, EVERYTHING)
    numbers = [year.cells[place].target for place in (PLACE, ("RESCUE", 2), ("RESCUE", 3))]
    assert (numbers, targets.read_sectors(db, 2025).cells[school].target) == ([7, 53, 1], 1050)
    assert targets.copy(db, 2024, 2025, 105) == 0


@pytest.mark.parametrize("percent", [0, -5, 1001])
def test_a_percentage_has_bounds(db: Session, percent: int) -> None:
    with pytest.raises(DomainError) as refused:
        targets.copy(db, 2024, 2025, percent)
    assert refused.value.field == "percent"


def test_a_copied_target_stays_within_its_bounds(db: Session) -> None:
    targets.save(db, 2024, {PLACE: targets.LARGEST_TARGET}, {})
    with pytest.raises(DomainError, match="larger"):
        targets.copy(db, 2024, 2025, 101)


def test_a_target_is_behind_when_less_is_reached_than_of_the_year_has_passed(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (499,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 3, 1), (500,), (), False, 2, "RESCUE"))
    targets.save(db, 2025, {("RESCUE", 1): 1000, ("RESCUE", 2): 1000, ("RESCUE", 3): 10}, {})
    year = targets.read(db, 2025, EVERYTHING)
    half = date(2025, 7, 2)  # day 183 of 365: 50.1 %
    rows = targets.behind(year, half)
    assert [(row.district.id, row.target, row.person_times, row.due) for row in rows] == [
        (3, 10, 0, 5), (1, 1000, 499, 501), (2, 1000, 500, 501),
    ]  # fmt: skip
    assert [row.district.id for row in targets.behind(year, date(2025, 7, 1))] == [3]
    assert targets.behind(year, date(2024, 12, 31)) == []
    assert len(targets.behind(year, date(2026, 1, 1))) == 3
    assert targets.elapsed(2024, date(2024, 12, 31)) == 1.0


def test_the_sum_of_a_year_is_of_what_is_asked_for_and_within_reach(db: Session) -> None:
    targets.save(db, 2025, {PLACE: 22, ("RESCUE", 2): 50}, {})
    assert targets.sum_of_year(db, 2025, EVERYTHING, None, None) == 72
    assert targets.sum_of_year(db, 2025, EVERYTHING, "RESCUE", None) == 50
    assert targets.sum_of_year(db, 2025, EVERYTHING, None, 1) == 22
    assert targets.sum_of_year(db, 2025, Scope(district_ids=frozenset({2})), None, None) == 50
    assert targets.sum_of_year(db, 2025, Scope(organisation_ids=frozenset({1})), None, None) is None
    assert targets.sum_of_year(db, 2024, EVERYTHING, None, None) is None
