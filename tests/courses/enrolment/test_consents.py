"""Consents: given, asked for again, and withdrawn."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import consents, privacy_texts
from courses.enrolment.consents import Guardian, Relation
from courses.models.privacy import ConsentGiver, ConsentWay
from lms.core import audit, clock
from lms.core.errors import DomainError, NotFound
from lms.core.scope import Role
from tests.factories import Make


def test_a_consent_says_which_text_when_by_whom_and_how(db: Session, make: Make) -> None:
    trainee = make.trainee()
    assert consents.is_asked(db, trainee)
    assert consents.without(db, [trainee.id]) == {trainee.id}
    row = consents.give(db, trainee, ConsentWay.SELF_ENROLMENT)
    assert (row.version, row.giver, row.recorded_by) == (1, ConsentGiver.ONESELF, None)
    assert not consents.is_asked(db, trainee)
    assert consents.without(db, [trainee.id]) == set()
    assert consents.give(db, trainee, ConsentWay.TICKET) is row  # it stands already


def test_staff_record_a_paper_and_a_guardians_name_is_encrypted(db: Session, make: Make) -> None:
    user = make.user(Role.COORDINATOR)
    audit.act_as(db, user.id)
    row = consents.give(db, make.trainee(), ConsentWay.DESK, guardian=Guardian("王芳", Relation.MOTHER))
    assert (row.recorded_by, row.giver) == (user.id, ConsentGiver.GUARDIAN)
    assert row.guardian() == {"name": "王芳", "relation": "mother"}
    assert "王芳".encode() not in (row.guardian_sealed or b"")


@pytest.mark.parametrize(("name", "relation"), [(None, "mother"), ("王芳", ""), ("", None)])
def test_a_guardian_has_name_and_relation(name: str | None, relation: str | None) -> None:
    with pytest.raises(DomainError):
        consents.guardian_of(name, relation)


def test_a_new_text_is_asked_about_again_and_the_one_shown_must_hold(db: Session, make: Make) -> None:
    trainee = make.trainee()
    consents.give(db, trainee, ConsentWay.ACCOUNT)
    privacy_texts.publish(db, "新文本", "New text", clock.branch_today())
    assert consents.is_asked(db, trainee)
    assert consents.version_shown(db, 2).version == 2
    for shown in (1, None):
        with pytest.raises(DomainError, match="changed meanwhile"):
            consents.version_shown(db, shown)


def test_a_withdrawal_needs_no_reason_and_is_kept(db: Session, make: Make) -> None:
    trainee = make.trainee()
    with pytest.raises(NotFound):
        consents.withdraw(db, trainee)
    consents.give(db, trainee, ConsentWay.TICKET)
    consents.withdraw(db, trainee)
    assert consents.has_withdrawn(db, trainee.id)
    assert consents.standing(db, trainee.id) is None
    assert consents.history(db, trainee.id)[0].withdrawn_at is not None
    consents.give(db, trainee, ConsentWay.TICKET)
    assert not consents.has_withdrawn(db, trainee.id)


def test_a_list_records_consents_of_its_people_alone(db: Session, make: Make) -> None:
    audit.act_as(db, make.user(Role.COORDINATOR).id)
    offering = make.offering(starts=[clock.now() + timedelta(days=1)])
    listed, other, elsewhere = make.trainee(), make.trainee(), make.trainee()
    for trainee in (listed, other):
        make.enrolment(offering, trainee)
    assert consents.give_for_offering(db, offering.id, [listed.id, elsewhere.id]) == 1
    assert consents.without(db, [listed.id, other.id, elsewhere.id]) == {other.id, elsewhere.id}
