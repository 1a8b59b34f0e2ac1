"""A correction makes a certificate anew, exactly once, and undoing a revocation keeps what was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from certificates import issuing, ledger, reissue, renewal, revocation, states
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.keys.key_files import private_key_path
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate, ReissueRequest
from certificates.payload import decode, digits_of, name_matches
from certificates.reissue import Correction
from certificates.states import State
from certificates.verification.verification import verify
from courses.models.person_time import PersonTimeEntry
from lms.config import Settings
from lms.core import audit, clock, fonts
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role
from tests.certificates.conftest import FIRST, LAST, closed_offering, owe
from tests.factories import Make

Issue = Callable[..., Certificate]
WHY = "姓名打错"


@pytest.fixture
def correct(db: Session, branch: Branch) -> Callable[..., Certificate]:
    """Ask for a correction, let the worker make it, and give the new certificate."""

    def corrected(certificate: Certificate, name: str | None = None, **facts: str) -> Certificate:
        correction = Correction(name or certificate.holder_name, facts)
        owed = reissue.request(db, certificate, correction, WHY, branch=branch, scope=EVERYTHING)
        db.commit()
        assert reissue.issue_owed(db, branch) == 1
        db.commit()
        db.expire_all()
        return db.scalars(select(Certificate).where(Certificate.id == owed.replacement_id)).one()

    return corrected


def test_a_misspelt_name_is_reissued(
    db: Session, issue: Issue, correct: Callable[..., Certificate], branch: Branch
) -> None:
    old = issue("张三峰")
    new = correct(old, "张三丰")
    assert new.holder_name == "张三丰"
    assert new.enrolment_id == old.enrolment_id
    assert (new.replaces_id, old.superseded_by_id) == (old.id, new.id)
    assert new.serial != old.serial
    assert new.number != old.number
    assert new.valid_until == old.valid_until
    assert new.facts == old.facts
    assert new.enrolment.trainee.name == "张三丰"
    today, keys = clock.today(branch.zone), PublicKeyCache()
    assert verify(db, digits_of(old.payload), today=today, keys=keys).successor == digits_of(new.payload)
    assert verify(db, digits_of(new.payload), today=today, keys=keys).state is State.VALID
    assert name_matches(decode(digits_of(new.payload)).payload, "张三丰")
    assert list(ledger.check(db, names=True)) == []
    assert [link.corrected for link in renewal.chain(db, old.id)] == [False, True]


def test_a_correction_is_no_other_certificate_in_the_person_time_ledger(
    db: Session, issue: Issue, correct: Callable[..., Certificate]
) -> None:
    old = issue("张三峰")
    lines = select(func.count(), func.sum(PersonTimeEntry.certificates))
    before = db.execute(lines).one()
    correct(old, "张三丰")
    assert db.execute(lines).one() == before


def test_printed_facts_can_be_corrected_alone(issue: Issue, correct: Callable[..., Certificate]) -> None:
    old = issue()
    new = correct(old, instructor="李四", hours="16")
    assert (new.facts["instructor"], new.facts["hours"]) == ("李四", "16.0")
    assert new.facts["course_zh"] == old.facts["course_zh"]
    assert new.holder_name == old.holder_name


def test_who_asked_and_why_stays_with_both(
    db: Session, make: Make, issue: Issue, correct: Callable[..., Certificate]
) -> None:
    old = issue("张三峰")
    user = make.user(Role.CITY_ADMINISTRATOR)
    audit.act_as(db, user.id)
    new = correct(old, "张三丰")
    for certificate, action in ((old, "certificate.correct"), (old, "certificate.reissue"), (new, "certificate.issue")):
        entry = db.scalars(
            select(AuditEntry).where(AuditEntry.subject == f"certificate:{certificate.id}", AuditEntry.action == action)
        ).one()
        assert (entry.user_id, entry.reason) == (user.id, WHY)


def test_it_is_made_once(db: Session, issue: Issue, correct: Callable[..., Certificate], branch: Branch) -> None:
    correct(issue("张三峰"), "张三丰")
    assert reissue.issue_owed(db, branch) == 0
    assert db.scalar(select(func.count()).select_from(Certificate)) == 2


def test_a_second_request_is_refused_while_one_waits(db: Session, issue: Issue, branch: Branch) -> None:
    certificate = issue("张三峰")
    reissue.request(db, certificate, Correction("张三丰", {}), WHY, branch=branch, scope=EVERYTHING)
    with pytest.raises(IntegrityError, match="uq_reissue_request_open"):
        reissue.request(db, certificate, Correction("张三风", {}), WHY, branch=branch, scope=EVERYTHING)


def test_without_the_private_key_all_stays_owed(db: Session, issue: Issue, branch: Branch) -> None:
    certificate = issue("张三峰")
    owed = reissue.request(db, certificate, Correction("张三丰", {}), WHY, branch=branch, scope=EVERYTHING)
    db.commit()
    path = private_key_path(branch.keys_dir, "qr-1")
    private_key = path.read_bytes()
    path.unlink()
    with pytest.raises(DomainError):
        reissue.issue_owed(db, branch)
    db.rollback()
    waiting = reissue.open_request(db, certificate.id)
    assert waiting is not None
    assert waiting.id == owed.id
    path.write_bytes(private_key)
    path.chmod(0o600)
    assert reissue.issue_owed(db, branch) == 1


def test_what_was_revoked_meanwhile_is_dropped(db: Session, issue: Issue, branch: Branch) -> None:
    certificate = issue("张三峰")
    owed = reissue.request(db, certificate, Correction("张三丰", {}), WHY, branch=branch, scope=EVERYTHING)
    revocation.revoke(db, certificate, "重复发证")
    db.commit()
    assert reissue.issue_owed(db, branch) == 1
    assert owed.dropped_at is not None
    assert owed.replacement_id is None
    assert db.scalar(select(func.count()).select_from(Certificate)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("张三峰", {}, "reissue_nothing"),
        ("张三峰", {"hours": "8.0"}, "reissue_nothing"),
        ("  ", {}, "name_wrong"),
        ("123", {}, "name_wrong"),
        ("张三峰", {"hours": "many"}, "hours_wrong"),
        ("张三峰", {"hours": "-1"}, "hours_wrong"),
        ("张三峰", {"hours": "NaN"}, "hours_wrong"),
        ("张三峰", {"hours": "1.25"}, "hours_wrong"),
    ],
)
def test_what_cannot_be_corrected(
    db: Session, issue: Issue, branch: Branch, wrong: tuple[str, dict[str, str], str]
) -> None:
    name, facts, code = wrong
    certificate = issue("张三峰")
    with pytest.raises(DomainError) as refused:
        reissue.request(db, certificate, Correction(name, facts), WHY, branch=branch, scope=EVERYTHING)
    assert refused.value.code == code


def test_only_what_stands_is_corrected(
    db: Session, issue: Issue, correct: Callable[..., Certificate], branch: Branch
) -> None:
    old = issue("张三峰")
    new = correct(old, "张三丰")
    revocation.revoke(db, new, "mistake")
    codes = []
    for certificate in (old, new):
        with pytest.raises(DomainError) as refused:
            reissue.request(db, certificate, Correction("王五", {}), WHY, branch=branch, scope=EVERYTHING)
        codes.append(refused.value.code)
    assert codes == ["reissue_superseded", "reissue_revoked"]
    expired = issue("王五")
    assert expired.valid_until is not None
    later = clock.now() + (expired.valid_until - expired.issued_on) + timedelta(days=2)
    with clock.at(later), pytest.raises(DomainError) as refused:
        reissue.request(db, expired, Correction("王六", {}), WHY, branch=branch, scope=EVERYTHING)
    assert refused.value.code == "reissue_expired"


def test_undoing_a_revocation_keeps_what_was(db: Session, make: Make, issue: Issue, branch: Branch) -> None:
    certificate = issue()
    today, keys, digits = clock.today(branch.zone), PublicKeyCache(), digits_of(certificate.payload)
    user = make.user(Role.CITY_ADMINISTRATOR)
    audit.act_as(db, user.id)
    revocation.revoke(db, certificate, "发错人")
    assert verify(db, digits, today=today, keys=keys).state is State.REVOKED
    revocation.restore(db, certificate, "核对后无误")
    assert verify(db, digits, today=today, keys=keys).state is State.VALID
    revocation.revoke(db, certificate, "再次核对")
    assert verify(db, digits, today=today, keys=keys).state is State.REVOKED
    assert states.of_certificate(certificate, today) is State.REVOKED
    trail = db.execute(
        select(AuditEntry.action, AuditEntry.reason, AuditEntry.before)
        .where(AuditEntry.subject == f"certificate:{certificate.id}")
        .order_by(AuditEntry.id)
    ).all()
    assert [(row.action, row.reason) for row in trail][1:] == [
        ("certificate.revoke", "发错人"),
        ("certificate.restore", "核对后无误"),
        ("certificate.revoke", "再次核对"),
    ]
    assert trail[2].before["revoke_reason"] == "发错人"
    assert trail[2].before["revoked_by"] == user.id


def test_what_is_not_revoked_cannot_be_restored(db: Session, issue: Issue) -> None:
    with pytest.raises(DomainError) as refused:
        revocation.restore(db, issue(), "why")
    assert refused.value.code == "not_revoked"


def test_the_requests_table_keeps_each_of_them(db: Session, issue: Issue, correct: Callable[..., Certificate]) -> None:
    first = correct(issue("张三峰"), "张三风")
    correct(first, "张三丰")
    rows = db.scalars(select(ReissueRequest).order_by(ReissueRequest.id)).all()
    assert [row.holder_name for row in rows] == ["张三风", "张三丰"]
    assert all(row.replacement_id for row in rows)


def test_workers_that_race_and_die_make_exactly_one_replacement(
    fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    """The first worker holds the request and dies; a second passes over it meanwhile, and makes it afterwards."""
    branch = replace(Branch.of(settings), keys_dir=tmp_path / "keys")
    engine = create_engine(fresh_database)
    sessions = sessionmaker(engine, expire_on_commit=False)
    with sessions() as db:
        qr_keys.ensure(db, branch.keys_dir, not_before=FIRST, not_after=LAST)
        make = Make(db)
        owe(make, closed_offering(make), "张三峰")
        issuing.issue_owed(db, branch)
        old = db.scalars(select(Certificate)).one()
        reissue.request(db, old, Correction("张三丰", {}), WHY, branch=branch, scope=EVERYTHING)
        db.commit()
    with sessions() as first, sessions() as second:
        assert reissue.issue_owed(first, branch) == 1
        assert reissue.issue_owed(second, branch) == 0
        first.rollback()
        assert reissue.issue_owed(second, branch) == 1
        second.commit()
        assert reissue.issue_owed(first, branch) == 0
    with sessions() as db:
        names = db.execute(select(Certificate.holder_name, Certificate.superseded_by_id.is_(None))).all()
        assert sorted(tuple(row) for row in names) == [("张三丰", True), ("张三峰", False)]
        assert list(ledger.check(db, names=True)) == []
    engine.dispose()


LACKING = "\ue5e5"


def refused(db: Session, certificate: Certificate, correction: Correction, branch: Branch) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as error:
        reissue.request(db, certificate, correction, WHY, branch=branch, scope=EVERYTHING)
    return error.value.code, error.value.field


def test_a_correction_that_no_font_can_print_is_refused_before_the_certificate_is_replaced(
    db: Session, issue: Issue, branch: Branch
) -> None:
    old = issue("王艺")
    assert refused(db, old, Correction(f"王{LACKING}", {}), branch) == ("text_unprintable", "holder_name")
    assert refused(db, old, Correction("王艺", {"instructor": f"陈{LACKING}"}), branch) == (
        "text_unprintable",
        "instructor",
    )
    assert old.enrolment.trainee.name == "王艺"
    assert reissue.open_request(db, old.id) is None


def test_what_was_issued_with_missing_characters_is_replaced_by_the_writing_and_the_record_keeps_the_name(
    db: Session, issue: Issue, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"王{LACKING}"
    with monkeypatch.context() as former:
        former.setattr(fonts, "unprintable", lambda _text: ())
        old = issue(name)
    correction = Correction("王昜", {}, as_writing=True)
    first = reissue.request(db, old, correction, WHY, branch=branch, scope=EVERYTHING)
    assert reissue.issue_owed(db, branch) == 1
    db.commit()
    new = db.get_one(Certificate, first.replacement_id)
    assert (new.holder_name, new.enrolment.trainee.name) == ("王昜", name)
    assert reissue.holds_writing(db, new) == "王昜"
    # The next correction keeps the writing, and the record its name.
    second = reissue.request(db, new, Correction("王昜", {"hours": "12"}), WHY, branch=branch, scope=EVERYTHING)
    assert reissue.issue_owed(db, branch) == 1
    db.commit()
    newest = db.get_one(Certificate, second.replacement_id)
    assert (newest.holder_name, newest.facts["hours"], newest.enrolment.trainee.name) == ("王昜", "12.0", name)
    assert list(ledger.check(db, names=True)) == []


def test_a_writing_is_only_for_a_name_that_no_font_can_print(db: Session, issue: Issue, branch: Branch) -> None:
    old = issue("王艺")
    assert refused(db, old, Correction("李四", {}, as_writing=True), branch)[0] == "name_printable"


def test_a_correction_that_the_paper_has_no_room_for_is_refused_before_the_certificate_is_replaced(
    db: Session, issue: Issue, branch: Branch
) -> None:
    old = issue("王艺")
    assert refused(db, old, Correction("王" * 61, {}), branch) == ("name_wrong", "holder_name")
    assert refused(db, old, Correction("王艺", {"instructor": "陈" * 3000}), branch)[0] == "certificate_too_long"
    assert reissue.open_request(db, old.id) is None


def test_a_writing_has_to_fit_the_card_too(
    db: Session, issue: Issue, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        former.setattr(fonts, "unprintable", lambda _text: ())
        old = issue(f"王{LACKING}")
    full = DomainError("certificate_too_long", "full")
    monkeypatch.setattr("certificates.rendering.card_refusal", lambda _document: full)
    assert refused(db, old, Correction("王昜", {}, as_writing=True), branch)[0] == "certificate_too_long"
