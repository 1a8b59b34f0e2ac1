"""Distinct people by group, compared with sets."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.counting import participants
from courses.counting.participants import NOBODY, Participants
from courses.models.rollups import Participation
from tests.courses.worlds import Plan, World
from tests.factories import Make

GROUPS = 3
PEOPLE = st.lists(st.integers(1, 12), unique=True, max_size=6)
# The people of each offering, and its group; GROUPS stands for the rest of the branch.
HELD = st.lists(st.tuples(PEOPLE, st.integers(NOBODY, GROUPS)), max_size=8)


def arranged(people: list[list[int]]) -> Participants:
    flat = [who for of_offering in people for who in of_offering]
    return participants.arranged(
        np.arange(len(people), dtype=np.int32), np.array([len(of) for of in people], np.int32), np.array(flat, np.int32)
    )


def counts(people: Participants, groups: list[int]) -> tuple[list[int], int, int]:
    answer = participants.count(people, np.array(groups, np.int32), GROUPS)
    return answer.groups.tolist(), answer.all_groups, answer.everybody


def by_hand(people: list[list[int]], groups: list[int]) -> tuple[list[int], int, int]:
    of_group: dict[int, set[int]] = {group: set() for group in range(NOBODY, GROUPS + 1)}
    for of_offering, group in zip(people, groups, strict=True):
        of_group[group].update(of_offering)
    rows = [of_group[group] for group in range(GROUPS)]
    inside = set().union(*rows)
    return [len(row) for row in rows], len(inside), len(inside | of_group[GROUPS])


@pytest.mark.parametrize("sparse", [0, 10**6])
@given(held=HELD, changed=st.dictionaries(st.integers(0, 9), PEOPLE, max_size=4))
def test_people_of_any_groups_are_those_of_the_sets_also_after_changes(
    sparse: int, held: list[tuple[list[int], int]], changed: dict[int, list[int]]
) -> None:
    people, groups = [people for people, _group in held], [group for _people, group in held]
    known = arranged(people)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(participants, "SPARSE", sparse)
        assert counts(known, groups) == by_hand(people, groups)
        for number, fresh in changed.items():
            place = min(number, len(people))
            if place == len(people):
                people.append([])
                groups.append(place % GROUPS)
            people[place] = fresh
            known = participants.replaced(
                known, np.array([place], np.int32), np.array([len(fresh)], np.int32), np.array(fresh, np.int32)
            )
            assert counts(known, groups) == by_hand(people, groups)
    chosen = participants.chosen_trainees(known, np.array(groups, np.int32))
    expected = [
        who for of_offering, group in zip(people, groups, strict=True) if group != NOBODY for who in of_offering
    ]
    assert sorted(chosen.tolist()) == sorted(expected)


def test_the_people_of_offerings_are_read_in_the_order_of_the_offerings(db: Session, make: Make) -> None:
    ids = [make.offering().id for _ in range(3)]
    db.add_all(Participation(offering_id=i, trainees=who) for i, who in zip(ids, ([3, 70_000], [], [5]), strict=True))
    db.flush()
    driver = db.connection().connection.driver_connection
    stretches = participants.read(driver, np.array(ids))
    assert (stretches.id.tolist(), stretches.people.tolist()) == (ids, [2, 0, 1])
    assert stretches.trainee.tolist() == [3, 70_000, 5]
    assert len(set(stretches.changed.tolist())) == 1
    assert stretches.changed.all()


def test_a_changed_participation_bears_the_number_of_its_transaction(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (), False, 1))
    row = db.get_one(Participation, offering.id, populate_existing=True)
    assert row.changed_in > 0
    row.changed_in, row.trainees = 0, [1]
    db.flush()
    db.refresh(row)
    assert row.changed_in > 0


def test_an_id_of_more_than_31_bits_is_refused(db: Session, make: Make) -> None:
    db.add(Participation(offering_id=make.offering().id, trainees=[2**31]))
    db.flush()
    with pytest.raises(OverflowError, match="beyond 31 bits"):
        participants.read(db.connection().connection.driver_connection)
