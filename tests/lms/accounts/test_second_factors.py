"""The rules of second factors: who needs one, how often it may be tried, and what removing one ends."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pyotp
import pytest
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, known_browsers, passkeys, recovery_codes, second_factors, totp
from lms.accounts.models import KnownBrowser, User
from lms.accounts.second_factors import FactorRefused, RecoveryCodeRefused, plain
from lms.accounts.throttle import TooManyTries
from lms.core import audit, clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.messages.models import Message
from lms.core.scope import Role
from tests.factories import Make
from tests.lms.accounts.authenticator import Authenticator
from tests.lms.accounts.test_passkeys import SITE


@pytest.fixture(autouse=True)
def within_the_application(app: Flask) -> Iterator[None]:
    """The counters of tries and the time zone of notices are the application's."""
    with app.app_context():
        yield


@pytest.fixture
def secret(db: Session, owner: User) -> str:
    """The secret of the owner's authenticator app."""
    made = totp.new_secret()
    totp.set_up(db, owner, made, 0)
    return made


@pytest.fixture
def owner(make: Make) -> User:
    """An instructor."""
    return make.user(Role.INSTRUCTOR)


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def wrong(secret: str) -> str:
    """Six digits that are none of the three codes of now."""
    valid = {pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=shift)) for shift in range(-60, 90, 30)}
    return next(code for code in (f"{n:06d}" for n in range(9)) if code not in valid)


def actions(db: Session, user: User) -> list[str]:
    subject = f"app_user:{user.id}"
    return list(db.scalars(select(AuditEntry.action).where(AuditEntry.subject == subject).order_by(AuditEntry.id)))


@pytest.mark.parametrize("role", list(Role))
def test_it_is_demanded_of_every_role_but_the_trainees(make: Make, role: Role) -> None:
    assert second_factors.is_demanded(make.user(role).grants) == (role is not Role.TRAINEE)
    grants = [*make.user(Role.TRAINEE).grants, *make.user(role).grants]
    assert second_factors.is_demanded(grants) == (role is not Role.TRAINEE)


def test_a_code_is_taken_as_people_type_it(db: Session, owner: User, secret: str) -> None:
    code = code_of(secret)
    fullwidth = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    second_factors.check_code(db, owner, "session", f" {fullwidth[:3]} {fullwidth[3:]} ", None)
    with pytest.raises(FactorRefused):
        second_factors.check_code(db, owner, "session", code, None)


def test_a_recovery_code_stands_for_the_factor_once(db: Session, owner: User, secret: str) -> None:
    code = second_factors.make_recovery_codes(db, owner)[0]
    second_factors.check_code(db, owner, "session", code.upper(), None)
    with pytest.raises(RecoveryCodeRefused):
        second_factors.check_code(db, owner, "session", code, None)
    assert second_factors.state(db, owner.id).recovery_codes == 9
    second_factors.check_code(db, owner, "session", code_of(secret), None)
    assert actions(db, owner) == [
        "second_factor.codes", "second_factor.recovery", "second_factor.refused", "second_factor.given",
    ]  # fmt: skip


def guess(db: Session, owner: User, session: str, code: str, known: KnownBrowser | None = None) -> type[DomainError]:
    with pytest.raises(DomainError) as refusal:
        second_factors.check_code(db, owner, session, code, known)
    return refusal.type


def test_a_session_is_tried_ten_times_and_then_not_even_looked_at(db: Session, owner: User, secret: str) -> None:
    answers = [guess(db, owner, "thief", wrong(secret)) for _ in range(11)]
    assert answers == [FactorRefused] * 10 + [TooManyTries]
    assert guess(db, owner, "thief", code_of(secret)) is TooManyTries
    second_factors.check_code(db, owner, "owner", code_of(secret), None)


