"""Identity conflicts: an ID number with another name tells nothing of its record, is audited, and is stopped after many."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import daily_counts, identity_conflicts, places, trainees
from courses.enrolment.trainees import IdentityConflict, TraineeFacts, register
from courses.models.enrolment import Enrolment
from courses.models.trainees import IdType
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

TODAY = date(2026, 5, 1)
ID = "11010519491231002X"
VICTIM = TraineeFacts("真名", phone="+8613812345678", birth_year=1949, id_type=IdType.RESIDENT, id_number=ID)
GUESS = TraineeFacts("试名", phone="+8613900000009", id_type=IdType.RESIDENT, id_number=ID)


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("scope", [Scope(district_ids=frozenset({1})), EVERYTHING])
def test_an_id_number_with_another_name_enrols_nobody(scope: Scope, confirmed: bool, db: Session, make: Make) -> None:
    audit.act_as(db, make.user(Role.DISTRICT_ADMINISTRATOR).id)
    victim = register(db, VICTIM, 2)
    offering = make.offering()
    result = places.enrol_by_staff(db, offering, GUESS, scope, confirmed=confirmed, today=TODAY)
    assert (result.enrolment, result.conflict, result.clashes, result.differences) == (None, True, (), ())
    assert db.scalars(select(Enrolment)).all() == []
    assert (victim.name, victim.phone) == ("真名", "+8613812345678")
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.conflict")).one()
    assert entry.subject == f"trainee:{victim.id}"


def test_the_refusal_of_the_register_names_nobody(db: Session) -> None:
    register(db, VICTIM, 2)
    for call in (lambda: register(db, GUESS, 1), lambda: trainees.register_all(db, [trainees.validate(GUESS)], 1)):
        with pytest.raises(IdentityConflict) as refusal:
            call()
        assert "真名" not in str(refusal.value)
        assert refusal.value.params == {}


def test_whoever_tries_names_is_stopped_also_with_the_right_one(db: Session, make: Make) -> None:
    audit.act_as(db, make.user(Role.COORDINATOR).id)
    register(db, VICTIM, 2)
    offering = make.offering()

    def guess(name: str) -> bool:
        facts = replace(GUESS, name=name)
        return places.enrol_by_staff(db, offering, facts, Scope(), confirmed=True, today=TODAY).conflict

    assert all(guess(f"试名{number}") for number in range(daily_counts.CONFLICTS_PER_DAY))
    for name in ("又一试名", "真名"):
        with pytest.raises(DomainError) as refusal:
            guess(name)
        assert refusal.value.code == "too_many_conflicts"
    honest = TraineeFacts("李四", phone="+8613900000001")
    assert places.enrol_by_staff(db, offering, honest, Scope(), confirmed=False, today=TODAY).enrolment is not None
    tomorrow = date(2026, 5, 2)
    assert places.enrol_by_staff(db, offering, VICTIM, Scope(), confirmed=True, today=tomorrow).enrolment is not None


def test_the_last_of_the_day_still_counts(db: Session, make: Make) -> None:
    audit.act_as(db, make.user(Role.COORDINATOR).id)
    record = register(db, VICTIM, 2)
    assert identity_conflicts.count(db, [record] * daily_counts.CONFLICTS_PER_DAY, TODAY)
    assert not identity_conflicts.count(db, [record], TODAY)
    identity_conflicts.refuse_after_many(db, [TraineeFacts("李四", phone="+8613900000001")], TODAY)
