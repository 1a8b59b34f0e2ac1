"""Contacts of accounts: proven, replaced, removed, and taken from whoever merely claims them."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import contact_checks, password_links, passwords, user_contacts, users
from lms.accounts.models import BrowserSession, User
from lms.accounts.password_links import Site
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.test_contact_checks import code_in, token_in

PHONE = "+8613800138000"
SITE = Site("https://training.example.org", "红十字会", "Red Cross")


@pytest.fixture(autouse=True)
def _within_the_app(app: Flask) -> Iterator[None]:
    """Notices name the moment in the branch's time zone, which the application knows."""
    with app.app_context():
        yield


def told(db: Session, user: User) -> set[str]:
    """The addresses to which notices to a user are owed."""
    rows = db.scalars(select(Message).where(Message.person == f"user:{user.id}"))
    return {str(address[1]) for row in rows for address in owing.content_of(row)["addresses"]}  # type: ignore[attr-defined]


def test_an_own_phone_is_proven_by_its_code_and_both_contacts_are_told(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, email="own@example.org", phone="+8613900139000")
    check = user_contacts.start_own(db, user, ContactKind.PHONE, PHONE, language="zh", address="192.0.2.1")
    assert user.phone == "+8613900139000"
    contact_checks.confirm_code(db, contact_checks.ref_of(check), code_in(db))
    assert (user.phone, user.phone_proof) == (PHONE, ContactProof.CODE)
    assert told(db, user) == {"own@example.org", "+8613900139000", PHONE}
    assert users.find(db, "13900139000") is None


def test_proving_takes_the_contact_from_whoever_claims_it(db: Session, make: Make) -> None:
    owner = make.user(Role.TRAINEE, email="owner@example.org")
    only = make.user(Role.TRAINEE, email=None, phone=PHONE, proven=False)
    both = make.user(Role.TRAINEE, email="both@example.org", phone=PHONE, proven=False)
    now = clock.now()
    db.add(BrowserSession(token_hash=b"x" * 32, user_id=only.id, created_at=now, seen_at=now, expires_at=now))
    db.flush()
    user_contacts.prove(db, owner, ContactKind.PHONE, PHONE, ContactProof.CODE)
    assert users.find(db, PHONE) is owner
    assert (only.phone, only.disabled_at is None) == (None, False)
    assert (both.phone, both.disabled_at) == (None, None)
    assert db.scalars(select(BrowserSession)).all() == []
    actions = {(row.action, row.subject) for row in db.scalars(select(AuditEntry))}
    assert ("user.disable_claimed", f"app_user:{only.id}") in actions
    with pytest.raises(DomainError, match="only contact"):
        users.enable(db, only)


def test_a_contact_that_another_account_has_proven_is_not_taken(db: Session, make: Make) -> None:
    owner = make.user(Role.TRAINEE, email="owner@example.org")
    other = make.user(Role.TRAINEE)
    with pytest.raises(DomainError) as refusal:
        user_contacts.prove(db, other, ContactKind.EMAIL, "Owner@example.org", ContactProof.CODE)
    assert refusal.value.code == "email_taken"
    assert users.find(db, "owner@example.org") is owner


def test_the_last_proven_contact_stays(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, email="own@example.org")
    user.phone = PHONE
    with pytest.raises(DomainError, match="only confirmed contact"):
        user_contacts.remove(db, user, ContactKind.EMAIL)
    user.set_proof(ContactKind.PHONE, ContactProof.CODE)
    user_contacts.remove(db, user, ContactKind.EMAIL)
    assert (user.email, user.email_proven_at) == (None, None)
    assert told(db, user) == {"own@example.org", PHONE}


def test_an_administrators_change_waits_for_the_link_or_the_owners_refusal(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, email="old@example.org", password_hash="x")
    user_contacts.ask_for_change(db, user, ContactKind.EMAIL, "new@example.org")
    [check] = user_contacts.pending(db, user)
    assert user.email == "old@example.org"
    assert told(db, user) == {"old@example.org"}
    messages = [row for row in db.scalars(select(Message)) if row.purpose == "code_page"]
    assert len(messages) == 1
    db.delete(
        db.scalars(select(Message).order_by(Message.id.desc())).first()
    )  # the notice, so that the link is the newest
    db.flush()
    contact_checks.confirm_link(db, token_in(db))
    assert (user.email, user.email_proof) == ("new@example.org", ContactProof.LINK)
    assert user_contacts.pending(db, user) == []
    assert check.proven_at is not None


def test_an_untouched_accounts_contact_changes_at_once_and_the_sent_link_ends(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, email="typo@example.org", proven=False)
    address = password_links.make(db, user, SITE, lives=password_links.INVITATION, proves=ContactKind.EMAIL)
    user_contacts.ask_for_change(db, user, ContactKind.EMAIL, "right@example.org")
    assert (user.email, user.is_proven(ContactKind.EMAIL)) == ("right@example.org", False)
    with pytest.raises(DomainError):
        password_links.use(db, address.rpartition("/")[2], PASSWORD)


def test_an_administrator_removes_a_claimed_contact_alone(db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR, email="own@example.org", password_hash=passwords.seal(PASSWORD))
    user.phone = PHONE
    user_contacts.drop_claimed(db, user, ContactKind.PHONE)
    assert user.phone is None
    with pytest.raises(DomainError, match="Only the owner"):
        user_contacts.drop_claimed(db, user, ContactKind.EMAIL)
