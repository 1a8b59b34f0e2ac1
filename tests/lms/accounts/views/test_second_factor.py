"""Signing in with a second factor, over HTTP: what a half sign-in reaches, and what makes it whole."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms.accounts import current, passwords, recovery_codes, second_factors, totp, users
from lms.accounts.models import BrowserSession, Totp, User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.authenticator import Authenticator

SignIn = Callable[[User], FlaskClient]
JSON = {"Accept": "application/json"}


def enter(client: FlaskClient, person: User, onward: str = "/account/") -> str:
    """Give the password; the address to which the answer leads."""
    form = {"identifier": person.email, "password": PASSWORD}
    answer = client.post("/sign-in/", query_string={"next": onward}, data=form)
    assert answer.status_code == 302
    return str(answer.location)


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def give(client: FlaskClient, code: str, **more: str) -> int:
    return client.post("/sign-in/second", data={"code": code} | more).status_code


def is_whole(client: FlaskClient) -> bool:
    return client.get("/account/").status_code == 200


def add_passkey(client: FlaskClient, key: Authenticator, name: str = "手机") -> str:
    options = client.post("/account/second-factor/passkey-options", json={}, headers=JSON)
    assert options.json is not None, options.text
    body = {"credential": key.create(options.json), "name": name}
    answer = client.post("/account/second-factor/passkeys?next=/today/", json=body, headers=JSON)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return str(answer.json["next"])


def token_of(client: FlaskClient) -> str:
    with client.session_transaction() as cookie:
        token: str = cookie[current.TOKEN]
    return token


def test_where_it_is_offered_who_has_none_signs_in_by_password_alone(client: FlaskClient, person: User) -> None:
    assert enter(client, person) == "/account/"
    assert is_whole(client)


def test_the_password_alone_leads_to_the_second_step(client: FlaskClient, person: User, secret: str) -> None:
    assert enter(client, person, "/users/?page=2") == "/sign-in/second?next=/users/?page%3D2"
    assert not is_whole(client)
    page = client.get("/sign-in/second?next=/today/")
    assert page.status_code == 200
    assert person.name in page.text
    answer = client.post("/sign-in/second?next=/today/", data={"code": code_of(secret)})
    assert answer.location == "/today/"
    assert is_whole(client)
    assert client.get("/sign-in/second?next=/today/").location == "/today/"


def test_a_half_sign_in_is_a_visitor_on_public_pages(client: FlaskClient, make: Make, db: Session) -> None:
    city = make.user(Role.CITY_ADMINISTRATOR, password_hash=passwords.seal(PASSWORD))
    totp.set_up(db, city, totp.new_secret(), 0)
    db.commit()
    visitor = client.get("/").text
    enter(client, city)
    assert client.get("/").text == visitor
    assert client.get("/sign-in/").location == "/sign-in/second?next=/"


def test_a_half_sign_in_is_refused_in_words(client: FlaskClient, person: User, secret: str) -> None:
    enter(client, person)
    assert client.get("/account/?tab=1").location == "/sign-in/second?next=/account/?tab%3D1"
    page = client.post("/account/", data={"name": "Mallory", "language": "en"})
    assert page.status_code == 403
    assert "登录尚未完成" in page.text
    answer = client.post("/api/v1/devices", json={})
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "sign_in_unfinished"


def test_the_cookie_of_the_half_sign_in_does_not_become_whole(
    app: Flask, client: FlaskClient, person: User, secret: str
) -> None:
    enter(client, person)
    stolen = app.test_client()
    with stolen.session_transaction() as cookie:
        cookie[current.TOKEN] = token_of(client)
    assert give(client, code_of(secret)) == 302
    assert is_whole(client)
    assert stolen.get("/account/").location.startswith("/sign-in/")
    assert stolen.get("/sign-in/second").location.startswith("/sign-in/?")


def test_a_half_sign_in_ends_after_half_an_hour(client: FlaskClient, person: User, secret: str, db: Session) -> None:
    enter(client, person)
    limit = db.scalars(select(BrowserSession.expires_at).where(BrowserSession.user_id == person.id)).one()
    assert limit - clock.now() <= timedelta(minutes=30)
    give(client, code_of(secret))
    db.expire_all()
    limit = db.scalars(select(BrowserSession.expires_at).where(BrowserSession.user_id == person.id)).one()
    assert limit - clock.now() > timedelta(days=29)


def test_a_code_is_used_once(app: Flask, client: FlaskClient, person: User, secret: str) -> None:
    code = code_of(secret)
    enter(client, person)
    assert give(client, code) == 302
    other = app.test_client()
    enter(other, person)
    assert give(other, code) == 422
    assert not is_whole(other)


def test_a_wrong_code_is_said_counted_and_audited(client: FlaskClient, person: User, secret: str, db: Session) -> None:
    enter(client, person)
    answer = client.post("/sign-in/second", data={"code": "12345"}, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert answer.status_code == 422
    assert "验证码不正确" in answer.text
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "second_factor.refused")).one()
    assert entry.after is not None
    assert (entry.after["factor"], entry.after["address"]) == ("totp", "203.0.113.9")
    answers = [give(client, "12345") for _ in range(second_factors.PER_SESSION.amount)]
    assert answers[-1] == 429
    assert client.post("/sign-in/second", data={}).status_code == 422


def test_a_remembered_browser_is_not_asked_and_another_is(
    app: Flask, client: FlaskClient, person: User, secret: str, db: Session
) -> None:
    enter(client, person)
    give(client, code_of(secret), remember="y")
    client.post("/account/sign-out")
    assert enter(client, person) == "/account/"
    assert is_whole(client)
    assert enter(app.test_client(), person).startswith("/sign-in/second")
    assert "免验证至" in client.get("/account/second-factor").text
    with app.app_context():
        users.set_password(db, person, "another long passphrase of mine")
        users.set_password(db, person, PASSWORD)
    db.commit()
    assert enter(client, person).startswith("/sign-in/second")


def test_a_browser_is_not_remembered_unasked(client: FlaskClient, person: User, secret: str) -> None:
    enter(client, person)
    give(client, code_of(secret))
    client.post("/account/sign-out")
    assert enter(client, person).startswith("/sign-in/second")


def test_the_browser_of_another_user_is_not_spared(
    client: FlaskClient, person: User, secret: str, make: Make, db: Session
) -> None:
    other = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    totp.set_up(db, other, totp.new_secret(), 0)
    db.commit()
    enter(client, person)
    give(client, code_of(secret), remember="y")
    client.post("/account/sign-out")
    assert enter(client, other).startswith("/sign-in/second")


def test_the_password_alone_makes_no_browser_known(client: FlaskClient, person: User, secret: str) -> None:
    """Else a thief of the password had an allowance of guesses in each new browser."""
    enter(client, person)
    assert client.get_cookie("browser") is None
    give(client, code_of(secret))
    assert client.get_cookie("browser") is not None


def test_another_session_of_the_user_is_asked_once_a_factor_is_set(person: User, sign_in: SignIn, db: Session) -> None:
    here, there = sign_in(person), sign_in(person)
    assert set_up_app(here) is not None
    assert is_whole(here)
    assert there.get("/account/").location.startswith("/sign-in/second")


def set_up_app(client: FlaskClient) -> str:
    """Set up an app; its secret."""
    page = client.get("/account/second-factor/app").text
    found = re.search(r'data-secret="(\w+)"', page)
    pending = re.search(r'name="pending"[^>]*value="(\w+)"', page)
    assert found is not None
    assert pending is not None
    form = {"pending": pending[1], "code": code_of(found[1])}
    answer = client.post("/account/second-factor/app?next=/today/", data=form)
    assert answer.status_code == 302
    assert answer.location == "/account/second-factor/recovery-codes?next=/today/"
    return found[1]


@pytest.mark.usefixtures("demanded")
def test_where_it_is_demanded_it_is_set_up_before_anything_else(client: FlaskClient, person: User) -> None:
    assert enter(client, person) == "/account/second-factor/set-up?next=/account/"
    assert client.get("/today/").location.startswith("/account/second-factor/set-up")
    assert client.get("/sign-in/second").location.startswith("/account/second-factor/set-up")
    page = client.get("/account/second-factor/set-up").text
    assert "通行密钥" in page
    assert "passkeys.js" in page
    set_up_app(client)
    assert is_whole(client)
    codes = client.post("/account/second-factor/recovery-codes?next=/today/").text
    assert len(re.findall(r"<li><code>", codes)) == recovery_codes.NUMBER
    assert "/today/" in codes
    assert "<li><code>" not in client.get("/account/second-factor/recovery-codes").text


@pytest.mark.usefixtures("demanded")
def test_a_wrong_first_code_keeps_the_secret_on_the_page(client: FlaskClient, person: User) -> None:
    enter(client, person)
    page = client.get("/account/second-factor/app").text
    secret = re.findall(r'data-secret="(\w+)"', page)[0]
    pending = re.findall(r'name="pending"[^>]*value="(\w+)"', page)[0]
    answer = client.post("/account/second-factor/app", data={"pending": pending, "code": "12345"})
    assert answer.status_code == 422
    assert secret in answer.text
    assert not is_whole(client)


@pytest.mark.usefixtures("demanded")
def test_it_is_not_demanded_of_a_trainee(client: FlaskClient, make: Make, db: Session) -> None:
    trainee = make.user(Role.TRAINEE, password_hash=passwords.seal(PASSWORD))
    db.commit()
    assert enter(client, trainee) == "/account/"


@pytest.mark.usefixtures("demanded")
def test_a_stolen_half_sign_in_cannot_set_up_another_factor(
    client: FlaskClient, person: User, secret: str, db: Session
) -> None:
    enter(client, person)
    own = totp.new_secret()
    form = {"pending": totp.seal_pending(person, own), "code": code_of(own)}
    for path in ("/account/second-factor/app", "/account/second-factor/set-up"):
        assert client.get(path).location.startswith("/sign-in/second")
    assert client.post("/account/second-factor/app", data=form).status_code == 403
    for path in ("/account/second-factor/passkey-options", "/account/second-factor/passkeys"):
        assert client.post(path, json={}, headers=JSON).status_code == 403
    assert client.post("/account/second-factor/recovery-codes").status_code == 403
    db.expire_all()
    row = db.get(Totp, person.id)
    assert row is not None
    assert totp.accept(db, person, code_of(secret))


@pytest.mark.usefixtures("demanded")
def test_an_old_session_sets_up_no_factor_without_the_password(person: User, sign_in: SignIn, db: Session) -> None:
    """A session that was stolen before the setting was switched on owns nothing either."""
    browser = sign_in(person)
    db.execute(update(BrowserSession).values(confirmed_at=clock.now() - timedelta(hours=1)))
    db.commit()
    assert browser.get("/account/second-factor/set-up").location.startswith("/sign-in/confirm")
    assert browser.post("/account/second-factor/passkey-options", json={}, headers=JSON).status_code == 403
    answer = browser.post("/sign-in/confirm?next=/account/second-factor/set-up", data={"confirm_password": PASSWORD})
    assert answer.location == "/account/second-factor/set-up"
    assert browser.get("/account/second-factor/set-up").status_code == 200


def test_a_recovery_code_signs_in(app: Flask, client: FlaskClient, person: User, secret: str, db: Session) -> None:
    code = recovery_codes.make(db, person)[0]
    db.commit()
    enter(client, person)
    assert give(client, code) == 302
    assert "剩余 9 个" in client.get("/account/second-factor").text
    other = app.test_client()
    enter(other, person)
    assert give(other, code) == 422
    answer = other.post("/sign-in/second", data={"code": code, "recovery": "yes"})
    assert answer.status_code == 422
    assert "恢复码不正确" in answer.text
    assert '<details class="panel" open>' in answer.text


@pytest.mark.usefixtures("demanded")
def test_factors_are_renamed_and_removed_by_their_owner_alone(
    client: FlaskClient, person: User, make: Make, sign_in: SignIn, db: Session
) -> None:
    enter(client, person)
    add_passkey(client, Authenticator())
    row = second_factors.state(db, person.id).passkeys[0]
    path = f"/account/second-factor/passkeys/{row.id}"
    stranger = sign_in(make.user(Role.TRAINEE))
    for answer in (stranger.get(path), stranger.post(path, data={"name": "x"}), stranger.post(f"{path}/remove")):
        assert answer.status_code == 404
    assert client.post(path, data={"name": ""}).status_code == 422
    assert client.post(path, data={"name": "旧手机"}).status_code == 302
    assert client.post(f"{path}/remove").status_code == 409
    set_up_another = re.findall(r'name="pending"[^>]*value="(\w+)"', client.get("/account/second-factor/app").text)[0]
    secret = totp.open_pending(person, set_up_another)
    assert secret is not None
    client.post("/account/second-factor/app", data={"pending": set_up_another, "code": code_of(secret)})
    assert client.post(f"{path}/remove").status_code == 302
    assert client.post("/account/second-factor/app/remove").status_code == 409
    assert client.post("/account/second-factor/browsers/forget").status_code == 302
    assert is_whole(client)


def test_who_has_no_factor_gets_no_recovery_codes(person: User, sign_in: SignIn) -> None:
    browser = sign_in(person)
    assert browser.get("/account/second-factor/recovery-codes").location == "/account/second-factor/set-up"
    assert "尚未设置身份验证器应用" in browser.get("/account/second-factor").text


def test_an_administrator_resets_the_factor_of_somebody_within_reach(  # noqa: PLR0917  # fixtures, each by name
    client: FlaskClient, person: User, secret: str, make: Make, sign_in: SignIn, db: Session
) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    path = f"/users/{person.id}/second-factor"
    assert path in city.get(f"/users/{person.id}").text
    assert sign_in(make.user(Role.DISTRICT_ADMINISTRATOR)).get(path).status_code == 404
    assert city.get(path).status_code == 200
    assert city.post(path, data={"reason": "手机丢失"}).status_code == 422
    assert city.post(path, data={"reason": "", "seen": "y"}).status_code == 422
    assert city.post(path, data={"reason": "手机丢失，已核对身份证", "seen": "y"}).status_code == 302
    assert enter(client, person) == "/account/"


def test_the_page_of_each_request_costs_no_query_more(
    person: User, secret: str, client: FlaskClient, statements: list[str]
) -> None:
    enter(client, person)
    give(client, code_of(secret))
    statements.clear()
    client.get("/account/devices")
    assert len([statement for statement in statements if "browser_session" in statement]) == 1
    assert not [
        statement for statement in statements if "FROM totp" in statement and "browser_session" not in statement
    ]
