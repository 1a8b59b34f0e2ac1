"""Accounts at the desk: staff who have just seen a person and a document hand over a link, with which the person opens an account.

The link sets a password once, within an hour, and is shown once. The account signs in with the record's phone and shows the
whole record.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.enrolment import desk_proofs, trainees_rights
from courses.models.trainees import Trainee
from lms.accounts import password_links, user_contacts, users
from lms.accounts.models import User
from lms.accounts.password_links import Site
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core import audit
from lms.core.contacts import ContactKind
from lms.core.errors import N_, DomainError
from lms.core.scope import EVERYTHING, Role, Scope

LINK_LIVES = timedelta(hours=1)


def hand_over(db: Session, trainee: Trainee, scope: Scope, site: Site) -> str:
    """Make an account for a person at the desk, and return the link that sets its password. An earlier link ends.

    Raises Denied `may_only_propose`, and DomainError `not_seen` without a proof at the desk just before, `account_in_use`
    for a record whose account is in use, and `account_exists` where another account has proven the phone.
    """
    trainees_rights.demand_change(db, trainee, scope)
    db.refresh(trainee, with_for_update=True)
    staff_id = audit.actor(db)
    if staff_id is None or not desk_proofs.is_fresh(trainee, staff_id):
        raise DomainError("not_seen", N_("First record at the desk that you saw the person and the document."))
    user = db.get(User, trainee.user_id) if trainee.user_id is not None else None
    if user is not None and not user_contacts.is_untouched(user):
        raise DomainError("account_in_use", N_("This person has an account already and signs in to it."))
    if user is None:
        user = _create(db, trainee)
    audit.record(db, "trainee.hand_over", trainee, after={"user": user.id})
    return password_links.make(db, user, site, lives=LINK_LIVES, proves=ContactKind.PHONE, handed_over_by=staff_id)


def _create(db: Session, trainee: Trainee) -> User:
    phone = trainee.phone
    if phone is None:
        raise AssertionError("the phone was proven, so the record has one")
    if user_contacts.holder(db, ContactKind.PHONE, phone) is not None:
        raise DomainError(
            "account_exists",
            N_(
                "An account with this phone number exists. The person signs in to it and opens the ticket to add this record."
            ),
        )
    facts = UserFacts(name=trainee.name, phone=phone)
    user = users.create(db, facts, [GrantFacts(Role.TRAINEE)], EVERYTHING, None).user
    trainee.user_id = user.id
    db.flush()
    return user
