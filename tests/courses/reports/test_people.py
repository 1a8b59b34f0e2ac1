"""The people behind a number and of an offering: they add up, and their phones are masked."""

from datetime import date

import numpy as np
import pytest
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from courses.reports import people
from courses.reports.questions import Grouping
from lms.core.errors import NotFound
from lms.core.paging import PAGE_SIZE
from lms.core.scope import EVERYTHING
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import Person, Plan, Presence, World


def test_the_people_of_an_offering_add_up_to_its_figures(db: Session) -> None:
    cast = (
        PRESENT,
        Person(1, EnrolmentState.FAILED, (Presence(0, 30, 150), Presence(1, 0, None))),
        Person(2, EnrolmentState.INCOMPLETE, ()),
        Person(3, EnrolmentState.CANCELLED, ()),
    )
    offering: Offering = World(db).close(Plan(date(2025, 3, 1), (5, 7), cast, False, 1))
    counted = person_time.ledger_total(db, offering.id)
    found = people.of_offering(db, offering.id, EVERYTHING)
    assert (found.present, found.minutes, found.headcount) == (counted.named, counted.minutes, counted.counted)
    assert sorted(person.sessions for person in found.people) == [0, 1, 2]
    assert all("****" in person.phone for person in found.people)


def test_people_of_another_district_are_not_found(db: Session) -> None:
    other = World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 2))
    with pytest.raises(NotFound):
        people.of_offering(db, other.id, in_district(1))
    assert people.drill_down(db, ask(in_district(1), grouping=Grouping.DISTRICT, key="2")).rows == []


def test_a_person_of_two_offerings_is_one_participant_and_comes_first(db: Session) -> None:
    world = World(db)
    again = Person(1, EnrolmentState.COMPLETED, (Presence(0, 0, 60),))
    world.close(Plan(date(2025, 3, 1), (0,), (PRESENT, again), False, 1))
    world.close(Plan(date(2025, 4, 1), (0,), (again,), False, 1))
    page = people.drill_down(db, ask())
    assert (page.total, [row.offerings for row in page.rows]) == (2, [2, 1])
    assert page.rows[0].trainee_id == world.cast[1].id


def test_the_most_frequent_ids_are_paged_in_order() -> None:
    counts = np.zeros(2 * PAGE_SIZE + 11, np.uint32)
    counts[1:] = 1
    counts[[7, 5]] = 3
    number, first = people.most_frequent(counts, 1)
    assert number == 2 * PAGE_SIZE + 10
    assert list(first)[:3] == [5, 7, 1]
    assert (first[5], first[1], len(first)) == (3, 1, PAGE_SIZE)
    _number, last = people.most_frequent(counts, 99)
    assert len(last) == 10
    assert people.most_frequent(np.zeros(3, np.uint32), 1) == (0, {})
