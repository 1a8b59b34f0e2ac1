"""Targets: what was reached of them, and that nobody's number is overwritten unseen."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.counting import targets
from courses.models.enrolment import EnrolmentState
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import Person, Plan, Presence, World

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))
PLACE = ("FIRST_RESPONDER", 1)


def test_what_was_reached_is_the_years_person_times(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    world.close(Plan(date(2024, 3, 1), (7,), (), False, 1))
    world.close(Plan(date(2025, 3, 1), (100,), (), False, 2, "RESCUE"))
    targets.save(db, 2025, {PLACE: 22, ("RESCUE", 2): 50}, {})
    found = targets.read(db, 2025, EVERYTHING)
    assert (found.cells[PLACE].person_times, found.cells[PLACE].share) == (11, 0.5)
    assert found.of_programme("RESCUE") == targets.Reached(50, 100)
    assert found.total == targets.Reached(72, 111)
    assert found.of_district(3) == targets.Reached(None, 0)
    assert found.of_district(3).share is None


def test_a_district_sees_its_own_targets_alone(db: Session) -> None:
    targets.save(db, 2025, {PLACE: 22, ("RESCUE", 2): 50}, {})
    found = targets.read(db, 2025, Scope(district_ids=frozenset({1})))
    assert {district for _code, district in found.cells} == {1}
    assert found.total.target == 22


def test_only_what_was_changed_is_saved_and_nobodys_number_is_overwritten(db: Session) -> None:
    assert targets.save(db, 2025, {PLACE: 22, ("RESCUE", 1): None}, {}) == 1
    assert targets.save(db, 2025, {PLACE: 22, ("RESCUE", 1): 5}, {PLACE: 22}) == 1
    with pytest.raises(DomainError) as refused:
        targets.save(db, 2025, {PLACE: 30}, {PLACE: 21})
    assert refused.value.code == "target_changed"
    assert targets.save(db, 2025, {PLACE: None}, {PLACE: 22}) == 1
    assert targets.read(db, 2025, EVERYTHING).cells[PLACE].target is None
