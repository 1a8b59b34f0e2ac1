"""Invitations: how an instructor of the register gets an account.

A link is sent to the register's own contact, or handed over in person. Whoever opens it accepts with an existing account or makes
a new one. No account is ever looked for by the contact, because anybody can claim the contact of an instructor.
"""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from instructors.models import Instructor, InstructorInvitation
from lms.accounts import roles, user_contacts, users
from lms.accounts.models import User
from lms.accounts.password_links import Site
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core import audit, clock, crypto
from lms.core.constraints import register_refusal
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError
from lms.core.languages import each_language
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient, owe
from lms.core.scope import EVERYTHING, Role

LIVES = timedelta(days=3)
SENT_AGAIN_AFTER = timedelta(minutes=1)
PATH = "/invitations/"
INVITATION = Purpose("instructor_invitation", N_("Invitation of an instructor"), parameters=("token",), secret=True)


def send(db: Session, row: Instructor, site: Site) -> None:
    """Send an invitation to the register's e-mail address, or by SMS where there is none. An earlier invitation ends."""
    kind = ContactKind.EMAIL if row.email else ContactKind.PHONE
    contact = row.email or row.phone
    if contact is None:
        raise _no_contact()
    open_one = pending(db, row)
    if open_one is not None and clock.now() - open_one.created_at < SENT_AGAIN_AFTER:
        raise DomainError(
            "invited_just_now",
            N_("An invitation was sent less than a minute ago. Wait a minute before you send another."),
        )
    address = _make(db, row, site, proves=kind, handed_over_by=None)
    channel = Channel.EMAIL if kind is ContactKind.EMAIL else Channel.SMS
    texts, subjects = [], []
    for code in each_language():
        subjects.append(_("Your account as an instructor"))
        texts.append(
            _(
                "Dear %(name)s,\n\nyou are invited by %(site)s to use its system for first-aid training as an instructor. Open this"
                " address within three days, and accept with your account or a new one:\n\n%(address)s\n\nThe link works"
                " once. If you do not teach first aid, do nothing.\n",
                name=row.name,
                site=site.name(code),
                address=address,
            )
        )
    owe(
        db,
        INVITATION,
        Recipient(f"instructor:{row.id}", row.name, (Address(channel, contact),), district_id=row.district_id),
        subject=" · ".join(subjects),
        text="\n\n".join(texts),
        parameters={"token": address.rpartition("/")[2]},
        lives=LIVES,
    )


def hand_over(db: Session, row: Instructor, site: Site) -> str:
    """Make an invitation and return its address, to hand over to the person in front of the user. An earlier one ends."""
    if row.phone is None and row.email is None:
        raise _no_contact()
    kind = ContactKind.PHONE if row.phone else ContactKind.EMAIL
    return _make(db, row, site, proves=kind, handed_over_by=audit.actor(db))


def withdraw(db: Session, row: Instructor) -> None:
    """End the open invitation of an instructor, if there is one."""
    ended = db.execute(
        update(InstructorInvitation)
        .where(
            InstructorInvitation.instructor_id == row.id,
            InstructorInvitation.accepted_at.is_(None),
            InstructorInvitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=clock.now())
    )
    if ended.rowcount:  # type: ignore[attr-defined]
        audit.record(db, "instructor.uninvite", row)


def pending(db: Session, row: Instructor) -> InstructorInvitation | None:
    """The invitation of an instructor that can still be accepted."""
    return db.scalars(
        select(InstructorInvitation).where(
            InstructorInvitation.instructor_id == row.id,
            InstructorInvitation.accepted_at.is_(None),
            InstructorInvitation.withdrawn_at.is_(None),
            InstructorInvitation.expires_at > clock.now(),
        )
    ).one_or_none()


