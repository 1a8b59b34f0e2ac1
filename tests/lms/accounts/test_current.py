"""The user of a request, found by the session token in the cookie."""

from collections.abc import Callable

from flask.testing import FlaskClient

from lms.accounts import current
from lms.accounts.models import User
from tests.lms.accounts.conftest import enter

SignIn = Callable[[User], FlaskClient]


def test_a_phone_that_changes_network_stays_signed_in(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "")
    answer = client.get("/account/", environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers={"User-Agent": "another one"})
    assert answer.status_code == 200


def test_the_cookie_holds_the_session_token_and_never_the_users_id(client: FlaskClient, person: User) -> None:
    enter(client, person.email or "")
    with client.session_transaction() as cookie:
        token = cookie[current.TOKEN]
    assert token != str(person.id)
    assert len(token) > 20


def test_signing_in_drops_what_the_cookie_held_before(client: FlaskClient, person: User) -> None:
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    enter(client, person.email or "")
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
