"""Verification of a code: the order of its answers, and the statements that each costs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from certificates import revocation
from certificates.branch import Branch
from certificates.keys import key_files, qr_keys
from certificates.keys.public_keys import PublicKey
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate, KeyState, LedgerEntry, SigningKey
from certificates.payload import Payload, decode, digits_of, encode, name_tag
from certificates.states import State
from certificates.verification import alarms, verification
from certificates.verification.verification import Verdict
from lms.core import clock
from lms.core.audit import AuditEntry
from tests.factories import Make

ISSUED_ON = date(2026, 3, 5)
TODAY = date(2026, 11, 23)


@pytest.fixture
def certificate(issue: Callable[..., Certificate]) -> Iterator[Certificate]:
    """A certificate issued on 5 March 2026 for 36 months, to 张三丰."""
    with clock.at(clock.now().replace(year=2026, month=3, day=5, hour=4)):
        yield issue("张三丰")


def code(certificate: Certificate) -> str:
    return digits_of(certificate.payload)


def judge(db: Session, digits: str, today: date = TODAY) -> Verdict:
    verdict = verification.verify(db, digits, today=today, keys=PublicKeyCache())
    if verdict.alarming:
        alarms.raise_alarm(db, digits)
    return verdict


def signed(branch: Branch, **facts: object) -> str:
    """A code with a good signature of key 1 that was never recorded."""
    payload = Payload(1, 1, 1, 4_000_000, ISSUED_ON, date(2029, 3, 4), name_tag("李四", 4_000_000))
    return encode(replace(payload, **facts), key_files.load(branch.keys_dir, "qr-1").sign)  # type: ignore[arg-type]


def edited(db: Session, statement: str, **values: object) -> None:
    db.execute(text("SET LOCAL session_replication_role = replica"))
    db.execute(text(statement), values)
    db.execute(text("SET LOCAL session_replication_role = origin"))
    db.expire_all()


def test_a_certificate_is_valid_from_its_issue_day_to_its_last_day(db: Session, certificate: Certificate) -> None:
    assert certificate.issued_on == ISSUED_ON
    assert certificate.valid_until == date(2029, 3, 4)
    states = {
        ISSUED_ON - timedelta(days=1): State.NOT_YET_VALID,
        ISSUED_ON: State.VALID,
        date(2029, 3, 4): State.VALID,
        date(2029, 3, 5): State.EXPIRED,
    }
    assert {day: judge(db, code(certificate), day).state for day in states} == states


def test_a_valid_one_shows_what_may_be_seen_and_a_masked_name(db: Session, certificate: Certificate) -> None:
    verdict = judge(db, code(certificate))
    assert verdict.certificate is not None
    assert verdict.certificate.number == certificate.number
    assert verdict.certificate.masked_name == "张*丰"
    assert verdict.certificate.facts == certificate.facts
    assert (verdict.certificate.issued_on, verdict.certificate.valid_until) == (ISSUED_ON, date(2029, 3, 4))
    assert (verdict.state, verdict.reason, verdict.successor) == (State.VALID, "valid", None)
    assert verdict.payload == decode(code(certificate)).payload
    assert not verdict.alarming
    assert "张三丰" not in repr(verdict)


@pytest.mark.parametrize("digits", ["", "12", "9" * 198, "0" * 198, "x" * 198, "１" * 198])
def test_what_is_no_code_is_unknown(db: Session, branch: Branch, digits: str) -> None:
    verdict = judge(db, digits)
    assert verdict == Verdict(State.UNKNOWN, "unreadable")
    assert (verdict.payload, verdict.certificate, verdict.successor) == (None, None, None)


def test_one_flipped_digit_is_forged(db: Session, certificate: Certificate) -> None:
    digits = code(certificate)
    for place in (20, 60, 197):
        flipped = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
        assert judge(db, flipped).state is State.FORGED


def test_strange_keys_and_days_outside_the_window_are_forged(db: Session, branch: Branch) -> None:
    stranger = encode(
        Payload(1, 1, 1, 7, ISSUED_ON, None, bytes(6)), Ed25519PrivateKey.from_private_bytes(bytes(32)).sign
    )
    assert judge(db, stranger) == Verdict(State.FORGED, "signature_wrong")
    assert judge(db, signed(branch, key_number=9)) == Verdict(State.FORGED, "key_unknown")
    db.execute(update(SigningKey).values(not_before=ISSUED_ON + timedelta(days=1)))
    assert judge(db, signed(branch)) == Verdict(State.FORGED, "outside_window")


def test_a_compromised_key_is_believed_for_what_the_ledger_knew_before(
    db: Session, branch: Branch, certificate: Certificate
) -> None:
    recorded_at = db.scalars(select(LedgerEntry.recorded_at)).one()

    def compromise(seconds: int) -> None:
        moment = recorded_at + timedelta(seconds=seconds)
        db.execute(update(SigningKey).values(state=KeyState.COMPROMISED, compromised_at=moment))

    compromise(1)
    assert judge(db, code(certificate)).state is State.VALID
    assert judge(db, signed(branch)) == Verdict(State.FORGED, "key_compromised")
    compromise(0)
    assert judge(db, code(certificate)) == Verdict(State.FORGED, "key_compromised")


def test_a_good_signature_that_was_never_recorded_is_unknown_and_raises_one_alarm(db: Session, branch: Branch) -> None:
    digits = signed(branch)
    with structlog.testing.capture_logs() as logs:
        verdict = judge(db, digits)
        judge(db, digits)
    assert (verdict.state, verdict.reason, verdict.certificate) == (State.UNKNOWN, "not_recorded", None)
    assert verdict.payload == decode(digits).payload
    line = {
        "event": "certificate_alarm", "log_level": "critical", "key_number": 1, "serial": 4_000_000,
        "code": "signed_but_not_recorded",
    }  # fmt: skip
    assert logs == [line, line]
    [alarm] = db.scalars(select(AuditEntry).where(AuditEntry.action == "certificate.alarm")).all()
    assert alarm.subject == f"payload:{decode(digits).digest.hex()}"
    assert alarm.after == {"key": 1, "serial": 4_000_000, "issued_on": "2026-03-05"}
    assert alarm.reason == "A good signature of a certificate that was never recorded: the key may have leaked."
    assert judge(db, digits, date(2030, 1, 1)).state is State.EXPIRED
    assert judge(db, digits, date(2026, 1, 1)).state is State.NOT_YET_VALID


def test_each_code_that_was_never_recorded_raises_its_own_alarm(db: Session, branch: Branch) -> None:
    codes = [signed(branch), signed(branch, serial=4_000_001)]
    for digits in codes:
        judge(db, digits)
    subjects = db.scalars(select(AuditEntry.subject).where(AuditEntry.action == "certificate.alarm")).all()
    assert sorted(subjects) == sorted(f"payload:{decode(digits).digest.hex()}" for digits in codes)


def test_a_code_of_a_compromised_key_whose_day_is_unknown_is_forged(
    branch: Branch, certificate: Certificate, db: Session
) -> None:
    """Offline, a published key set may say that a key is compromised and not since when."""
    known = PublicKeyCache().get(db, 1)
    assert known is not None

    class Published:
        def get(self, _db: object, _number: int) -> PublicKey:
            return replace(known, state=KeyState.COMPROMISED, compromised_at=None)

    verdict = verification.verify(db, code(certificate), today=TODAY, keys=Published())
    assert verdict == Verdict(State.FORGED, "key_compromised")


def test_the_order_is_revoked_superseded_expired(
    db: Session, make: Make, certificate: Certificate, issue: Callable[..., Certificate]
) -> None:
    late = date(2031, 1, 1)
    assert judge(db, code(certificate), late).state is State.EXPIRED
    newer = issue("张三丰")
    certificate.superseded_by_id = newer.id
    db.flush()
    verdict = judge(db, code(certificate), late)
    assert (verdict.state, verdict.reason, verdict.successor) == (State.SUPERSEDED, "superseded", code(newer))
    revocation.revoke(db, certificate, "发错人")
    assert judge(db, code(certificate), late).state is State.REVOKED
    assert judge(db, code(certificate), ISSUED_ON - timedelta(days=1)).state is State.REVOKED
    assert judge(db, code(newer)).state is State.VALID


def test_rotating_keys_keeps_old_certificates_valid(
    db: Session, branch: Branch, certificate: Certificate, issue: Callable[..., Certificate]
) -> None:
    qr_keys.rotate(db, branch.keys_dir, today=ISSUED_ON, not_after=date(2030, 1, 1))
    newer = issue("李四")
    assert (certificate.key_number, newer.key_number) == (1, 2)
    assert judge(db, code(certificate)).state is State.VALID
    assert judge(db, code(newer)).state is State.VALID


def test_a_forged_code_costs_no_statement_and_a_genuine_one_costs_one(
    db: Session, certificate: Certificate, statements: list[str]
) -> None:
    ring = PublicKeyCache()
    ring.get(db, 1)
    digits = code(certificate)
    statements.clear()
    for forged in (digits[:-1] + str((int(digits[-1]) + 1) % 10), "1" * 198, "no code"):
        assert verification.verify(db, forged, today=TODAY, keys=ring).state in {State.FORGED, State.UNKNOWN}
    assert statements == []
    assert verification.verify(db, digits, today=TODAY, keys=ring).state is State.VALID
    assert len(statements) == 1


def test_the_name_box_answers_for_codes_that_we_signed(db: Session, branch: Branch, certificate: Certificate) -> None:
    def ask(digits: str, name: str) -> bool | None:
        return verification.name_matches_code(judge(db, digits), name)

    assert ask(code(certificate), " 张三丰 ") is True
    assert ask(code(certificate), "张三风") is False
    assert ask(code(certificate)[:-1] + "x", "张三丰") is None
    assert ask(signed(branch), "李四") is None
