"""Certificates that people hold: own and legacy certificates, as things were on a day."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import held, issuing, reissue, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.reissue import Correction
from courses.enrolment.held_certificates import Held
from courses.models.enrolment import EnrolmentState
from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.scope import EVERYTHING
from tests.certificates.conftest import closed_offering
from tests.factories import Make

Take = Callable[..., Certificate]


@pytest.fixture
def take(db: Session, make: Make, branch: Branch) -> Take:
    """Let a trainee complete a course of a certificate type, and give the certificate: `take(trainee, type=1)`."""

    def taken(trainee: Trainee, certificate_type: int = 1, **facts: object) -> Certificate:
        offering = closed_offering(make, make.new_course(certificate_type=certificate_type, **facts))
        enrolment = make.enrolment(
            offering, trainee, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
        )
        issuing.issue_owed(db, branch)
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    return taken


def test_each_type_is_told_by_its_latest_end_in_one_statement(
    db: Session, make: Make, take: Take, statements: list[str]
) -> None:
    trainee, other, today = make.trainee(), make.trainee(), clock.branch_today()
    short, long, endless = take(trainee, validity_months=6), take(trainee), take(trainee, 2, validity_months=None)
    take(trainee, 3)
    former = make.legacy_certificate(other, date(2018, 2, 28))
    statements.clear()
    people = held.of_people(db, [trainee.id, other.id, make.trainee().id], [1, 2], on=today)
    assert len([text for text in statements if text.startswith("SELECT")]) == 1
    assert short.valid_until is not None
    assert people == {
        trainee.id: (Held(endless.number, 2, None), Held(long.number, 1, long.valid_until)),
        other.id: (Held(former.number, 1, date(2018, 2, 28), legacy=True),),
    }
    assert held.latest(db, [trainee.id, other.id], [1], on=today)[trainee.id].number == long.number


def test_what_was_issued_after_the_day_or_revoked_is_not_held(db: Session, make: Make, take: Take) -> None:
    trainee, today = make.trainee(), clock.branch_today()
    revoked = take(trainee)
    assert held.of_people(db, [trainee.id], [1], on=today - timedelta(days=1)) == {}
    revocation.revoke(db, revoked, "misuse")
    make.legacy_certificate(trainee, None, revoked_at=clock.now(), revoke_reason="misuse")
    assert held.of_people(db, [trainee.id], [1], on=today) == {}


def test_what_an_offering_renewed_was_held_when_it_is_judged_again(db: Session, make: Make, take: Take) -> None:
    trainee, today = make.trainee(), clock.branch_today()
    old = take(trainee)
    new = take(trainee, refresher=True)
    offering_id = new.enrolment.offering_id
    assert held.latest(db, [trainee.id], [1], on=today)[trainee.id].number == new.number
    again = held.of_people(db, [trainee.id], [1], on=today, renewed_in=offering_id)
    assert [row.number for row in again[trainee.id]] == [old.number]
    alone = make.trainee()
    own = take(alone, refresher=True)
    assert held.of_people(db, [alone.id], [1], on=today, renewed_in=own.enrolment.offering_id) == {}


def test_a_corrected_certificate_was_held_before_its_correction_unless_that_was_revoked(
    db: Session, make: Make, take: Take, branch: Branch
) -> None:
    trainee = make.trainee("张伟")
    tomorrow = clock.now() + timedelta(days=1)
    day = clock.branch_today()
    old = take(trainee)
    with clock.at(tomorrow):
        reissue.request(db, old, Correction("张玮", {}), "misspelt", branch=branch, scope=EVERYTHING)
        reissue.issue_owed(db, branch)
    new = db.scalars(select(Certificate).where(Certificate.replaces_id == old.id)).one()
    assert held.latest(db, [trainee.id], [1], on=day)[trainee.id].number == old.number
    assert held.latest(db, [trainee.id], [1], on=day + timedelta(days=1))[trainee.id].number == new.number
    revocation.revoke(db, new, "misuse")
    assert held.of_people(db, [trainee.id], [1], on=day) == {}
