"""Numbers of people by the copy in memory and by marking, compared with a count by hand through closings and corrections."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.counting import people_recount, person_time, recount
from courses.counting.people_recount import CountKey
from courses.models.enrolment import EnrolmentState
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, plans

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def count_keys(programme: str, district: int, day: date) -> set[CountKey]:
    """The keys of all numbers in which a participation counts. `day`: the day its offering is dated by."""
    places = ((programme, 0), ("", district), ("", 0))
    keys = {CountKey(code, number, period) for code, number in places for period in (f"{day:%Y}", "")}
    return keys | {CountKey("", 0, f"{day:%Y-%m}")}


def by_hand(held: list[Plan]) -> dict[CountKey, int]:
    """Every number of people, from the plans."""
    people_of: dict[CountKey, set[int]] = {}
    for plan in held:
        last = plan.first.toordinal() + len(plan.headcounts) - 1
        for key in count_keys(plan.programme, plan.district, date.fromordinal(last)):
            people_of.setdefault(key, set()).update(person.who for person in plan.people if person.presences)
    return {key: len(people) for key, people in people_of.items() if people}


def nonzero(numbers: dict[CountKey, int]) -> dict[CountKey, int]:
    return {key: number for key, number in numbers.items() if number}


@settings(max_examples=25)
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
