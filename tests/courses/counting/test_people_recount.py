"""Numbers of people by the copy in memory and by marking, compared with a count by hand through closings and corrections."""

from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.counting import frozen_figures, people_recount, person_time, quarters, recount
from courses.counting.people_recount import CountKey
from courses.counting.quarters import Quarter
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, plans

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def by_hand(held: list[Plan]) -> dict[CountKey, int]:
    """Every number of people, from the plans."""
    people_of: dict[CountKey, set[int]] = {}
    for plan in held:
        last = plan.first.toordinal() + len(plan.headcounts) - 1
        for key in people_recount.count_keys(plan.programme, plan.district, date.fromordinal(last)):
            people_of.setdefault(key, set()).update(person.who for person in plan.people if person.presences)
    return {key: len(people) for key, people in people_of.items() if people}


def nonzero(numbers: dict[CountKey, int]) -> dict[CountKey, int]:
    return {key: number for key, number in numbers.items() if number}


@settings(max_examples=12)
@given(held=st.lists(st.tuples(plans(), plans()), min_size=1, max_size=5))
def test_people_are_counted_once_however_often_they_come_and_whatever_is_corrected(
    *, db: Session, held: list[tuple[Plan, Plan]]
) -> None:
    with db.begin_nested() as unit:
        world = World(db)
        closed = [world.close(first) for first, _second in held]
        assert nonzero(people_recount.by_copy(db)) == by_hand([first for first, _second in held])
        known = [first for first, _second in held]
        for number, (offering, (first, second)) in enumerate(zip(closed, held, strict=True)):
            people = tuple(
                Person(
                    person.who,
                    person.state,
                    tuple(presence for presence in person.presences if presence.session < len(first.headcounts)),
                )
                for person in second.people
            )
            changed = Plan(first.first, first.headcounts, people, first.refresher, first.district, first.programme)
            world.fill(offering, changed)
            person_time.record_correction(db, offering, "more came", BEIJING)
            known[number] = changed
            assert nonzero(people_recount.by_copy(db)) == by_hand(known)
        assert nonzero(people_recount.by_marking(db)) == by_hand(known)
        assert [difference for step in recount.check_rollups(db) for difference in step] == []
        unit.rollback()


@settings(max_examples=12)
@given(
    held=st.lists(st.tuples(plans(), plans()), min_size=1, max_size=5),
    frozen=st.sets(st.integers(1, 4), min_size=1),
    more=plans(),
)
def test_no_figure_of_a_frozen_quarter_changes_whatever_is_corrected_or_counted_later(
    *, db: Session, held: list[tuple[Plan, Plan]], frozen: set[int], more: Plan
) -> None:
    """The numbers of months and years that end with a frozen quarter stay as well, and all others follow."""
    with db.begin_nested() as unit, clock.at(datetime(2026, 2, 3, 12, tzinfo=BEIJING)):
        world = World(db)
        closed = [world.close(first) for first, _second in held]
        chosen = [Quarter(2025, number) for number in sorted(frozen)]
        for quarter in chosen:
            quarters.freeze(db, quarter, BEIJING)
        figures, numbers = frozen_figures.stored(db, chosen), people_recount.by_copy(db)
        for offering, (first, second) in zip(closed, held, strict=True):
            people = tuple(
                Person(
                    person.who, person.state, tuple(at for at in person.presences if at.session < len(first.headcounts))
                )
                for person in second.people
            )
            world.fill(
                offering, Plan(first.first, first.headcounts, people, first.refresher, first.district, first.programme)
            )
            person_time.record_correction(db, offering, "more came", BEIJING)
        world.close(more)
        for quarter in chosen:
            assert frozen_figures.computed(db, quarter) == figures.get(quarter, {})
        after = people_recount.by_copy(db)
        for key, number in numbers.items():
            month = key.period[5:]
            if month and Quarter.of(key.last_day) in chosen:
                assert after[key] == number
            if frozen == {1, 2, 3, 4} and key.period:
                assert after[key] == number
        assert nonzero(people_recount.by_marking(db)) == nonzero(after)
        assert [difference for step in recount.check_rollups(db) for difference in step] == []
        unit.rollback()
