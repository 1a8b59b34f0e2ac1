"""The contacts of accounts: proven by their owners, replaced, removed, and taken from whoever merely claims them.

Only a proven contact finds an account. Of the accounts that claim a contact none keeps it when another one proves it.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, contact_checks, notices
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import EMAIL, PHONE, ContactCheck, PasswordReset, User
from lms.accounts.notices import Notice
from lms.core import audit, clock, crypto
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import mask_email, mask_phone
from lms.core.value_locks import lock_values

PAGE = "/account/contacts"
CHANGE_LIVES = timedelta(days=3)


def of(user: User, kind: ContactKind) -> str | None:
    """The contact of a kind: a phone in E.164 or an e-mail address."""
    return user.phone if kind is ContactKind.PHONE else user.email


def masked(kind: ContactKind, contact: str | None) -> str:
    """A contact as pages and the audit trail show it."""
    return mask_phone(contact) if kind is ContactKind.PHONE else mask_email(contact)


def has_proven(user: User) -> bool:
    """Tell whether any contact of a user is proven."""
    return any(user.is_proven(kind) for kind in ContactKind)


def holder(db: Session, kind: ContactKind, contact: str) -> User | None:
    """The user who has proven a contact; None if nobody has."""
    return db.scalars(select(User).where(_is(kind, contact), _proven(kind))).one_or_none()


def demand_free(db: Session, kind: ContactKind, contact: str | None, *, but: User | None = None) -> None:
    """Raise DomainError for a contact that another account has proven."""
    other = holder(db, kind, contact) if contact else None
    if other is None or (but is not None and other.id == but.id):
        return
    if kind is ContactKind.EMAIL:
        raise DomainError(
            "email_taken", N_("Another account uses this e-mail address."), status=422, field=ContactKind.EMAIL
        )
    raise DomainError("phone_taken", N_("Another account uses this phone number."), status=422, field=ContactKind.PHONE)


def prove(
    db: Session, user: User, kind: ContactKind, contact: str, proof: ContactProof, *, by: int | None = None
) -> None:
    """Give a user a proven contact in place of the former one of its kind.

    Accounts that claim the contact lose it; one that is left without any contact is disabled. The owner is told on the
    contacts that were proven before. by: the user who saw the document, for a proof by staff. Raises DomainError for a
    contact that another account has proven.
    """
    # Two accounts that claim the contact and prove it at once take turns. The unique index would not see the double while the
    # one has the index of the former field key and the other that of the new.
    column, value = (EMAIL, contact.lower()) if kind is ContactKind.EMAIL else (PHONE, contact)
    lock_values(db, crypto.cipher().blind_indexes(column, value))
    demand_free(db, kind, contact, but=user)
    former = of(user, kind)
    before = notices.proven_addresses(user)
    _take_from_claimants(db, kind, contact, but=user)
    if former != contact:
        _end_links(db, user)
        _set(user, kind, contact)
    user.set_proof(kind, proof, by=by)
    db.flush()
    audit.record(
        db,
        "user.contact",
        user,
        before={kind.value: masked(kind, former) or None},
        after={kind.value: masked(kind, contact), "proof": proof.value},
    )
    if before and former != contact:
        notices.tell(db, user, Notice.CONTACT, detail=masked(kind, contact), also=before)


def prefer(db: Session, user: User, kind: ContactKind) -> None:
    """Let messages about a user's own trainings come to the contact of a kind first."""
    before = {"messages_by": user.messages_by}
    user.messages_by = kind
    audit.record_change(db, "user.change", user, before, {"messages_by": kind.value})


def start_own(db: Session, user: User, kind: ContactKind, contact: str, *, language: str, address: str) -> ContactCheck:
    """Send a code to a contact that the owner of an account adds or has not proven yet. address: the owner's IP address.

    A contact that another account has proven is refused when it is proven here, too, so that nobody learns without the code
    who has an account.
    """
    if of(user, kind) == contact and user.is_proven(kind):
        raise DomainError("proven_already", N_("This contact is confirmed already."), status=422, field=kind)
    return contact_checks.start(db, OWN, subject_of(user), kind, contact, language=language, address=address)


def remove(db: Session, user: User, kind: ContactKind) -> None:
    """Remove a contact from an account, which keeps at least one that is proven."""
    contact = of(user, kind)
    if contact is None:
        return
    other = next(other for other in ContactKind if other is not kind)
    if not user.is_proven(other):
        raise DomainError(
            "last_contact", N_("This is your only confirmed contact. Add and confirm another one before you remove it.")
        )
    before = notices.proven_addresses(user)
    was_proven = user.is_proven(kind)
    _end_links(db, user)
    _set(user, kind, None)
    db.flush()
    audit.record(db, "user.contact", user, before={kind.value: masked(kind, contact)}, after={kind.value: None})
    if was_proven:
        notices.tell(db, user, Notice.CONTACT, detail=masked(kind, contact), also=before)


