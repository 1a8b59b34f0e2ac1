"""Signing in and out: what is let in, what is refused, and what ends a session."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts import passwords, throttle, users
from lms.accounts.models import BrowserSession, User
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.factories import PASSWORD, Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def person(make: Make, db: Session) -> User:
    """An instructor with a phone, an e-mail address and a password."""
    user = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    user.phone = make.phone()
    db.commit()
    return user


def enter(client: FlaskClient, identifier: str, password: str = PASSWORD, onward: str = "") -> int:
    address = "/sign-in/" + (f"?next={onward}" if onward else "")
    return client.post(address, data={"identifier": identifier, "password": password}).status_code


@pytest.mark.parametrize("way", ["email", "EMAIL", "phone", "national phone", "spaced"])
def test_phone_and_email_let_in_however_they_are_typed(client: FlaskClient, person: User, way: str) -> None:
    assert person.email is not None
    assert person.phone is not None
    typed = {
        "email": person.email,
        "EMAIL": person.email.upper(),
        "phone": person.phone,
        "national phone": person.phone.removeprefix("+86"),
        "spaced": f" {person.phone[3:6]} {person.phone[6:10]} {person.phone[10:]} ",
    }[way]
    assert enter(client, typed) == 302
    assert client.get("/account/").status_code == 200


def test_every_refusal_reads_the_same(client: FlaskClient, person: User, make: Make, db: Session) -> None:
    disabled = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    invited = make.user(Role.INSTRUCTOR)
    users.disable(db, disabled, "left")
    db.commit()
    pages = set()
    for identifier, password in (
        (person.email, "not the password"),
        ("nobody@example.org", PASSWORD),
        (disabled.email, PASSWORD),
        (invited.email, PASSWORD),
        ("13800000000", PASSWORD),
    ):
        answer = client.post("/sign-in/", data={"identifier": identifier, "password": password})
        assert answer.status_code == 422
        pages.add(answer.text.replace(str(identifier), ""))
    assert len(pages) == 1
    assert client.get("/account/").status_code == 302


def test_an_unknown_account_costs_a_hash_too(db: Session, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    real = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *words: (verified.append(1), real(*words))[1])
    for identifier in (person.email or "", "nobody@example.org"):
        with pytest.raises(users.DomainError):
            users.authenticate(db, identifier, "wrong password")
    assert len(verified) == 2


def test_an_old_hash_is_made_anew(db: Session, person: User) -> None:
    person.password_hash = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    assert users.authenticate(db, person.email or "", PASSWORD) is person
    assert person.password_hash is not None
    assert "m=19456,t=2,p=1" in person.password_hash
    assert passwords.matches(person.password_hash, PASSWORD)


def test_tries_are_throttled_before_the_hash_and_told_how_long(
    client: FlaskClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(throttle.PER_ACCOUNT.amount):
        assert enter(client, person.email or "", "wrong password") == 422
    monkeypatch.setattr(passwords, "matches", None)
    answer = client.post("/sign-in/", data={"identifier": person.email, "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "15 分钟" in answer.text
    assert str(person.email) in answer.text


def test_one_address_is_throttled_over_all_accounts(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_words: False)
    answers = [enter(client, f"user{n}@example.org") for n in range(throttle.PER_ADDRESS.amount + 1)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {422}


def test_the_counters_hold_no_identifier_and_no_address(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "", "wrong password")
    kept = repr(vars(limiter.limiter.storage))
    assert "accounts" in kept
    assert str(person.email) not in kept
    assert "127.0.0.1" not in kept


@pytest.mark.parametrize(
    ("onward", "goes"),
    [("/users/?page=2", "/users/?page=2"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("", "/")],
)
def test_sign_in_leads_on_within_this_site_only(client: FlaskClient, person: User, onward: str, goes: str) -> None:
    answer = client.post(
        "/sign-in/", query_string={"next": onward}, data={"identifier": person.email, "password": PASSWORD}
    )
    assert answer.location == goes


def test_a_phone_that_changes_network_stays_signed_in(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "")
    answer = client.get("/account/", environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers={"User-Agent": "another one"})
    assert answer.status_code == 200


def test_signing_out_ends_this_browser_alone(person: User, sign_in: SignIn) -> None:
    here, there = sign_in(person), sign_in(person)
    with here.session_transaction() as cookie:
        stolen = dict(cookie)
    assert here.post("/account/sign-out").status_code == 302
    with here.session_transaction() as cookie:
        cookie.update(stolen)
    assert here.get("/account/").status_code == 302
    assert there.get("/account/").status_code == 200


def test_changing_the_password_signs_the_others_out(person: User, sign_in: SignIn, db: Session) -> None:
    here, there = sign_in(person), sign_in(person)
    wrong = here.post("/account/password", data={"present_password": "guess", "password": "four new words here"})
    assert wrong.status_code == 422
    assert there.get("/account/").status_code == 200
    done = here.post("/account/password", data={"present_password": PASSWORD, "password": "four new words here"})
    assert done.status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    db.refresh(person)
    assert passwords.matches(person.password_hash, "four new words here")


def test_disabling_ends_every_session_at_once(person: User, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(person)
    assert browser.get("/account/").status_code == 200
    users.disable(db, person, "left the branch")
    db.commit()
    assert browser.get("/account/").status_code == 302
    assert db.scalar(select(func.count()).select_from(BrowserSession).where(BrowserSession.user_id == person.id)) == 0


def test_a_browser_can_be_signed_out_from_another(person: User, sign_in: SignIn, make: Make) -> None:
    here, there = sign_in(person), sign_in(person)
    page = here.get("/account/").text
    assert page.count('/end"') == 1
    key = page.split("/account/browsers/")[1].split("/end")[0]
    stranger = sign_in(make.user(Role.INSTRUCTOR))
    stranger.post(f"/account/browsers/{key}/end")
    assert there.get("/account/").status_code == 200
    assert here.post(f"/account/browsers/{key}/end").status_code == 302
    assert there.get("/account/").status_code == 302
    assert here.post("/account/browsers/nonsense/end").status_code == 404


def test_the_account_speaks_the_chosen_language(person: User, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(person)
    answer = browser.post("/account/", data={"name": "王芳", "language": "en"}, follow_redirects=True)
    assert "My account" in answer.text
    assert "My account" in browser.get("/account/").text
    db.refresh(person)
    assert (person.name, person.language) == ("王芳", "en")
