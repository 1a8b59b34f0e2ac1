"""Links that set a password once, mailed to users who forgot theirs and to owners of new accounts.

The table holds the hash of the token. Using a link ends it, all other links of that user, and every session of the user.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lms.accounts import password_changes
from lms.accounts.models import PasswordReset, User
from lms.config import Settings
from lms.core import audit, clock, crypto, mail
from lms.core.errors import N_, DomainError

RESET = timedelta(hours=1)
INVITATION = timedelta(days=3)
PATH = "/sign-in/password/"


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


def make(db: Session, user: User, site: Site, *, lives: timedelta) -> str:
    """Create a link and return its whole address. The user's earlier links end. `lives`: how long it can be used."""
    end_all(db, user)
    token = crypto.token()
    db.add(PasswordReset(token_hash=crypto.token_hash(token), user_id=user.id, expires_at=clock.now() + lives))
    return f"{site.public_url}{PATH}{token}"


def end_all(db: Session, user: User) -> None:
    """End the user's links that were sent and not yet used."""
    db.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None)))


def mail_reset(db: Session, email: str, site: Site) -> None:
    """Owe a mail with a link to the user of this address. If there is no such user, do nothing and give no sign of it."""
    user = db.scalars(select(User).where(User.email_is(email), User.disabled_at.is_(None))).one_or_none()
    if user is None or user.email is None:
        return
    address = make(db, user, site, lives=RESET)
    with force_locale(user.language):
        mail.owe(
            db,
            recipient=user.email,
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
    """Owe an invitation by mail. For a user without an e-mail address, return the link, to be handed over in person."""
    address = make(db, user, site, lives=INVITATION)
    audit.record(db, "user.invite", user)
    if user.email is None:
        return address
    with force_locale(user.language):
        mail.owe(
            db,
            recipient=user.email,
            subject=_("Your account for first-aid training"),
            text=_(
                "Dear %(name)s,\n\nan account was made for you at %(site)s. Open this address within three days and choose"
                " your password:\n\n%(address)s\n\nThe link works once. Sign in with this e-mail address afterwards.\n",
                name=user.name,
                site=site.name(user.language),
                address=address,
            ),
        )
    return None


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
    password_changes.set_new(db, user, password)
    return user