def ask_for_change(db: Session, user: User, kind: ContactKind, contact: str) -> None:
    """Let the owner of an account prove a contact that an administrator entered; it takes effect then.

    The owner is told at once on the contacts that are proven now. An account that was never used has nothing to protect:
    there the contact is changed at once, and the next invitation proves it.
    """
    demand_free(db, kind, contact, but=user)
    if is_untouched(user):
        former = of(user, kind)
        _end_links(db, user)
        _set(user, kind, contact)
        db.flush()
        audit.record_change(
            db, "user.change", user, {kind.value: masked(kind, former)}, {kind.value: masked(kind, contact)}
        )
        return
    contact_checks.start(db, BY_ADMINISTRATOR, subject_of(user), kind, contact, language=user.language)
    audit.record(db, "user.contact_asked", user, after={kind.value: masked(kind, contact)})
    notices.tell(db, user, Notice.CONTACT_ASKED, detail=masked(kind, contact))


def is_untouched(user: User) -> bool:
    """Tell whether an account was made and never used: nobody has set a password or proven a contact."""
    return user.password_hash is None and not has_proven(user)


def pending(db: Session, user: User) -> list[ContactCheck]:
    """The changes that an administrator entered and the owner has not proven yet."""
    return contact_checks.pending(db, BY_ADMINISTRATOR, subject_of(user))


def withdraw(db: Session, user: User, kind: ContactKind) -> None:
    """End a change that an administrator entered, by the administrator or the owner."""
    if all(check.kind is not kind for check in pending(db, user)):
        raise NotFound
    contact_checks.withdraw(db, BY_ADMINISTRATOR, subject_of(user), kind)
    audit.record(db, "user.contact_withdrawn", user, after={"kind": kind.value})


def drop_claimed(db: Session, user: User, kind: ContactKind) -> None:
    """Remove a contact that is only claimed, by an administrator. A proven one is for its owner to remove."""
    contact = of(user, kind)
    if contact is None:
        return
    if user.is_proven(kind):
        raise DomainError(
            "owners_contact",
            N_("Only the owner removes a confirmed contact. You can enter another one in its place."),
            status=422,
            field=kind,
        )
    if all(of(user, other) is None for other in ContactKind if other is not kind):
        raise DomainError(
            "unreachable", N_("Enter an e-mail address, a phone number or both."), status=422, field=ContactKind.EMAIL
        )
    _end_links(db, user)
    _set(user, kind, None)
    db.flush()
    audit.record(db, "user.contact", user, before={kind.value: masked(kind, contact)}, after={kind.value: None})


def subject_of(user: User) -> str:
    """The text by which a contact check names a user."""
    return f"user:{user.id}"


def _proven_own(db: Session, check: ContactCheck) -> str | None:
    user = _owner(db, check)
    prove(db, user, check.kind, check.contact, check.proof or ContactProof.CODE)
    contact_checks.withdraw(db, BY_ADMINISTRATOR, subject_of(user), check.kind)
    return PAGE


def _proven_by_owner(db: Session, check: ContactCheck) -> str | None:
    prove(db, _owner(db, check), check.kind, check.contact, check.proof or ContactProof.CODE)
    return PAGE


def _owner(db: Session, check: ContactCheck) -> User:
    user = db.scalars(
        select(User)
        .where(User.id == int(check.subject.partition(":")[2]), User.disabled_at.is_(None))
        .with_for_update(of=User)
    ).one_or_none()
    if user is None:
        raise NotFound
    return user


def _take_from_claimants(db: Session, kind: ContactKind, contact: str, *, but: User) -> None:
    claimants = db.scalars(
        select(User)
        .where(_is(kind, contact), ~_proven(kind), User.id != but.id)
        .order_by(User.id)
        .with_for_update(of=User)
    ).all()
    for user in claimants:
        other = next(other for other in ContactKind if other is not kind)
        _end_links(db, user)
        contact_checks.withdraw(db, OWN, subject_of(user), kind)
        if of(user, other) is None and user.disabled_at is None:
            user.disabled_at = clock.now()
            browser_sessions.end_all(db, user.id)
            audit.record(db, "user.disable_claimed", user)
        _set(user, kind, None)
        db.flush()
        audit.record(db, "user.contact", user, before={kind.value: masked(kind, contact)}, after={kind.value: None})


def _set(user: User, kind: ContactKind, contact: str | None) -> None:
    user.forget_proof(kind)
    if kind is ContactKind.PHONE:
        user.phone = contact
    else:
        user.email = contact


def _end_links(db: Session, user: User) -> None:
    """End the password links of a user: they were sent to a contact that the account no longer has."""
    db.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None)))


def _is(kind: ContactKind, contact: str) -> ColumnElement[bool]:
    if kind is ContactKind.EMAIL:
        return User.email_is(contact)
    return User.phone_is(contact)


def _proven(kind: ContactKind) -> ColumnElement[bool]:
    return (User.email_proven_at if kind is ContactKind.EMAIL else User.phone_proven_at).is_not(None)


OWN = contact_checks.register(
    CheckPurpose(
        "account_contact",
        N_("Once it is confirmed, you sign in to your account with this phone number or e-mail address."),
        _proven_own,
    )
)
BY_ADMINISTRATOR = contact_checks.register(
    CheckPurpose(
        "account_contact_by_administrator",
        N_(
            "An administrator entered this phone number or e-mail address for your account. Once you confirm it, you sign "
            "in with it, and the former one no longer works."
        ),
        _proven_by_owner,
        lives=CHANGE_LIVES,
        remote=True,
    )
)
