"""Notices to holders: once for each act, in its transaction, to whom something reaches; else the list of people to call."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from certificates import holder_notices, issuing, reissue, revocation
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate
from certificates.reissue import Correction
from courses.models.enrolment import Enrolment
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.privacy import erasure
from lms.accounts.models import User
from lms.config import Settings
from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Content
from lms.core.scope import EVERYTHING, Role
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

ADDRESS = "holder@example.org"


def told(db: Session) -> list[tuple[str, MessageState]]:
    """Purpose and state of each message, in their order."""
    return [(row.purpose, row.state) for row in db.scalars(select(Message).order_by(Message.id))]


def texts(db: Session, purpose: str) -> list[str]:
    rows = db.scalars(select(Message).where(Message.purpose == purpose).order_by(Message.id))
    return [Content.of(row).text for row in rows]


WAITING, TO_CALL, ASIDE = MessageState.WAITING, MessageState.TO_CALL, MessageState.ASIDE


@pytest.fixture
def holder(db: Session, make: Make) -> Enrolment:
    """An enrolment with an e-mail address that is owed a certificate."""
    enrolment = owe(make, closed_offering(make, make.new_course(certificate_type=1)), "张三丰")
    enrolment.email = ADDRESS
    db.flush()
    return enrolment


def newest(db: Session) -> Certificate:
    return db.scalars(select(Certificate).order_by(Certificate.id.desc()).limit(1)).one()


def correct(db: Session, certificate: Certificate, branch: Branch, name: str = "张三峰") -> None:
    reissue.request(db, certificate, Correction(name, {}), "姓名有误", branch=branch, scope=EVERYTHING)
    assert reissue.issue_owed(db, branch) == 1


def refresh(db: Session, make: Make, certificate: Certificate, branch: Branch) -> Enrolment:
    """Take a refresher, with another address, and have its certificate issued."""
    course = make.new_course(refresher=True, certificate_type=certificate.certificate_type)
    enrolment = owe(make, closed_offering(make, course))
    enrolment.trainee_id = certificate.enrolment.trainee_id
    enrolment.email = "newer@example.org"
    db.flush()
    issuing.issue_owed(db, branch)
    return enrolment


def test_each_act_is_told_once_with_the_way_to_the_certificate(
    db: Session, make: Make, branch: Branch, holder: Enrolment
) -> None:
    issuing.issue_owed(db, branch)
    issued = newest(db)
    assert issuing.issue_owed(db, branch) == 0
    correct(db, issued, branch)
    assert reissue.issue_owed(db, branch) == 0
    corrected = newest(db)
    for _ in range(2):
        revocation.revoke(db, corrected, "登记有误")
        revocation.restore(db, corrected, "核对无误")
    renewal = refresh(db, make, corrected, branch)
    assert told(db) == [
        ("certificate_issued", WAITING), ("certificate_corrected", WAITING), ("certificate_revoked", WAITING),
        ("certificate_restored", WAITING), ("certificate_revoked", WAITING), ("certificate_restored", WAITING),
        ("certificate_renewed", WAITING),
    ]  # fmt: skip
    way = f"{owing.SITE}/tickets/{holder.ticket}/certificate"
    for purpose in ("certificate_issued", "certificate_corrected", "certificate_restored"):
        assert all(text.count(way) == 2 for text in texts(db, purpose))
    [text] = texts(db, "certificate_corrected")
    assert text.startswith("张三峰:")
    assert issued.number in text
    [text] = texts(db, "certificate_renewed")
    assert corrected.number in text
    assert newest(db).number in text
    assert renewal.ticket in text
    people = db.scalars(select(Message).order_by(Message.id)).all()
    assert [Content.of(row).addresses[0].value for row in people] == [ADDRESS] * 6 + ["newer@example.org"]


def test_whom_nothing_reaches_is_called_after_a_correction_or_revocation_and_not_after_an_issue(
    db: Session, make: Make, branch: Branch, holder: Enrolment
) -> None:
    holder.email = None
    db.flush()
    issuing.issue_owed(db, branch)
    assert told(db) == []
    correct(db, newest(db), branch)
    corrected = newest(db)
    revocation.revoke(db, corrected, "登记有误")
    calls = [("certificate_corrected", TO_CALL), ("certificate_revoked", TO_CALL)]
    assert told(db) == calls
    # Nobody told the holder of the revocation, so nobody is called about its end either.
    revocation.restore(db, corrected, "核对无误")
    assert told(db) == [calls[0], ("certificate_revoked", ASIDE)]
    revocation.revoke(db, corrected, "再次核对")
    call = db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    call.state = MessageState.CALLED
    revocation.restore(db, corrected, "核对无误")
    assert told(db)[2:] == [("certificate_revoked", MessageState.CALLED), ("certificate_restored", TO_CALL)]
    holder.trainee.user_id = make.user(email="account@example.org").id
    db.flush()
    refresher = owe(make, closed_offering(make, make.new_course(refresher=True, certificate_type=1)))
    refresher.trainee_id = holder.trainee_id
    db.flush()
    issuing.issue_owed(db, branch)
    assert told(db)[4:] == [("certificate_renewed", WAITING)]


def test_where_no_channel_serves_the_purpose_an_issue_is_not_told(
    db: Session, branch: Branch, holder: Enrolment
) -> None:
    owing.configure(lambda channel, _purpose: channel is Channel.SMS)
    issuing.issue_owed(db, branch)
    assert told(db) == []


@pytest.mark.usefixtures("app")  # registers the kinds of personal data
def test_erased_holders_get_nothing(db: Session, branch: Branch, holder: Enrolment) -> None:
    issuing.issue_owed(db, branch)
    certificate = newest(db)
    erasure.erase(db, holder.trainee_id, reason="本人要求")
    db.expire_all()
    before = told(db)
    revocation.revoke(db, certificate, "登记有误")
    revocation.restore(db, certificate, "核对无误")
    assert told(db) == before


def test_certificates_of_classes_that_were_closed_long_ago_are_issued_in_silence(
    db: Session, make: Make, branch: Branch, holder: Enrolment
) -> None:
    """Years of certificates may be issued at once, where a course gets its certificates later. A corrected class is told."""
    long_ago = clock.now() - holder_notices.TOLD_FOR - timedelta(days=1)
    holder.offering.closed_at = long_ago
    db.flush()
    assert issuing.issue_owed(db, branch) == 1
    assert told(db) == []
    owe(make, holder.offering).email = ADDRESS
    facts = {
        "offering_id": holder.offering_id,
        "dated_on": clock.day_of(long_ago, branch.zone),
        "recorded_at": clock.now(),
    }
    closing = PersonTimeEntry(kind=EntryKind.CLOSING, **facts)
    db.add(closing)
    db.flush()
    db.add(PersonTimeEntry(kind=EntryKind.CORRECTION, corrects_id=closing.id, reason="补录", **facts))
    db.flush()
    assert issuing.issue_owed(db, branch) == 1
    assert told(db) == [("certificate_issued", WAITING)]


def test_data_of_a_demonstration_tells_nobody(db: Session, branch: Branch, holder: Enrolment) -> None:
    assert issuing.issue_owed(db, branch, tell=False) == 1
    assert told(db) == []


def test_a_chunk_costs_three_statements_more_however_large(
    db: Session, make: Make, branch: Branch, statements: list[str]
) -> None:
    offering = closed_offering(make)
    counts = []
    for size in (1, 12):
        for _ in range(size):
            enrolment = owe(make, offering)
            enrolment.email = ADDRESS
            enrolment.trainee.user_id = make.user().id
        db.flush()
        db.expire_all()
        statements.clear()
        assert issuing.issue_owed(db, branch) == size
        counts.append(len(statements))
        assert sum(statement.startswith("INSERT INTO message") for statement in statements) == 1
    assert counts[0] == counts[1]
    assert len(told(db)) == 13


def test_staff_revoke_with_the_contact_of_the_branch(  # noqa: PLR0917  # fixtures, each by name
    db: Session,
    make: Make,
    branch: Branch,
    holder: Enrolment,
    sign_in: Callable[[User], FlaskClient],
    app: object,
) -> None:
    issuing.issue_owed(db, branch)
    db.commit()
    certificate = newest(db)
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    flask_app = browser.application
    settings = flask_app.config["SETTINGS"]
    flask_app.config["SETTINGS"] = settings.model_copy(update={"verification_contact": "010-1234 5678"})
    try:
        address = f"/certificates/{certificate.id}"
        assert browser.post(f"{address}/revoke", data={"reason": "登记有误"}).status_code == 302
        assert browser.post(f"{address}/restore", data={"reason": "核对无误"}).status_code == 302
    finally:
        flask_app.config["SETTINGS"] = settings
    db.expire_all()
    for purpose in ("certificate_revoked", "certificate_restored"):
        [text] = texts(db, purpose)
        assert text.count("010-1234 5678") == 2


def test_killed_workers_and_retried_tasks_tell_nobody_twice(fresh_database: str, settings: Settings) -> None:
    """Workers that die between their last step and the commit, for each act; then each is done once and told once."""
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine, expire_on_commit=False)
    branch = Branch.of(settings)
    with sessions() as db:
        qr_keys.ensure(db, branch.keys_dir, not_before=date(2020, 1, 1), not_after=date(2099, 1, 1), replace_lost=True)
        make = Make(db)
        offering = closed_offering(make)
        for number in range(6):
            owe(make, offering).email = f"{number}@example.org"
        db.commit()
    with sessions() as killed, sessions() as second:
        assert issuing.issue_owed(killed, branch) == 6  # holds the ledger until it dies
        killed.rollback()
        assert issuing.issue_owed(second, branch, limit=3) == 3
        second.commit()
        assert issuing.issue_owed(killed, branch) == 3
        killed.rollback()
        assert issuing.issue_owed(second, branch) == 3
        second.commit()
        assert issuing.issue_owed(killed, branch) == 0
    with sessions() as db:
        assert [purpose for purpose, _state in told(db)] == ["certificate_issued"] * 6
        certificate = db.scalars(select(Certificate).order_by(Certificate.id).limit(1)).one()
        reissue.request(db, certificate, Correction("更正后", {}), "姓名有误", branch=branch, scope=EVERYTHING)
        db.commit()
        assert reissue.issue_owed(db, branch) == 1
        db.rollback()
        assert reissue.issue_owed(db, branch) == 1
        db.commit()
        corrected = newest(db)
        revocation.revoke(db, corrected, "登记有误")
        db.rollback()
        revocation.revoke(db, corrected, "登记有误")
        db.commit()
        revocation.restore(db, corrected, "核对无误")
        db.rollback()
        revocation.restore(db, corrected, "核对无误")
        db.commit()
        assert [purpose for purpose, _state in told(db)[6:]] == [
            "certificate_corrected", "certificate_revoked", "certificate_restored",
        ]  # fmt: skip
        keys = db.scalars(select(Message.key)).all()
        assert len(set(keys)) == len(keys) == 9
    engine.dispose()
