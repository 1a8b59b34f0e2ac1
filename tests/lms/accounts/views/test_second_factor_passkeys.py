"""Passkeys over HTTP: set up, used at sign-in, and refused."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import passwords
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.authenticator import Authenticator
from tests.lms.accounts.views.test_second_factor import JSON, add_passkey, enter, is_whole

SignIn = Callable[[User], FlaskClient]


@pytest.mark.usefixtures("demanded")
def test_a_passkey_is_set_up_and_signs_in(app: Flask, client: FlaskClient, person: User, db: Session) -> None:
    key = Authenticator(count=0)
    enter(client, person)
    for unstorable in ("我的\0手机", "手机\ud800"):
        body = {"credential": {}, "name": unstorable}
        assert client.post("/account/second-factor/passkeys", json=body, headers=JSON).status_code == 422
    assert add_passkey(client, key, " 我的  手机 ") == "/account/second-factor/recovery-codes?next=/today/"
    assert is_whole(client)
    assert "我的 手机" in client.get("/account/second-factor").text
    client.post("/account/sign-out")
    assert enter(client, person).startswith("/sign-in/second")
    assert "passkeys.js" in client.get("/sign-in/second").text
    options = client.post("/sign-in/second/passkey-options", headers=JSON).json
    assert options is not None
    answer = key.get(options)
    forged = answer | {"response": answer["response"] | {"signature": "AAAA"}}
    refusal = client.post("/sign-in/second/passkey", json={"credential": forged}, headers=JSON)
    assert refusal.status_code == 422
    assert refusal.json is not None
    assert "通行密钥" in refusal.json["detail"]
    again = client.post("/sign-in/second/passkey", json={"credential": answer}, headers=JSON)
    assert again.status_code == 422
    options = client.post("/sign-in/second/passkey-options", headers=JSON).json
    assert options is not None
    body = {"credential": key.get(options), "remember": True}
    assert client.post("/sign-in/second/passkey?next=/today/", json=body, headers=JSON).json == {"next": "/today/"}
    assert is_whole(client)
    causes = [
        entry.after["cause"] for entry in db.scalars(select(AuditEntry)) if entry.after and "cause" in entry.after
    ]
    assert causes == ["passkey_unproven", "passkey_no_challenge"]
    client.post("/account/sign-out")
    assert enter(client, person) == "/account/"


@pytest.mark.usefixtures("demanded")
def test_the_passkey_of_a_colleague_opens_nothing(
    app: Flask, client: FlaskClient, person: User, make: Make, db: Session
) -> None:
    colleague = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    db.commit()
    key, own = Authenticator(), Authenticator()
    elsewhere = app.test_client()
    enter(client, person)
    add_passkey(client, key)
    enter(elsewhere, colleague)
    add_passkey(elsewhere, own)
    client.post("/account/sign-out")
    enter(client, person)
    options = client.post("/sign-in/second/passkey-options", headers=JSON).json
    assert options is not None
    answer = client.post("/sign-in/second/passkey", json={"credential": own.get(options)}, headers=JSON)
    assert answer.status_code == 422
    assert not is_whole(client)


@pytest.mark.parametrize("body", ["[]", "nonsense", "[" * 20_000, "1"])
def test_what_is_no_object_is_refused_in_words(client: FlaskClient, person: User, secret: str, body: str) -> None:
    enter(client, person)
    answer = client.post("/sign-in/second/passkey", data=body, content_type="application/json", headers=JSON)
    assert answer.status_code == 422


def test_at_an_ip_address_passkeys_are_not_offered(person: User, sign_in: SignIn) -> None:
    browser = sign_in(person)
    page = browser.get("/account/second-factor/set-up").text
    assert "passkeys.js" not in page
    assert "身份验证器" in page
    assert "passkeys.js" not in browser.get("/account/second-factor").text
    answer = browser.post("/account/second-factor/passkey-options", json={}, headers=JSON)
    assert answer.status_code == 409
