"""Numbers of people that are kept, against a count by hand, through closings and corrections; and the check that proves them."""

from datetime import date

from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from courses.counting import participation, person_time, recount
from courses.counting.participation import Level
from courses.models.enrolment import EnrolmentState
from courses.models.rollups import Participation, PeopleCount, PersonTimeMonth
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, plans

PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def by_hand(held: list[Plan]) -> dict[Level, int]:
    """Every number of people, from the plans."""
    found: dict[Level, set[int]] = {}
    for plan in held:
        last = plan.first.toordinal() + len(plan.headcounts) - 1
        for level in participation.levels(plan.programme, plan.district, date.fromordinal(last)):
            found.setdefault(level, set()).update(person.who for person in plan.people if person.presences)
    return {level: len(people) for level, people in found.items() if people}


def nonzero(numbers: dict[Level, int]) -> dict[Level, int]:
    return {level: number for level, number in numbers.items() if number}


@settings(max_examples=25)
@given(held=st.lists(st.tuples(plans(), plans()), min_size=1, max_size=5))
def test_people_are_counted_once_however_often_they_come_and_whatever_is_corrected(
    *, db: Session, held: list[tuple[Plan, Plan]]
) -> None:
    with db.begin_nested() as unit:
        world = World(db)
        closed = [world.close(first) for first, _second in held]
        assert nonzero(participation.kept(db)) == by_hand([first for first, _second in held])
        known = [first for first, _second in held]
        for number, (offering, (first, second)) in enumerate(zip(closed, held, strict=True)):
            people = tuple(
                Person(
                    one.who, one.state, tuple(there for there in one.presences if there.session < len(first.headcounts))
                )
                for one in second.people
            )
            changed = Plan(first.first, first.headcounts, people, first.refresher, first.district, first.programme)
            world.fill(offering, changed)
            person_time.record_correction(db, offering, "more came", BEIJING)
            known[number] = changed
            assert nonzero(participation.kept(db)) == by_hand(known)
        assert nonzero(participation.recounted(db)) == by_hand(known)
        participation.rebuild_counts(db)
        assert nonzero(participation.kept(db)) == by_hand(known)
        assert [stale for step in recount.check_kept(db) for stale in step] == []
        unit.rollback()


def test_the_check_finds_what_was_kept_wrongly(app: Flask, db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    db.execute(update(PeopleCount).where(PeopleCount.period == "2025-03").values(people=7))
    db.execute(update(PersonTimeMonth).values(counted=11))
    db.execute(update(Participation).where(Participation.offering_id == offering.id).values(trainees=[]))
    db.commit()
    result = app.test_cli_runner().invoke(args=["person-time", "check"])
    assert result.exit_code == 1
    assert "people is 0 in the ledger, 1 recounted" in result.output
    assert "people  0 2025-03 is 7, recounted 0" in result.output
    assert "person_time_month 2025-03-01" in result.output
    assert "is 12, recounted 11" in result.output
