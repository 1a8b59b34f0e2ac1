"""Accounts that trainees make with a ticket, or link with it, and which show the trainee's whole record.

A record is found by name and phone, which anybody may know and type. So a ticket alone opens no record: only a code that was sent
to the record's phone does, or an account that has proven this phone, or staff who see the person.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.events import PeopleIdentified
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.trainees import PHONE_COLUMN, Trainee
from lms.accounts import contact_checks, roles, user_contacts, users
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck, User
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core import audit, crypto
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError, NotFound
from lms.core.events import publish
from lms.core.names import norm
from lms.core.scope import EVERYTHING, Role


def may_claim(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether the ticket's page offers an account: the record has none yet, and the enrolment was not cancelled."""
    return enrolment.state != EnrolmentState.CANCELLED and _is_free(db, enrolment.trainee)


def can_send(trainee: Trainee) -> bool:
    """Tell whether a code can be sent to the phone of a record."""
    return trainee.phone is not None and contact_checks.can_send(TICKET, ContactKind.PHONE)


def _is_free(db: Session, trainee: Trainee) -> bool:
    """Tell whether a record has no account, or one without any proven contact: whoever proves the phone takes its place.

    A merged record gets no account: the record that was kept may have one.
    """
    if trainee.user_id is None:
        return trainee.merged_into_id is None
    user = db.get(User, trainee.user_id)
    return user is None or not user_contacts.has_proven(user)


def ask_for_code(db: Session, enrolment: Enrolment, *, language: str, address: str) -> ContactCheck:
    """Send a code to the phone of the record. address: the IP address that asks."""
    _demand_claimable(db, enrolment)
    phone = enrolment.trainee.phone
    if phone is None:
        raise _not_claimable()
    return contact_checks.start(
        db, TICKET, subject_of(enrolment), ContactKind.PHONE, phone, language=language, address=address
    )


def subject_of(enrolment: Enrolment) -> str:
    """The text by which a contact check names an enrolment."""
    return f"enrolment:{enrolment.id}"


def claim(db: Session, enrolment: Enrolment, check: ContactCheck, *, password: str, language: str) -> User:
    """Make an account with the phone that was proven by a check, and link it with the record of the enrolment."""
    trainee = _locked(db, enrolment)
    phone = trainee.phone
    if phone is None or phone != check.contact or check.proven_at is None:
        raise _not_claimable()
    if user_contacts.holder(db, ContactKind.PHONE, phone) is not None:
        raise DomainError(
            "account_exists",
            N_(
                "You already have an account with this phone number. Sign in to it and open this ticket again: then you can "
                "add this record to it."
            ),
        )
    facts = UserFacts(name=trainee.name, phone=phone, language=language)
    user = users.create(db, facts, [GrantFacts(Role.TRAINEE)], EVERYTHING, None).user
    users.set_password(db, user, password)
    user_contacts.prove(db, user, ContactKind.PHONE, phone, ContactProof.CODE)
    _link(db, trainee, user)
    return user


def may_link(db: Session, trainee: Trainee, user: User, *, code_given: bool = False) -> bool:
    """Tell whether a signed-in user has shown to hold the phone of a record that has no account.

    A proof by staff does not do: whoever vouched for the account may be somebody who must not see the whole record, and who
    took the link for it. code_given: the code that was sent to the record's phone was given in this browser.
    """
    return (
        _is_free(db, trainee)
        and user.phone is not None
        and user.phone == trainee.phone
        and user.is_proven(ContactKind.PHONE)
        and (code_given or _proven_by_owner(user))
    )


def link(db: Session, enrolment: Enrolment, user: User, *, code_given: bool = False) -> None:
    """Link the record of an enrolment with the account of a user who holds its phone. code_given: as in `may_link`."""
    _link_own(db, _locked(db, enrolment), user, code_given=code_given)


def find_own(db: Session, user: User) -> Trainee | None:
    """The record without an account that has the user's name and the phone that the user has proven by a code or link."""
    if user.phone is None or not _proven_by_owner(user):
        return None
    has_phone = crypto.index_is(Trainee.phone_index, PHONE_COLUMN, user.phone)
    return db.scalars(
        select(Trainee)
        .where(has_phone, Trainee.name_key == norm(user.name), Trainee.user_id.is_(None))
        .where(Trainee.merged_into_id.is_(None))
        .order_by(Trainee.id)
        .limit(1)
    ).one_or_none()


def link_own(db: Session, user: User) -> None:
    """Link the record that `find_own` finds."""
    trainee = find_own(db, user)
    if trainee is None:
        raise NotFound
    db.refresh(trainee, with_for_update=True)
    _link_own(db, trainee, user)


def _proven_by_owner(user: User) -> bool:
    return user.phone_proof in {ContactProof.CODE, ContactProof.LINK}


def _link_own(db: Session, trainee: Trainee, user: User, *, code_given: bool = False) -> None:
    if not may_link(db, trainee, user, code_given=code_given):
        raise _not_claimable()
    if db.scalar(select(Trainee.id).where(Trainee.user_id == user.id)) is not None:
        raise DomainError(
            "account_has_record",
            N_(
                "Your account already shows another record. If both are yours, ask the host organisation to merge them."
            ),
        )
    roles.hold(db, user, Role.TRAINEE)
    if code_given:
        user.set_proof(ContactKind.PHONE, ContactProof.CODE)
    _link(db, trainee, user)


def _link(db: Session, trainee: Trainee, user: User) -> None:
    trainee.user_id = user.id
    if not trainee.is_proven(ContactKind.PHONE):
        trainee.set_proof(ContactKind.PHONE, user.phone_proof or ContactProof.CODE, by=user.phone_proven_by)
        publish(db, PeopleIdentified((trainee.id,)))
    db.flush()
    audit.record(db, "trainee.claim", trainee, after={"user": user.id})


def _locked(db: Session, enrolment: Enrolment) -> Trainee:
    db.refresh(enrolment.trainee, with_for_update=True)
    _demand_claimable(db, enrolment)
    return enrolment.trainee


def _demand_claimable(db: Session, enrolment: Enrolment) -> None:
    if not may_claim(db, enrolment):
        raise _not_claimable()


def _not_claimable() -> DomainError:
    return DomainError(
        "not_claimable", N_("This ticket cannot be used to create an account. Contact the host organisation.")
    )


def _proven(db: Session, check: ContactCheck) -> str | None:
    """The record's phone is proven; the page of the ticket's account goes on from there."""
    enrolment = db.get_one(Enrolment, int(check.subject.partition(":")[2]))
    trainee = enrolment.trainee
    db.refresh(trainee, with_for_update=True)
    if trainee.phone != check.contact:
        raise _not_claimable()
    trainee.set_proof(ContactKind.PHONE, check.proof or ContactProof.CODE)
    publish(db, PeopleIdentified((trainee.id,)))
    return f"/tickets/{enrolment.ticket}/account"


TICKET = contact_checks.register(
    CheckPurpose(
        "ticket_account",
        N_("The code shows that the training record with this phone number is yours. Then you choose a password."),
        _proven,
    )
)
