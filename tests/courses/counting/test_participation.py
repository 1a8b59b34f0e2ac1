"""The participation of an offering is who was present, also after a correction."""

from datetime import date

from sqlalchemy.orm import Session

from courses.counting import participation
from courses.models.enrolment import EnrolmentState
from courses.models.rollups import Participation
from tests.courses.worlds import Person, Plan, Presence, World

TWICE = (Presence(0, 0, None), Presence(1, 0, None))
BOTH, FIRST, NEVER = (Person(who, EnrolmentState.INCOMPLETE, there) for who, there in enumerate((TWICE, TWICE[:1], ())))
PLAN = Plan(date(2025, 3, 1), (0, 0), (BOTH, FIRST, NEVER), False, 1)


def test_it_holds_everybody_who_was_present_once_in_the_order_of_their_records(db: Session) -> None:
    world = World(db)
    offering = world.close(PLAN)
    row = db.get_one(Participation, offering.id)
    assert row.trainees == sorted(world.cast[who].id for who in (0, 1))
    world.fill(offering, Plan(PLAN.first, PLAN.headcounts, (FIRST,), False, 1))
    participation.update(db, offering.id)
    db.refresh(row)
    assert row.trainees == [world.cast[1].id]
