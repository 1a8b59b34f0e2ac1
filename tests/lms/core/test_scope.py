"""The one query layer: what each kind of grant covers, and that one role never widens another."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.access import scope_of
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Role, Scope, fetch, visible
from tests.factories import Make


def grant(role: Role, district_id: int | None = None, organisation_id: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(role=role, district_id=district_id, organisation_id=organisation_id)


def seen(db: Session, scope: Scope) -> set[int]:
    return set(db.scalars(visible(select(Offering.id), Offering, scope)))


def test_each_role_sees_its_own(db: Session, make: Make) -> None:
    teacher = make.user(Role.INSTRUCTOR)
    learner = make.user(Role.TRAINEE)
    here, there = make.organisation(1), make.organisation(2)
    first = make.offering(organisation=here, lead=make.instructor(user=teacher))
    second = make.offering(organisation=there)
    person = make.trainee(user_id=learner.id)
    own = make.enrolment(second, person)
    make.enrolment(first)

    assert seen(db, EVERYTHING) == {first.id, second.id}
    assert seen(db, Scope()) == set()
    assert seen(db, scope_of(1, [grant(Role.DISTRICT_ADMINISTRATOR, 1)])) == {first.id}
    assert seen(db, scope_of(1, [grant(Role.COORDINATOR, None, there.id)])) == {second.id}
    assert seen(db, scope_of(teacher.id, [grant(Role.INSTRUCTOR)])) == {first.id}
    assert seen(db, scope_of(teacher.id + 1000, [grant(Role.INSTRUCTOR)])) == set()
    assert seen(db, scope_of(1, [grant(Role.AUDITOR)])) == {first.id, second.id}
    trainee_scope = scope_of(learner.id, [grant(Role.TRAINEE)])
    assert set(db.scalars(visible(select(Enrolment.id), Enrolment, trainee_scope))) == {own.id}
    assert set(db.scalars(visible(select(Trainee.id), Trainee, trainee_scope))) == {person.id}


def test_another_districts_row_is_as_absent_as_none(db: Session, make: Make) -> None:
    there = make.offering(organisation=make.organisation(2))
    scope = scope_of(1, [grant(Role.DISTRICT_ADMINISTRATOR, 1)])
    with pytest.raises(NotFound):
        fetch(db, Offering, there.id, scope)
    with pytest.raises(NotFound):
        fetch(db, Offering, 10**12, scope)
    assert fetch(db, Offering, there.id, EVERYTHING) is there


def test_a_trainee_enrolled_in_the_district_is_seen_there_and_nowhere_else(db: Session, make: Make) -> None:
    enrolled, registered = make.trainee(), make.trainee(district_id=2)
    make.enrolment(make.offering(organisation=make.organisation(1)), enrolled)
    reach = {n: scope_of(1, [grant(Role.DISTRICT_ADMINISTRATOR, n)]) for n in (1, 2, 3)}
    people = {n: set(db.scalars(visible(select(Trainee.id), Trainee, scope))) for n, scope in reach.items()}
    assert people == {1: {enrolled.id}, 2: {registered.id}, 3: set()}
