"""Rights on people's records: whoever sees all of a record may change it, and everybody else proposes."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import trainees_rights
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from courses.models.trainees import Trainee
from lms.core.access import scope_of
from lms.core.errors import Denied
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

MakeScope = Callable[..., Scope]


@pytest.fixture
def scope_for(make: Make) -> MakeScope:
    """Give the scope of a new user with one role, in district 1 or at an organisation."""

    def scope(role: Role, organisation_id: int | None = None) -> Scope:
        user = make.user(role, organisation_id=organisation_id)
        return scope_of(user.id, user.grants)

    return scope


def may(db: Session, trainee: Trainee, scope: Scope) -> bool:
    return trainees_rights.may_change(db, trainee, scope)


def test_each_role_may_change_whom_it_sees_whole(db: Session, make: Make, scope_for: MakeScope) -> None:
    host = make.organisation(1)
    person = make.enrolment(make.offering(organisation=host), make.trainee(district_id=1)).trainee
    answers = {role: may(db, person, scope_for(role, host.id)) for role in Role}
    assert answers == {
        Role.TRAINEE: False,
        Role.INSTRUCTOR: False,
        Role.COORDINATOR: True,
        Role.DISTRICT_ADMINISTRATOR: True,
        Role.CITY_ADMINISTRATOR: True,
        Role.AUDITOR: False,
    }


@pytest.mark.parametrize("state", [EnrolmentState.ENROLLED, EnrolmentState.CANCELLED, EnrolmentState.COMPLETED])
@pytest.mark.parametrize("source", [EnrolmentSource.SELF, EnrolmentSource.IMPORT, EnrolmentSource.WALK_IN])
def test_an_enrolment_elsewhere_of_any_kind_leaves_only_a_proposal(
    state: EnrolmentState, source: EnrolmentSource, db: Session, make: Make, scope_for: MakeScope
) -> None:
    host = make.organisation(1)
    person = make.enrolment(make.offering(organisation=host), make.trainee(district_id=1)).trainee
    coordinator, district = scope_for(Role.COORDINATOR, host.id), scope_for(Role.DISTRICT_ADMINISTRATOR)
    make.enrolment(make.offering(organisation=make.organisation(1)), person, state, source=source)
    assert (may(db, person, coordinator), may(db, person, district)) == (False, True)
    make.enrolment(make.offering(organisation=make.organisation(2)), person, state, source=source)
    assert (may(db, person, district), may(db, person, EVERYTHING)) == (False, True)


def test_whom_another_district_registered_belongs_to_that_district(
    db: Session, make: Make, scope_for: MakeScope
) -> None:
    host = make.organisation(1)
    offering = make.offering(organisation=host)
    theirs = make.enrolment(offering, make.trainee(district_id=2)).trainee
    nobodys = make.enrolment(offering, make.trainee()).trainee
    for scope in (scope_for(Role.COORDINATOR, host.id), scope_for(Role.DISTRICT_ADMINISTRATOR)):
        assert not may(db, theirs, scope)
        assert may(db, nobodys, scope)
        assert not may(db, make.trainee(), scope), "a person without enrolment or district is the city's"
        with pytest.raises(Denied):
            trainees_rights.demand_change(db, theirs, scope)


def test_an_instructors_own_sessions_elsewhere_widen_nothing(db: Session, make: Make) -> None:
    """A coordinator who teaches in district 2 sees the enrolment there, and may still not change the record."""
    host = make.organisation(1)
    user = make.user(Role.COORDINATOR, Role.INSTRUCTOR, organisation_id=host.id)
    person = make.enrolment(make.offering(organisation=host), make.trainee(district_id=1)).trainee
    elsewhere = make.offering(organisation=make.organisation(2), lead=make.instructor(user=user))
    make.enrolment(elsewhere, person)
    assert not may(db, person, scope_of(user.id, user.grants))


def test_many_people_take_one_statement(db: Session, make: Make, statements: list[str]) -> None:
    host = make.organisation(1)
    people = [
        make.enrolment(make.offering(organisation=host), make.trainee(district_id=1)).trainee_id for _ in range(5)
    ]
    other = make.trainee(district_id=2).id
    scope = Scope(district_ids=frozenset({1}))
    statements.clear()
    assert trainees_rights.changeable_ids(db, [*people, other], scope) == set(people)
    assert len(statements) == 1
    assert trainees_rights.changeable_ids(db, people, Scope()) == set()
    assert trainees_rights.legible_ids(db, [*people, other], Scope(everything=True, read_only=True)) == {*people, other}
    assert len(statements) == 1
