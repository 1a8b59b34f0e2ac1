"""Contact checks: what proves a contact, once, and what never does."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError, NotFound
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message

PHONE = "+8613800138000"
EMAIL = "Wang.Fang@example.org"

proofs: list[tuple[str, str]] = []


def note(_db: Session, check: ContactCheck) -> str | None:
    proofs.append((check.subject, check.contact))
    return "/somewhere"


TRIAL = contact_checks.register(CheckPurpose("trial", "For the test.", note))
REMOTE = contact_checks.register(
    CheckPurpose("trial_remote", "For the test.", note, lives=timedelta(days=3), remote=True)
)


@pytest.fixture(autouse=True)
def _no_proofs() -> Iterator[None]:
    proofs.clear()
    yield
    contact_checks._purposes.pop("gone", None)


def start(
    db: Session, contact: str = PHONE, *, subject: str = "thing:1", purpose: CheckPurpose = TRIAL
) -> ContactCheck:
    kind = ContactKind.EMAIL if "@" in contact else ContactKind.PHONE
    return contact_checks.start(db, purpose, subject, kind, contact, language="en")


def message(db: Session) -> dict[str, object]:
    """The newest message in clear."""
    row = db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    return owing.content_of(row)


def code_in(db: Session) -> str:
    parameters = message(db)["parameters"]
    assert isinstance(parameters, dict)
    return str(parameters["code"])


def token_in(db: Session) -> str:
    match = re.search(r"\{site\}/prove/link/(\S+)", str(message(db)["text"]))
    assert match
    return match[1]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def later(monkeypatch: pytest.MonkeyPatch, after: timedelta) -> None:
    moment = clock.now() + after
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_the_right_code_proves_and_is_used_up(db: Session) -> None:
    check = start(db)
    code = code_in(db)
    assert re.fullmatch(r"\d{6}", code)
    trial = contact_checks.confirm_code(db, contact_checks.ref_of(check), f" {code[:3]} {code[3:]} ")
    assert (trial.proven, trial.onward, check.proof) == (True, "/somewhere", ContactProof.CODE)
    assert proofs == [("thing:1", PHONE)]
    with pytest.raises(DomainError, match="already used"):
        contact_checks.confirm_code(db, contact_checks.ref_of(check), code)
    assert len(proofs) == 1


def test_neither_row_nor_audit_hold_code_or_contact(db: Session) -> None:
    check = start(db)
    code = code_in(db)
    contact_checks.confirm_code(db, contact_checks.ref_of(check), code)
    db.flush()
    row = db.execute(select(ContactCheck.__table__).where(ContactCheck.id == check.id)).one()
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "contact.prove")).one()
    assert code not in repr(row)
    assert PHONE[3:] not in repr(row)
    assert entry.after == {"kind": "phone", "contact": "138****8000", "proof": "code", "purpose": "trial"}


def test_five_wrong_codes_end_a_code_and_the_right_one_comes_too_late(db: Session) -> None:
    check = start(db)
    code = code_in(db)
    ref = contact_checks.ref_of(check)
    left = [contact_checks.confirm_code(db, ref, wrong(code)).tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(DomainError, match="new one"):
        contact_checks.confirm_code(db, ref, code)
    assert proofs == []


def test_a_code_ends_after_ten_minutes_and_a_new_one_takes_its_place(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = start(db)
    code = code_in(db)
    later(monkeypatch, timedelta(minutes=10, seconds=1))
    with pytest.raises(DomainError, match="new one"):
        contact_checks.confirm_code(db, contact_checks.ref_of(check), code)
    fresh = contact_checks.send_again(db, contact_checks.ref_of(check))
    assert fresh.ref != check.ref
    with pytest.raises(DomainError, match="replaced"):
        contact_checks.confirm_code(db, contact_checks.ref_of(check), code)
    assert contact_checks.confirm_code(db, contact_checks.ref_of(fresh), code_in(db)).proven


def test_a_second_start_within_a_minute_is_the_same_check(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start(db)
    assert start(db).id == first.id
    with pytest.raises(DomainError, match="less than a minute"):
        start(db, subject="thing:2")
    with pytest.raises(DomainError, match="less than a minute"):
        contact_checks.send_again(db, contact_checks.ref_of(first))
    later(monkeypatch, timedelta(seconds=61))
    assert start(db, subject="thing:2").id != first.id


def test_a_link_proves_when_it_is_confirmed_and_only_once(db: Session) -> None:
    check = start(db, EMAIL)
    token = token_in(db)
    for _ in range(3):
        assert contact_checks.of_link(db, token).id == check.id
    assert check.proven_at is None
    trial = contact_checks.confirm_link(db, token)
    assert (trial.proven, check.proof, proofs) == (True, ContactProof.LINK, [("thing:1", EMAIL)])
    with pytest.raises(DomainError, match="already used"):
        contact_checks.confirm_link(db, token)


def test_a_phone_gets_no_link(db: Session) -> None:
    check = start(db)
    assert check.link_hash is None
    assert "/prove/link/" not in str(message(db)["text"])


def test_the_owner_of_a_contact_that_somebody_else_entered_is_told_the_page(db: Session) -> None:
    check = start(db, purpose=REMOTE)
    assert message(db)["parameters"] == {"code": code_in(db), "page": contact_checks.ref_of(check)}
    row = db.scalars(select(Message)).one()
    assert (row.channel, row.purpose) == (Channel.SMS, "code_page")
    assert contact_checks.page_of(check) in str(message(db)["text"])


def test_a_withdrawn_check_proves_nothing(db: Session) -> None:
    check = start(db, EMAIL)
    assert contact_checks.pending(db, TRIAL, "thing:1") == [check]
    contact_checks.withdraw(db, TRIAL, "thing:1", ContactKind.EMAIL)
    db.refresh(check)
    assert contact_checks.pending(db, TRIAL, "thing:1") == []
    with pytest.raises(DomainError, match="replaced"):
        contact_checks.confirm_link(db, token_in(db))


@pytest.mark.parametrize("ref", ["", "1", "0" * 32, "nobody's"])
def test_an_unknown_ref_and_an_unknown_link(db: Session, ref: str) -> None:
    with pytest.raises(NotFound):
        contact_checks.confirm_code(db, ref, "123456")
    with pytest.raises(NotFound):
        contact_checks.confirm_link(db, ref)


def race(*acts: Callable[[], bool]) -> list[bool]:
    begin = Barrier(len(acts))

    def act(one: Callable[[], bool]) -> bool:
        begin.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


def test_of_two_simultaneous_proofs_one_counts(fresh_database: str) -> None:
    engine: Engine = create_engine(fresh_database)
    with Session(engine) as db:
        ref = contact_checks.ref_of(start(db))
        code = code_in(db)
        db.commit()

    def type_it() -> bool:
        with Session(engine) as db:
            try:
                trial = contact_checks.confirm_code(db, ref, code)
                db.commit()
            except DomainError:
                return False
            return trial.proven

    assert sorted(race(type_it, type_it)) == [False, True]
    assert len(proofs) == 1
    engine.dispose()


def test_simultaneous_guesses_are_all_counted(fresh_database: str) -> None:
    engine: Engine = create_engine(fresh_database, pool_size=8)
    with Session(engine) as db:
        ref = contact_checks.ref_of(start(db))
        code = code_in(db)
        db.commit()

    def guess() -> bool:
        with Session(engine) as db:
            try:
                contact_checks.confirm_code(db, ref, wrong(code))
                db.commit()
            except DomainError:
                return False
            return True

    assert sum(race(*[guess] * 8)) == contact_checks.CODE_TRIES
    engine.dispose()