def get(db: Session, token: str, *, lock: bool = False) -> InstructorInvitation:
    """The open invitation of a link. Changes nothing. Raises DomainError for one that was used, withdrawn or has expired."""
    statement = (
        select(InstructorInvitation)
        .join(Instructor, Instructor.id == InstructorInvitation.instructor_id)
        .where(
            InstructorInvitation.token_hash == crypto.token_hash(token),
            InstructorInvitation.accepted_at.is_(None),
            InstructorInvitation.withdrawn_at.is_(None),
            InstructorInvitation.expires_at > clock.now(),
            Instructor.user_id.is_(None),
        )
    )
    load = joinedload(InstructorInvitation.instructor)
    statement = statement.with_for_update() if lock else statement.options(load)
    invitation = db.scalars(statement).one_or_none()
    if invitation is None:
        raise DomainError(
            "invitation_over",
            N_("This invitation was used, withdrawn or has expired. Ask your district for a new one."),
            status=410,
        )
    return invitation


def accept(db: Session, token: str, user: User) -> Instructor:
    """Link the account of a signed-in user with the instructor, and give it the instructor's role.

    The contact to which the invitation was sent is proven for the account, unless the account has proven another one of its
    kind. Of two simultaneous acceptances one wins and the other is refused.
    """
    invitation = get(db, token, lock=True)
    row = invitation.instructor
    _link(db, invitation, user)
    roles.hold(db, user, Role.INSTRUCTOR)
    kind = invitation.proves
    contact = _contact(row, kind)
    if kind is not None and contact is not None and not user.is_proven(kind):
        other = user_contacts.holder(db, kind, contact)
        if other is None:
            user_contacts.prove(db, user, kind, contact, _proof(invitation), by=invitation.handed_over_by)
    return row


def accept_with_new_account(db: Session, token: str, password: str, language: str) -> User:
    """Make an account for the instructor with the contact to which the invitation was sent, which is proven by it.

    Raises DomainError `account_exists` when an account has proven this contact: its owner signs in and accepts.
    """
    invitation = get(db, token, lock=True)
    row, kind = invitation.instructor, invitation.proves
    contact = _contact(row, kind)
    if kind is None or contact is None:
        raise _no_contact()
    if user_contacts.holder(db, kind, contact) is not None:
        raise DomainError(
            "account_exists",
            N_("You already have an account with this contact. Sign in to it, and accept the invitation there."),
            status=422,
        )
    facts = UserFacts(
        row.name,
        email=contact if kind is ContactKind.EMAIL else None,
        phone=contact if kind is ContactKind.PHONE else None,
        language=language,
    )
    user = users.create(db, facts, [GrantFacts(Role.INSTRUCTOR)], EVERYTHING, None).user
    users.set_password(db, user, password)
    user_contacts.prove(db, user, kind, contact, _proof(invitation), by=invitation.handed_over_by)
    _link(db, invitation, user)
    return user


def _make(db: Session, row: Instructor, site: Site, *, proves: ContactKind, handed_over_by: int | None) -> str:
    db.refresh(row, with_for_update=True)
    if row.user_id is not None:
        raise DomainError("account_there", N_("The instructor already has an account."))
    withdraw(db, row)
    token = crypto.token()
    db.add(
        InstructorInvitation(
            instructor_id=row.id,
            token_hash=crypto.token_hash(token),
            proves=proves,
            handed_over_by=handed_over_by,
            invited_by=audit.actor(db),
            created_at=clock.now(),
            expires_at=clock.now() + LIVES,
        )
    )
    db.flush()
    audit.record(db, "instructor.invite", row, after={"in_person": handed_over_by is not None, "contact": proves.value})
    return f"{site.public_url}{PATH}{token}"


def _link(db: Session, invitation: InstructorInvitation, user: User) -> None:
    invitation.accepted_at = clock.now()
    invitation.instructor.user_id = user.id
    db.flush()
    audit.record(db, "instructor.link", invitation.instructor, after={"user": user.id})


def _contact(row: Instructor, kind: ContactKind | None) -> str | None:
    return row.email if kind is ContactKind.EMAIL else row.phone


def _proof(invitation: InstructorInvitation) -> ContactProof:
    return ContactProof.LINK if invitation.handed_over_by is None else ContactProof.STAFF


def _no_contact() -> DomainError:
    return DomainError(
        "instructor_without_contact",
        N_("The register has neither an e-mail address nor a phone of this instructor. Enter one first."),
    )


register_refusal("uq_instructor_user_id", "account_taken", N_("This account belongs to another instructor."))
register_refusal(
    "uq_instructor_invitation_open",
    "invited_twice",
    N_("Somebody else is inviting this instructor right now. Reload the page."),
)
