"""Links that set a password once, mailed to users who forgot theirs and to owners of new accounts.

The table holds the hash of the token. Using a link ends it, all other links of that user, and every session of the user.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms.accounts import password_changes, user_contacts
from lms.accounts.models import PasswordReset, User
from lms.config import Settings
from lms.core import audit, clock, crypto
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient

RESET = timedelta(hours=1)
INVITATION = timedelta(days=3)
PATH = "/sign-in/password/"
RESET_LINK = Purpose("password_reset", N_("Link for a new password"), called=False, secret=True)
INVITATION_LINK = Purpose("invitation", N_("Invitation to an account"), secret=True)
LINK = Purpose("password_link", N_("Password link"), parameters=("token",), secret=True)


@dataclass(frozen=True)
class Site:
    """The site as a mail names it: its address and the organisation's names."""

    public_url: str
    name_zh: str
    name_en: str

    def name(self, language: str) -> str:
        """The organisation's name in a language."""
        return self.name_en if language == "en" else self.name_zh


def site_of(settings: Settings) -> Site:
    """The site, read from the settings."""
    return Site(settings.public_url, settings.organisation_name_zh, settings.organisation_name_en)


def make(
    db: Session,
    user: User,
    site: Site,
    *,
    lives: timedelta,
    proves: ContactKind | None = None,
    handed_over_by: int | None = None,
) -> str:
    """Create a link and return its whole address. The user's earlier links end. lives: how long it can be used.

    proves: the contact to which the link is sent, which its use proves. handed_over_by: the user who hands it over in person.
    """
    end_all(db, user)
    token = crypto.token()
    db.add(
        PasswordReset(
            token_hash=crypto.token_hash(token),
            user_id=user.id,
            expires_at=clock.now() + lives,
            proves=proves,
            handed_over_by=handed_over_by,
        )
    )
    return f"{site.public_url}{PATH}{token}"


def end_all(db: Session, user: User) -> None:
    """End the user's links that were sent and not yet used."""
    db.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None)))


def send_reset(db: Session, user: User, kind: ContactKind, site: Site) -> None:
    """Owe a message with a link that sets a new password, to a proven contact of a user."""
    contact = user_contacts.of(user, kind)
    if contact is None:
        return
    address = make(db, user, site, lives=RESET, proves=kind)
    with force_locale(user.language):
        if kind is ContactKind.PHONE:
            text = _("Set a new password within an hour at %(address)s. The link works once.", address=address)
            _text_link(db, user, contact, address, subject=_("Set a new password"), text=text, lives=RESET)
            return
        owing.owe(
            db,
            RESET_LINK,
            _recipient(user, contact),
            lives=RESET,
            subject=_("Set a new password"),
            text=_(
                "Dear %(name)s,\n\nsomebody, presumably you, asked to set a new password for your account at %(site)s."
                " Open this address within an hour and choose one:\n\n%(address)s\n\nThe link works once. If you did not"
                " ask for it, do nothing: your password stays as it is.\n",
                name=user.name,
                site=site.name(user.language),
                address=address,
            ),
        )


def invite(db: Session, user: User, site: Site) -> str | None:
    """Send a password link: to a proven contact, or as an invitation to the claimed one of an account that nobody used yet.

    Returns the link to hand over in person for an invited account without an e-mail address. Raises DomainError for an
    account in use without a proven contact.
    """
    untouched = user_contacts.is_untouched(user)
    audit.record(db, "user.invite", user)
    if user.email is not None and (untouched or user.is_proven(ContactKind.EMAIL)):
        address = make(db, user, site, lives=INVITATION, proves=ContactKind.EMAIL)
        _mail_invitation(db, user, user.email, site, address)
        return None
    if untouched:
        return make(db, user, site, lives=INVITATION, proves=ContactKind.PHONE, handed_over_by=audit.actor(db))
    if user.phone is not None and user.is_proven(ContactKind.PHONE):
        address = make(db, user, site, lives=INVITATION, proves=ContactKind.PHONE)
        with force_locale(user.language):
            _text_link(
                db,
                user,
                user.phone,
                address,
                subject=_("Your account for first-aid training"),
                text=_("Choose your password within three days at %(address)s. The link works once.", address=address),
                lives=INVITATION,
            )
        return None
    raise DomainError(
        "no_proven_contact",
        N_(
            "No contact of this account is confirmed, so no password link can be sent. Its owner signs in and confirms one, "
            "or you enter a new contact, which the owner confirms."
        ),
        status=422,
    )


def _mail_invitation(db: Session, user: User, email: str, site: Site, address: str) -> None:
    with force_locale(user.language):
        owing.owe(
            db,
            INVITATION_LINK,
            _recipient(user, email),
            lives=INVITATION,
            subject=_("Your account for first-aid training"),
            text=_(
                "Dear %(name)s,\n\nan account was made for you at %(site)s. Open this address within three days and choose"
                " your password:\n\n%(address)s\n\nThe link works once. Sign in with this e-mail address afterwards.\n",
                name=user.name,
                site=site.name(user.language),
                address=address,
            ),
        )


def _text_link(db: Session, user: User, phone: str, address: str, *, subject: str, text: str, lives: timedelta) -> None:
    recipient = Recipient(f"user:{user.id}", user.name, (Address(Channel.SMS, phone),), user.language)
    parameters = {"token": address.rpartition("/")[2]}
    owing.owe(db, LINK, recipient, subject=subject, text=text, parameters=parameters, lives=lives)


def _recipient(user: User, email: str) -> Recipient:
    """The user at the e-mail address; the staff of a district or organisation of the user's roles call otherwise."""
    return Recipient(
        person=f"user:{user.id}",
        name=user.name,
        addresses=(Address(Channel.EMAIL, email),),
        language=user.language,
        district_id=next((grant.district_id for grant in user.grants if grant.district_id is not None), None),
        organisation_id=next(
            (grant.organisation_id for grant in user.grants if grant.organisation_id is not None), None
        ),
        phone=user.phone,
    )


def owner(db: Session, token: str, *, lock: bool = False) -> User:
    """The user whose password a link sets. Raises DomainError for a link that was used, has expired or never existed."""
    statement = (
        select(User)
        .join(PasswordReset, PasswordReset.user_id == User.id)
        .where(
            PasswordReset.token_hash == crypto.token_hash(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )
    if lock:
        statement = statement.with_for_update()
    user = db.scalars(statement).one_or_none()
    if user is None:
        raise DomainError(
            "link_spent",
            N_("This link has already been used or has expired. Request a new one on the sign-in page."),
            status=410,
        )
    return user


def use(db: Session, token: str, password: str) -> User:
    """Set the password, end all links and sessions of the user. Of two simultaneous uses one wins and the other is refused."""
    user = owner(db, token, lock=True)
    link = db.get_one(PasswordReset, crypto.token_hash(token))
    _prove_contact(db, user, link)
    password_changes.set_new(db, user, password)
    return user


def _prove_contact(db: Session, user: User, link: PasswordReset) -> None:
    """The use of a link proves the contact to which it was sent; a link that was handed over is a proof by staff."""
    contact = user_contacts.of(user, link.proves) if link.proves is not None else None
    if link.proves is None or contact is None or user.is_proven(link.proves):
        return
    proof = ContactProof.LINK if link.handed_over_by is None else ContactProof.STAFF
    user_contacts.prove(db, user, link.proves, contact, proof, by=link.handed_over_by)
