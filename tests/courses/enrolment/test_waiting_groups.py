"""Groups of the waiting list: made by sign-up, split by the consent of whoever enrolled them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import places, waiting_groups, waiting_list
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from lms.core import clock
from lms.core.errors import DomainError
from tests.factories import Make

IN_A_MONTH = timedelta(days=30)


def test_people_who_come_together_wait_together_where_the_last_stands(db: Session, make: Make) -> None:
    offering = make.offering(capacity=2, starts=[clock.now() + IN_A_MONTH])
    seated = [places.enrol(db, offering.id, make.trainee(), source=EnrolmentSource.STAFF) for _ in range(2)]
    phone = make.phone()
    mother = places.enrol_oneself(db, offering.id, TraineeFacts("王芳", phone=phone)).enrolment
    between = places.enrol_oneself(db, offering.id, TraineeFacts("赵敏", phone=make.phone())).enrolment
    child = places.enrol_oneself(db, offering.id, TraineeFacts("李明", phone=phone), companion=mother).enrolment
    assert [waiting_list.position(db, row) for row in (between, mother, child)] == [1, 2, 3]
    standing = waiting_groups.standing(db, mother)
    assert standing is not None
    assert (standing.people, standing.may_split, standing.by_list, standing.answers) == (2, False, False, True)
    assert waiting_groups.of_offering(db, offering) == {mother.group_id: 2}
    assert [waiting_groups.is_contact(db, row) for row in (mother, child, between)] == [True, False, True]
    places.cancel(db, between, "有事")
    places.cancel(db, seated[0], "有事")
    assert not mother.is_offered
    waiting_groups.set_may_split(db, mother, may_split=True)
    assert (mother.is_offered, child.is_offered) == (True, False)
    assert waiting_groups.standing(db, child) is None


def test_whoever_has_a_place_makes_no_group(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + IN_A_MONTH])
    phone = make.phone()
    first = places.enrol_oneself(db, offering.id, TraineeFacts("王芳", phone=phone)).enrolment
    second = places.enrol_oneself(db, offering.id, TraineeFacts("李明", phone=phone), companion=first).enrolment
    assert (second.state, second.group_id) == (EnrolmentState.WAITLISTED, None)
    with pytest.raises(DomainError, match="no longer wait together"):
        waiting_groups.set_may_split(db, second, may_split=True)


def test_a_list_larger_than_the_class_cannot_stay_together(db: Session, make: Make) -> None:
    offering = make.offering(capacity=2, starts=[clock.now() + IN_A_MONTH])
    people = [(make.trainee(), None) for _ in range(3)]
    with pytest.raises(DomainError, match="fewer places"):
        places.enrol_all(db, offering.id, people, source=EnrolmentSource.IMPORT, may_split=False)
