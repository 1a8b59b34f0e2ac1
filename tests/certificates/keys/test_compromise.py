"""A key out of our hands: replaced at once, believed for what the ledger knew before, and for nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import key_files, qr_keys
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate, KeyState
from certificates.payload import Payload, digits_of, encode, name_tag
from certificates.states import State
from certificates.verification import verification
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from tests.certificates.conftest import LAST, closed_offering, owe
from tests.factories import Make

Issue = Callable[..., Certificate]


def judged(db: Session, branch: Branch, digits: str) -> State:
    return verification.verify(db, digits, today=clock.today(branch.zone), keys=PublicKeyCache()).state


def test_ledgered_ones_hold_and_new_forgeries_do_not(db: Session, branch: Branch, issue: Issue) -> None:
    stolen = key_files.load(branch.keys_dir, "qr-1")
    honest = issue("张三丰")
    with clock.at(clock.now() + timedelta(seconds=1)):
        moment = clock.now()
    with clock.at(moment + timedelta(minutes=5)):
        late = issue("李四")
    with clock.at(moment + timedelta(hours=1)):
        today = clock.today(branch.zone)
        done = qr_keys.compromise(db, branch.keys_dir, 1, moment, today=today, not_after=LAST)
        assert (done.key.state, done.key.compromised_at, done.refused_count) == (KeyState.COMPROMISED, moment, 1)
        assert done.successor is not None
        assert (done.successor.number, done.successor.state) == (2, KeyState.ACTIVE)
        forgery = encode(
            Payload(1, 1, 1, late.serial + 1, honest.issued_on, None, name_tag("王五", late.serial + 1)), stolen.sign
        )
        assert judged(db, branch, digits_of(honest.payload)) is State.VALID
        assert judged(db, branch, digits_of(late.payload)) is State.FORGED
        assert judged(db, branch, forgery) is State.FORGED
        afterwards = issue("赵六")
        assert afterwards.key_number == 2
        assert judged(db, branch, digits_of(afterwards.payload)) is State.VALID
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "signing_key.compromise")).one()
    assert entry.subject == "signing_key:1"


def test_said_again_only_the_earlier_moment_counts(db: Session, branch: Branch) -> None:
    now = clock.now()
    today = clock.today(branch.zone)
    for at, holds in ((now, now), (now - timedelta(days=1), now - timedelta(days=1)), (now, now - timedelta(days=1))):
        done = qr_keys.compromise(db, branch.keys_dir, 1, at, today=today, not_after=LAST)
        assert done.key.compromised_at == holds
    assert [key.number for key in qr_keys.public_keys(db)] == [1, 2]


def test_what_cannot_have_happened_is_refused(db: Session, branch: Branch) -> None:
    now, today = clock.now(), clock.today(branch.zone)
    for number, at, code in ((9, now, "signing_key_unknown"), (1, now + timedelta(hours=1), "compromise_in_future")):
        with pytest.raises(DomainError) as refused:
            qr_keys.compromise(db, branch.keys_dir, number, at, today=today, not_after=LAST)
        assert refused.value.code == code
    assert [key.state for key in qr_keys.public_keys(db)] == [KeyState.ACTIVE]


def test_a_retired_key_signs_no_more_and_is_believed(db: Session, make: Make, branch: Branch, issue: Issue) -> None:
    honest = issue("张三丰")
    today = clock.today(branch.zone)
    qr_keys.retire(db, today=today)
    owe(make, closed_offering(make))
    with pytest.raises(DomainError) as refused:
        issuing.issue_owed(db, branch)
    assert refused.value.code == "signing_key_none"
    assert judged(db, branch, digits_of(honest.payload)) is State.VALID
    with pytest.raises(DomainError):
        qr_keys.retire(db, today=today)
    assert qr_keys.create(db, branch.keys_dir, not_before=today, not_after=LAST).number == 2
    assert issuing.issue_owed(db, branch) == 1


def test_the_commands(app: Flask, db: Session, branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update={"keys_dir": branch.keys_dir}))
    db.commit()

    def run(*arguments: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["keys", *arguments])
        return result.exit_code, result.output

    moment = (clock.now() - timedelta(minutes=1)).astimezone(branch.zone).strftime("%Y-%m-%dT%H:%M")
    code, said = run("compromise", "qr-1", "--at", moment)
    assert code == 0, said
    assert "qr-1 is compromised" in said
    assert "qr-2 is active" in said
    code, said = run("retire")
    assert code == 0, said
    assert "qr-2 is retired" in said
    code, said = run("list")
    assert code == 0
    assert f"compromised {moment.replace('T', ' ')}:00 CST" in said
    for wrong in (("qr-1", "--at", "yesterday"), ("one", "--at", moment), ("qr-1",)):
        assert run("compromise", *wrong)[0] == 2
    assert run("compromise", "qr-9", "--at", moment)[0] == 1
