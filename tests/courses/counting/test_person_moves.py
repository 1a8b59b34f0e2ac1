"""Counts of people through merges of two records and their undo: the check is clean, and what was reported stays."""

from datetime import date

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import people_recount, quarters
from courses.counting.quarters import Quarter
from courses.enrolment import consents
from courses.merging import merging
from courses.models.enrolment import Enrolment
from courses.models.privacy import ConsentWay
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.merging.test_merging import differences, merge, stored
from tests.courses.worlds import BEIJING, Plan, World, plans
from tests.factories import Make


@settings(max_examples=8)
@given(held=st.lists(plans(), min_size=1, max_size=5), frozen=st.booleans())
def test_the_check_is_clean_after_a_merge_and_after_its_undo(
    *, app: Flask, db: Session, held: list[Plan], frozen: bool
) -> None:
    with db.begin_nested() as unit:
        world = World(db)
        for plan in held:
            world.close(plan)
        make = Make(db)
        kept, merged = (world.cast.setdefault(who, make.trainee()) for who in (0, 1))
        consents.give(db, merged, ConsentWay.TICKET)
        for quarter in [Quarter(2025, number) for number in (1, 2)] if frozen else ():
            quarters.freeze(db, quarter, BEIJING)
        before, reported = stored(db), people_recount.by_copy(db)
        both_came = any({0, 1} <= {person.who for person in plan.people if person.presences} for plan in held)
        if both_came:
            with pytest.raises(DomainError, match="present in the same class"):
                merge(db, kept, merged)
            assert stored(db) == before
        else:
            row = merge(db, kept, merged)
            assert differences(db) == []
            if frozen:
                now = people_recount.by_copy(db)
                ended = [key for key in reported if key.last_day <= date(2025, 6, 30)]
                assert [now[key] for key in ended] == [reported[key] for key in ended]
            used = select(Enrolment).where(Enrolment.trainee_id == merged.id)
            assert all(each.sessions_attended == 0 for each in db.scalars(used))
            merging.undo(db, row.id, EVERYTHING)
            assert differences(db) == []
            assert stored(db) == before
        unit.rollback()
