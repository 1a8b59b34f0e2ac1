"""Signing in and out: what is let in, what is refused, and what ends a session."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import passwords, users
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.conftest import enter

SignIn = Callable[[User], FlaskClient]


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
            users.authenticate(users.claimed(db, identifier, None), "wrong password")
    assert len(verified) == 2


@pytest.mark.usefixtures("real_hashes")
def test_an_old_hash_is_made_anew(db: Session, person: User) -> None:
    person.password_hash = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    assert users.authenticate(users.claimed(db, person.email or "", None), PASSWORD) is person
    assert person.password_hash is not None
    assert "m=19456,t=2,p=1" in person.password_hash
    assert passwords.matches(person.password_hash, PASSWORD)


@pytest.mark.parametrize(
    ("onward", "goes"),
    [("/users/?page=2", "/users/?page=2"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("", "/")],
)
def test_sign_in_leads_on_within_this_site_only(client: FlaskClient, person: User, onward: str, goes: str) -> None:
    answer = client.post(
        "/sign-in/", query_string={"next": onward}, data={"identifier": person.email, "password": PASSWORD}
    )
    assert answer.location == goes


def test_the_account_speaks_the_chosen_language(person: User, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(person)
    answer = browser.post("/account/", data={"name": "王芳", "language": "en"}, follow_redirects=True)
    assert "My account" in answer.text
    assert "My account" in browser.get("/account/").text
    db.refresh(person)
    assert (person.name, person.language) == ("王芳", "en")
