"""Arrays of trainee ids: unpacked from the form in which PostgreSQL sends them, and counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import trainee_ids
from courses.models.rollups import Participation
from lms.core import binary
from tests.factories import Make

SETS = st.lists(st.lists(st.integers(0, 3000), max_size=30), max_size=6)


def arrays_of(sets: list[list[int]]) -> list[NDArray[np.uint32]]:
    return [np.array(sorted(set(ids)), np.uint32) for ids in sets]


def test_the_ids_of_several_offerings_come_as_one_array(db: Session, make: Make) -> None:
    trainees: list[list[int]] = [[3, 70_000], [], [5]]
    db.add_all(Participation(offering_id=make.offering().id, trainees=ids) for ids in trainees)
    db.flush()
    ((joined,),) = binary.rows(db, select(trainee_ids.packed()))
    assert sorted(trainee_ids.unpack(joined).tolist()) == [3, 5, 70_000]


def test_an_id_of_more_than_four_bytes_is_refused() -> None:
    with pytest.raises(OverflowError, match="beyond four bytes"):
        trainee_ids.unpack(b"\x00\x00\x00\x08" + (2**32).to_bytes(8))


def test_nothing_unpacks_to_no_ids() -> None:
    assert trainee_ids.unpack(b"").size == 0


@given(sets=SETS, dense_from=st.sampled_from([0, 16, 10**6]))
def test_distinct_ids_are_counted_alike_by_sorting_and_by_marking(sets: list[list[int]], dense_from: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainee_ids, "DENSE_FROM", dense_from)
        assert trainee_ids.count_distinct(arrays_of(sets)) == len({identity for ids in sets for identity in ids})
