"""A refresher renews: the new certificate names the old, and the old leads to the new."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import holding, issuing, issuing_progress, renewal, revocation
from certificates.branch import Branch
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.states import State
from certificates.verification.verification import verify
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.audit import AuditEntry
from tests.certificates.conftest import closed_offering
from tests.factories import Make

Renew = Callable[..., Certificate]


@pytest.fixture
def refresher(make: Make) -> Course:
    return make.new_course(refresher=True, certificate_type=1)


@pytest.fixture
def take(db: Session, make: Make, branch: Branch) -> Renew:
    """Let a trainee complete a course, and give the certificate."""

    def taken(trainee: Trainee, course: Course) -> Certificate:
        enrolment = complete(make, trainee, closed_offering(make, course))
        issuing.issue_owed(db, branch)
        db.commit()
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    return taken


def complete(make: Make, trainee: Trainee, offering: Offering) -> Enrolment:
    return make.enrolment(offering, trainee, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1)


def test_the_new_names_the_old_and_the_old_leads_to_the_new(
    db: Session, make: Make, take: Renew, refresher: Course, branch: Branch
) -> None:
    trainee = make.trainee("张三丰")
    old = take(trainee, make.new_course(certificate_type=1))
    new = take(trainee, refresher)
    db.refresh(old)
    assert new.replaces_id == old.id
    assert old.superseded_by_id == new.id
    verdict = verify(db, digits_of(old.payload), today=clock.today(branch.zone), keys=PublicKeyCache())
    assert verdict.state is State.SUPERSEDED
    assert verdict.successor == digits_of(new.payload)
    assert (
        verify(db, digits_of(new.payload), today=clock.today(branch.zone), keys=PublicKeyCache()).state is State.VALID
    )
    acts = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"certificate:{old.id}")).all()
    assert "certificate.renew" in acts


def test_a_chain_of_three_is_shown_from_each_of_its_ends(
    db: Session, make: Make, take: Renew, refresher: Course
) -> None:
    trainee = make.trainee()
    three = [take(trainee, make.new_course(certificate_type=1)), take(trainee, refresher), take(trainee, refresher)]
    for certificate in three:
        db.refresh(certificate)
        links = renewal.chain(db, certificate.id)
        assert [link.certificate.id for link in links] == [certificate.id for certificate in three]
        assert not any(link.corrected for link in links)
    numbers = [renewal.renewed_number(db, row, renewal.chain(db, row.id)) for row in three]
    assert numbers == [None, three[0].number, three[1].number]


def test_without_an_old_one_a_refresher_simply_issues(make: Make, take: Renew, refresher: Course) -> None:
    certificate = take(make.trainee(), refresher)
    assert certificate.replaces_id is None
    assert certificate.superseded_by_id is None


def test_an_ordinary_course_renews_nothing(db: Session, make: Make, take: Renew) -> None:
    trainee = make.trainee()
    course = make.new_course(certificate_type=1)
    old, again = take(trainee, course), take(trainee, course)
    db.refresh(old)
    assert (old.superseded_by_id, again.replaces_id) == (None, None)


@pytest.mark.parametrize("why", ["revoked", "another type", "another person"])
def test_what_a_refresher_does_not_renew(db: Session, make: Make, take: Renew, refresher: Course, why: str) -> None:
    trainee = make.trainee()
    holder = make.trainee() if why == "another person" else trainee
    old = take(holder, make.new_course(certificate_type=2 if why == "another type" else 1))
    if why == "revoked":
        revocation.revoke(db, old, "mistake")
    new = take(trainee, refresher)
    db.refresh(old)
    assert old.superseded_by_id is None
    assert new.replaces_id is None


def test_the_newest_is_renewed(db: Session, make: Make, take: Renew, refresher: Course) -> None:
    trainee = make.trainee()
    course = make.new_course(certificate_type=1)
    older, newer = take(trainee, course), take(trainee, course)
    new = take(trainee, refresher)
    db.refresh(older)
    assert new.replaces_id == newer.id
    assert older.superseded_by_id is None


def test_two_refreshers_in_one_chunk_make_one_chain(
    db: Session, make: Make, take: Renew, refresher: Course, branch: Branch
) -> None:
    trainee = make.trainee()
    old = take(trainee, make.new_course(certificate_type=1))
    for _ in range(2):
        complete(make, trainee, closed_offering(make, refresher))
    assert issuing.issue_owed(db, branch) == 2
    db.expire_all()
    links = renewal.chain(db, old.id)
    assert [link.certificate.superseded_by_id is None for link in links] == [False, False, True]
    assert [link.certificate.replaces_id for link in links] == [None, links[0].certificate.id, links[1].certificate.id]


def test_a_chunk_without_refreshers_costs_one_statement(
    db: Session, make: Make, take: Renew, statements: list[str]
) -> None:
    certificate = take(make.trainee(), make.new_course(certificate_type=1))
    statements.clear()
    renewal.renew(db, [certificate.enrolment_id])
    assert len(statements) == 1


def test_a_renewed_certificate_still_counts_as_issued_in_its_own_offering(
    db: Session, make: Make, take: Renew, refresher: Course, branch: Branch
) -> None:
    trainee = make.trainee()
    old = take(trainee, make.new_course(certificate_type=1))
    take(trainee, refresher)
    db.expire_all()
    progress = issuing_progress.of_offering(db, old.enrolment.offering, today=clock.today(branch.zone))
    assert [(certificate.number, certificate.state) for certificate in progress.issued] == [
        (old.number, State.SUPERSEDED)
    ]
    assert progress.refused == ()


def test_the_holder_of_the_old_ticket_sees_the_new_certificate(
    db: Session, make: Make, take: Renew, refresher: Course, branch: Branch
) -> None:
    trainee = make.trainee()
    old = take(trainee, make.new_course(certificate_type=1))
    take(trainee, refresher)
    last = take(trainee, refresher)
    db.expire_all()
    held = holding.of_enrolment(db, old.enrolment_id, zone=branch.zone)
    assert held is not None
    assert (held.number, held.state) == (last.number, State.VALID)
    assert holding.of_ticket(db, old.enrolment.ticket) is last