def test_one_who_guesses_in_ever_new_sessions_is_stopped_and_shuts_out_nobody(
    db: Session, owner: User, secret: str
) -> None:
    """10,000 guesses with the right password: 50 are looked at, and the owner still comes in by each other way."""
    for n in range(10_000 // 5):
        for _ in range(5):
            guess(db, owner, f"thief {n}", wrong(secret))
    looked_at = actions(db, owner).count("second_factor.refused")
    assert looked_at == second_factors.PER_USER.amount == 50
    assert guess(db, owner, "another", code_of(secret)) is DomainError
    by_password = known_browsers.recognise(db, owner, None, "").row
    assert guess(db, owner, "made known by a password link", code_of(secret), by_password) is DomainError
    second_factors.check_code(db, owner, "at home", code_of(secret), used_at_home(db, owner))
    second_factors.check_code(db, owner, "elsewhere", recovery_codes.make(db, owner)[0], None)


def used_at_home(db: Session, owner: User) -> KnownBrowser:
    row = known_browsers.recognise(db, owner, None, "").row
    known_browsers.remember_second_factor(db, row, None)
    return row


def test_a_known_browser_that_guesses_is_stopped_too(db: Session, owner: User, secret: str) -> None:
    home = used_at_home(db, owner)
    for n in range(40):
        guess(db, owner, f"session {n}", wrong(secret), home)
    assert actions(db, owner).count("second_factor.refused") == second_factors.PER_BROWSER.amount


def test_a_half_sign_in_sets_up_no_factor_where_there_is_one(db: Session, owner: User, secret: str) -> None:
    """Whoever has stolen the password does not replace the factor that keeps them out."""
    own = totp.new_secret()
    with pytest.raises(DomainError) as refusal:
        second_factors.add_totp(db, owner, own, code_of(own), whole=False)
    assert refusal.value.code == "factor_set_already"
    token = browser_sessions.start(db, owner, days=1, browser="")
    for act in (
        lambda: second_factors.passkey_options(db, owner, token, SITE, whole=False),
        lambda: second_factors.add_passkey(db, owner, token, SITE, {}, name="x", whole=False),
    ):
        with pytest.raises(DomainError) as refusal:
            act()
        assert refusal.value.code == "factor_set_already"
    second_factors.check_code(db, owner, "owner", code_of(secret), None)


def test_setting_up_demands_a_right_code(db: Session, owner: User) -> None:
    new = totp.new_secret()
    with pytest.raises(FactorRefused):
        second_factors.add_totp(db, owner, new, wrong(new), whole=False)
    assert not second_factors.is_set(db, owner.id)
    second_factors.add_totp(db, owner, new, code_of(new), whole=False)
    assert second_factors.is_set(db, owner.id)
    assert actions(db, owner) == ["second_factor.add"]


def test_the_owner_is_told_of_each_change(db: Session, owner: User) -> None:
    new = totp.new_secret()
    second_factors.add_totp(db, owner, new, code_of(new), whole=True)
    second_factors.make_recovery_codes(db, owner)
    second_factors.remove_totp(db, owner, demanded=False)
    purposes = list(db.scalars(select(Message.purpose).order_by(Message.id)))
    assert purposes == ["notice_second_factor", "notice_second_factor", "notice_second_factor_off"]


def spared(db: Session, owner: User) -> KnownBrowser:
    row = known_browsers.recognise(db, owner, None, "").row
    known_browsers.remember_second_factor(db, row, second_factors.remembered_until())
    return row


def test_the_last_factor_is_kept_where_one_is_demanded(db: Session, owner: User, secret: str) -> None:
    with pytest.raises(DomainError, match="Add another"):
        second_factors.remove_totp(db, owner, demanded=True)
    token = browser_sessions.start(db, owner, days=1, browser="")
    options = json.loads(second_factors.passkey_options(db, owner, token, SITE, whole=True))
    second_factors.add_passkey(db, owner, token, SITE, Authenticator().create(options), name="手机", whole=True)
    second_factors.remove_totp(db, owner, demanded=True)
    second_factors.remove_totp(db, owner, demanded=True)
    row = passkeys.of_user(db, owner.id)[0]
    with pytest.raises(DomainError, match="Add another"):
        second_factors.remove_passkey(db, owner, row.id, demanded=True)
    second_factors.rename_passkey(db, owner, row.id, "新手机")
    assert passkeys.of_user(db, owner.id)[0].name == "新手机"


def test_removing_the_last_one_ends_codes_and_remembered_browsers(db: Session, owner: User, secret: str) -> None:
    row = spared(db, owner)
    recovery_codes.make(db, owner)
    second_factors.remove_totp(db, owner, demanded=False)
    db.refresh(row)
    assert row.second_factor_until is None
    assert second_factors.state(db, owner.id) == second_factors.FactorState(None, [], 0, [])


@pytest.mark.parametrize("end", [None, "this one"])
def test_ending_the_sessions_ends_remembered_browsers(db: Session, owner: User, end: str | None) -> None:
    """A new password, "sign out everywhere" and disabling all end sessions by this function."""
    row = spared(db, owner)
    assert second_factors.state(db, owner.id).browsers == [row]
    browser_sessions.end_all(db, owner.id, but=end)
    db.refresh(row)
    assert not known_browsers.is_spared(row)


def test_a_browser_is_remembered_for_thirty_days(db: Session, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = spared(db, owner)
    start = clock.now()
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=29, hours=23))
    assert known_browsers.is_spared(row)
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=30, minutes=1))
    assert not known_browsers.is_spared(row)


def test_a_reset_removes_everything_and_ends_the_sessions(db: Session, make: Make, owner: User, secret: str) -> None:
    row = spared(db, owner)
    recovery_codes.make(db, owner)
    token = browser_sessions.start(db, owner, days=1, browser="")
    db.flush()
    audit.act_as(db, owner.id)
    with pytest.raises(DomainError, match="your own"):
        second_factors.reset(db, owner, "lost")
    audit.act_as(db, make.user(Role.CITY_ADMINISTRATOR).id)
    second_factors.reset(db, owner, "phone lost, seen with identity card")
    db.expire_all()
    assert second_factors.state(db, owner.id) == second_factors.FactorState(None, [], 0, [])
    assert browser_sessions.holder_of(db, token, staff_idle=timedelta(hours=12)) is None
    assert not known_browsers.is_spared(row)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "second_factor.reset")).one()
    assert (entry.reason, entry.subject) == ("phone lost, seen with identity card", f"app_user:{owner.id}")
    assert db.scalars(select(Message.purpose)).all() == ["notice_second_factor_off"]


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_two_simultaneous_uses_of_one_code_one_counts(app: Flask, fresh_database: str, kind: str) -> None:
    engine = create_engine(fresh_database)
    with Session(engine, expire_on_commit=False) as db:
        owner = Make(db).user(Role.INSTRUCTOR)
        secret = totp.new_secret()
        totp.set_up(db, owner, secret, 0)
        code = code_of(secret) if kind == "app" else plain(recovery_codes.make(db, owner)[0])
        db.commit()
    accept = totp.accept if kind == "app" else recovery_codes.accept

    def use(start: Barrier) -> bool:
        with Session(engine) as db:
            user = db.get_one(User, owner.id)
            start.wait()
            accepted = accept(db, user, code)
            db.commit()
            return accepted

    start = Barrier(4)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(use, [start] * 4))
    engine.dispose()
    assert sorted(answers) == [False, False, False, True]
