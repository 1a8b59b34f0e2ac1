"""Known browsers: recognised by a token of our own making, never by one that was brought along."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts import known_browsers, passwords
from lms.accounts.models import KnownBrowser, User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.conftest import enter


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(known_browsers.COOKIE)
    assert cookie is not None
    return cookie.value


def test_a_browser_is_known_after_the_first_sign_in_and_stays_so(
    client: FlaskClient, person: User, db: Session
) -> None:
    assert enter(client, person.email or "") == 302
    token = cookie_of(client)
    cookie = client.get_cookie(known_browsers.COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert len(token) == known_browsers.TOKEN_LENGTH
    client.post("/account/sign-out")
    assert enter(client, person.email or "") == 302
    assert cookie_of(client) == token
    assert db.scalar(select(func.count()).select_from(KnownBrowser)) == 1
    assert token.encode() not in db.scalars(select(KnownBrowser.token_hash)).one()


def test_a_planted_token_is_not_taken_over(
    app: object, client: FlaskClient, person: User, make: Make, db: Session
) -> None:
    """An intruder signs in to an own account, plants that cookie on somebody's phone and keeps a copy."""
    intruder = make.user(Role.TRAINEE)
    planted = known_browsers.recognise(db, intruder, None, "").token
    db.commit()
    for value in (planted, "A" * known_browsers.TOKEN_LENGTH):
        client.set_cookie(known_browsers.COOKIE, value)
        client.post("/account/sign-out")
        enter(client, person.email or "")
        assert known_browsers.find(db, value, person.id) is None
        assert known_browsers.find(db, cookie_of(client), person.id) is not None
    assert known_browsers.find(db, planted, intruder.id) is None


def test_users_of_a_shared_browser_are_each_known_in_it(
    client: FlaskClient, person: User, make: Make, db: Session
) -> None:
    colleague = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    db.commit()
    for user in (person, colleague):
        enter(client, user.email or "")
        client.post("/account/sign-out")
    token = cookie_of(client)
    assert known_browsers.find(db, token, person.id) is not None
    assert known_browsers.find(db, token, colleague.id) is not None


def test_a_browser_unused_for_400_days_is_forgotten(db: Session, person: User) -> None:
    token = known_browsers.recognise(db, person, None, "").token
    with clock.at(clock.now() + known_browsers.LASTS + timedelta(days=1)):
        assert known_browsers.find(db, token, person.id) is None
        assert known_browsers.recognise(db, person, token, "").new
    assert db.scalar(select(func.count()).select_from(KnownBrowser)) == 1


def test_a_new_password_forgets_the_second_factor_everywhere(db: Session, person: User) -> None:
    recognition = known_browsers.recognise(db, person, None, "")
    known_browsers.remember_second_factor(db, recognition.row, clock.now() + timedelta(days=30))
    known_browsers.forget_second_factors(db, person.id)
    db.refresh(recognition.row)
    assert recognition.row.second_factor_until is None
