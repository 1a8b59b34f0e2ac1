"""A renewal supersedes the legacy certificate of its holder, matched before or after."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.legacy import legacy, matching, superseding
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from certificates.states import State
from courses.models.catalogue import Course
from courses.models.enrolment import EnrolmentState
from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.audit import AuditEntry
from tests.certificates.conftest import closed_offering
from tests.certificates.legacy_people import ID_NUMBER, legacy_of, person
from tests.factories import Make

Take = Callable[[Trainee, Course], Certificate]


@pytest.fixture
def refresher(make: Make) -> Course:
    return make.new_course(refresher=True, certificate_type=1)


@pytest.fixture
def take(db: Session, make: Make, branch: Branch) -> Take:
    """Let a trainee complete a course, and give the certificate."""

    def taken(trainee: Trainee, course: Course) -> Certificate:
        enrolment = make.enrolment(
            closed_offering(make, course), trainee, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
        )
        issuing.issue_owed(db, branch)
        db.commit()
        db.expire_all()
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    return taken


def successor(db: Session, row: LegacyCertificate) -> int | None:
    db.refresh(row)
    return row.superseded_by_id


def test_a_refresher_supersedes_the_newest_legacy_certificate_of_the_type(
    db: Session, make: Make, take: Take, refresher: Course
) -> None:
    trainee = make.trainee("张三丰")
    older, newer = legacy_of(db, holder=trainee, issued_on=date(2012, 1, 1)), legacy_of(db, holder=trainee)
    typeless = legacy_of(db, holder=trainee, certificate_type=None, issued_on=date(2016, 1, 1))
    another = legacy_of(db, holder=trainee, certificate_type=2)
    not_his = legacy_of(db)
    new = take(trainee, refresher)
    assert new.replaces_id is None
    assert successor(db, newer) == new.id
    assert [successor(db, row) for row in (older, typeless, another, not_his)] == [None] * 4
    acts = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"legacy_certificate:{newer.id}")).all()
    assert acts == ["certificate.renew"]
    assert superseding.settle(db, [trainee.id]) == {}
    found = legacy.find(db, newer.number, "张三丰", today=clock.branch_today())
    assert found is not None
    assert (found.state, found.successor is not None) == (State.SUPERSEDED, True)


def test_a_certificate_of_this_system_is_renewed_in_its_place(
    db: Session, make: Make, take: Take, refresher: Course
) -> None:
    trainee = make.trainee("张三丰")
    row = legacy_of(db, holder=trainee)
    first = take(trainee, make.new_course(certificate_type=1))
    assert successor(db, row) is None, "an ordinary course renews nothing"
    second = take(trainee, refresher)
    assert (second.replaces_id, successor(db, row)) == (first.id, None)


def test_what_is_matched_after_the_renewal_is_superseded_as_if_it_had_been_matched_before(
    db: Session, make: Make, take: Take, refresher: Course
) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    new = take(trainee, refresher)
    row = legacy_of(db, id_number=ID_NUMBER)
    revoked = legacy_of(db, id_number=ID_NUMBER, certificate_type=2)
    assert matching.match_people(db, [trainee.id]).by_number == 2
    assert successor(db, row) == new.id
    assert successor(db, revoked) is None
    later = take(trainee, refresher)
    assert (later.replaces_id, successor(db, row)) == (new.id, new.id)


def test_a_revoked_legacy_certificate_and_a_revoked_renewal_supersede_nothing(
    db: Session, make: Make, take: Take, refresher: Course
) -> None:
    trainee = make.trainee("张三丰")
    row = legacy_of(db, holder=trainee)
    legacy.revoke(db, row.number, "伪造")
    take(trainee, refresher)
    assert successor(db, row) is None


def test_the_nightly_run_finds_a_pair_that_a_race_left_behind(
    db: Session, make: Make, take: Take, refresher: Course
) -> None:
    trainee = make.trainee("张三丰")
    new = take(trainee, refresher)
    row = legacy_of(db, holder=trainee)
    for _progress in matching.match_all(db):
        db.commit()
    assert successor(db, row) == new.id
