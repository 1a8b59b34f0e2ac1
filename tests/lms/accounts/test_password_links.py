"""Links that set a password: single use, short-lived, and silent about who has an account."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lms.accounts import password_links, passwords, throttle, users
from lms.accounts.models import PasswordReset, User
from lms.accounts.password_links import Site
from lms.accounts.tasks import send_links
from lms.core import audit, clock
from lms.core.contacts import ContactProof
from lms.core.errors import DomainError
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.test_users import mails

SignIn = Callable[[User], FlaskClient]
SITE = Site("https://training.example.org", "红十字会", "Red Cross")
NEW = "four new words here"


def token(db: Session, user: User, lives: timedelta = password_links.RESET) -> str:
    made = password_links.make(db, user, SITE, lives=lives).rpartition("/")[2]
    db.commit()
    return made


def request(client: FlaskClient, identifier: str) -> TestResponse:
    """Ask for a link on the page, and let the worker handle what was stored."""
    answer = client.post("/sign-in/forgotten", data={"identifier": identifier})
    with client.application.app_context():
        send_links()
    return answer


def test_known_and_unknown_addresses_get_the_same_answer(client: FlaskClient, make: Make, db: Session) -> None:
    user = make.user(Role.AUDITOR)
    disabled = make.user(Role.AUDITOR)
    users.disable(db, disabled, "left")
    db.commit()
    pages = set()
    for email in (user.email, "nobody@example.org", disabled.email):
        answer = request(client, email or "")
        assert answer.status_code == 200
        pages.add(answer.text.replace(str(email), ""))
    assert len(pages) == 1
    assert len(mails(db)) == 1
    assert str(user.email) in mails(db)[0]


def test_the_mail_is_in_the_users_language_and_its_link_works(client: FlaskClient, make: Make, db: Session) -> None:
    user = make.user(Role.AUDITOR, language="en")
    db.commit()
    request(client, str(user.email).upper())
    assert "within an hour" in mails(db)[0]
    link = re.search(r"http://127.0.0.1:8000(/sign-in/password/[\w-]+)", mails(db)[0])
    assert link is not None
    assert client.post(link[1], data={"password": NEW}).status_code == 302
    db.refresh(user)
    assert passwords.matches(user.password_hash, NEW)


def test_requests_for_links_are_throttled(client: FlaskClient, make: Make, db: Session) -> None:
    user = make.user(Role.AUDITOR)
    db.commit()
    answers = [request(client, user.email or "").status_code for _ in range(throttle.LINKS_PER_ACCOUNT.amount + 1)]
    assert answers == [200, 200, 200, 429]
    assert len(mails(db)) == 3


def test_using_a_link_ends_sessions_and_other_links(
    make: Make, sign_in: SignIn, client: FlaskClient, db: Session
) -> None:
    user = make.user(Role.AUDITOR, password_hash=passwords.seal(PASSWORD))
    browser = sign_in(user)
    older = token(db, user)
    newer = token(db, user)
    assert client.get(f"/sign-in/password/{older}").status_code == 410
    assert browser.get("/account/").status_code == 200
    assert client.post(f"/sign-in/password/{newer}", data={"password": NEW}).status_code == 302
    assert browser.get("/account/").status_code == 302
    assert client.get(f"/sign-in/password/{newer}").status_code == 410


def test_a_refused_password_does_not_spend_the_link(make: Make, client: FlaskClient, db: Session) -> None:
    user = make.user(Role.AUDITOR)
    link = token(db, user)
    assert client.post(f"/sign-in/password/{link}", data={"password": "1234567890"}).status_code == 422
    assert client.post(f"/sign-in/password/{link}", data={"password": NEW}).status_code == 302


def test_an_old_link_an_unknown_one_and_that_of_a_disabled_user_do_nothing(db: Session, make: Make) -> None:
    user, disabled = make.user(Role.AUDITOR), make.user(Role.AUDITOR)
    old = token(db, user)
    db.execute(update(PasswordReset).values(expires_at=clock.now()))
    theirs = token(db, disabled)
    disabled.disabled_at = clock.now()
    db.flush()
    for value in (old, theirs, "unknown"):
        with pytest.raises(DomainError) as refusal:
            password_links.use(db, value, NEW)
        assert refusal.value.status == 410


def test_the_table_cannot_be_used_to_sign_in(db: Session, make: Make) -> None:
    value = token(db, make.user(Role.AUDITOR))
    kept = db.scalars(select(PasswordReset.token_hash)).one()
    assert value.encode() not in kept
    assert len(kept) == 32


def test_two_at_once_one_wins(fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        user = Make(db).user(Role.AUDITOR)
        value = token(db, user)
    start, won = Barrier(4), []

    def use(number: int) -> None:
        with Session(engine) as db:
            start.wait()
            try:
                password_links.use(db, value, f"{NEW} {number}")
                db.commit()
                won.append(number)
            except DomainError:
                db.rollback()

    threads = [Thread(target=use, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as db:
        assert len(won) == 1
        sealed = db.scalars(select(User.password_hash)).one()
        assert passwords.matches(sealed, f"{NEW} {won[0]}")
        assert db.scalar(select(func.count()).select_from(PasswordReset).where(PasswordReset.used_at.is_(None))) == 0
    engine.dispose()


def test_a_reset_goes_to_a_proven_address_only(client: FlaskClient, make: Make, db: Session) -> None:
    make.user(Role.TRAINEE, email="claimed@example.org", proven=False, password_hash=passwords.seal(PASSWORD))
    db.commit()
    assert client.post("/sign-in/forgotten", data={"identifier": "claimed@example.org"}).status_code == 200
    assert mails(db) == []


def test_the_use_of_an_invitation_proves_the_contact_to_which_it_was_sent(db: Session, make: Make) -> None:
    mailed = make.user(Role.AUDITOR, email="new@example.org", proven=False)
    password_links.invite(db, mailed, SITE)
    link = re.search(r"/sign-in/password/([\w-]+)", mails(db)[0])
    assert link is not None
    password_links.use(db, link[1], NEW)
    assert mailed.email_proof is ContactProof.LINK
    administrator = make.user(Role.CITY_ADMINISTRATOR)
    audit.act_as(db, administrator.id)
    handed = make.user(Role.AUDITOR, email=None, phone="+8613800138000", proven=False)
    address = password_links.invite(db, handed, SITE)
    assert address is not None
    password_links.use(db, address.rpartition("/")[2], NEW)
    assert (handed.phone_proof, handed.phone_proven_by) == (ContactProof.STAFF, administrator.id)


def test_an_account_in_use_gets_its_link_at_a_proven_contact_or_not_at_all(db: Session, make: Make) -> None:
    sealed = passwords.seal(PASSWORD)
    phone = make.user(Role.AUDITOR, email=None, phone="+8613800138000", password_hash=sealed)
    assert password_links.invite(db, phone, SITE) is None
    message = db.scalars(select(Message)).one()
    assert owing.content_of(message)["addresses"] == [["sms", "+8613800138000"]]
    claimed = make.user(Role.TRAINEE, proven=False, password_hash=sealed)
    with pytest.raises(DomainError, match="No contact of this account is confirmed"):
        password_links.invite(db, claimed, SITE)
    assert mails(db) == []
