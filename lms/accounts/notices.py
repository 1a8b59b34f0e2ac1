"""Notices to the owner of an account about its security, sent to each proven contact.

Somebody who got into an account changes what keeps its owner out: a password, a contact, a second factor. The owner learns
of each such act, of the browser and of what to do, on contacts that the intruder does not read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from flask_babel import force_locale
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.accounts.user_agents import browser_name
from lms.core import audit, clock
from lms.core.contacts import ContactKind
from lms.core.errors import N_
from lms.core.languages import moment, translated
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import SITE, Address, Purpose, Recipient


@dataclass(frozen=True)
class _Wording:
    """The subject of a notice and its first sentence, as msgids."""

    purpose: Purpose
    subject: str
    text: str


def _wording(code: str, label: str, subject: str, text: str) -> _Wording:
    return _Wording(Purpose(f"notice_{code}", label, called=False, parameters=("time",)), subject, text)


class Notice(Enum):
    """The acts of which an owner is told. The SMS template of each (`notice_browser` and so on) takes the value `time`."""

    BROWSER = _wording(
        "browser",
        N_("Notice of a new browser"),
        N_("Your account was used in a new browser"),
        N_("Somebody, presumably you, signed in to your account with a browser that was not used for it before."),
    )
    DEVICE = _wording(
        "device",
        N_("Notice of a new device"),
        N_("A device was connected to your account"),
        N_("A device was connected to your account; it can send check-ins in your name."),
    )
    CONTACT = _wording(
        "contact",
        N_("Notice of a changed contact"),
        N_("A contact of your account was changed"),
        N_("A phone number or e-mail address of your account was changed."),
    )
    CONTACT_ASKED = _wording(
        "contact_asked",
        N_("Notice of a contact to be changed"),
        N_("A contact of your account is to be changed"),
        N_(
            "An administrator entered a new phone number or e-mail address for your account. It takes effect once it is "
            "confirmed there. You can refuse the change under “My account”."
        ),
    )
    PASSWORD = _wording(
        "password",
        N_("Notice of a new password"),
        N_("The password of your account was changed"),
        N_(
            "A new password was set for your account. All other browsers were signed out, and all devices were "
            "disconnected."
        ),
    )
    SECOND_FACTOR = _wording(
        "second_factor",
        N_("Notice of a new second factor"),
        N_("The second factor of your account was changed"),
        N_("A second factor (an authenticator app, a passkey or new recovery codes) was added to your account."),
    )
    SECOND_FACTOR_REMOVED = _wording(
        "second_factor_off",
        N_("Notice of a removed second factor"),
        N_("A second factor of your account was removed"),
        N_("A second factor (an authenticator app, a passkey or recovery codes) was removed from your account."),
    )
    RECOVERY_CODES_ENDED = _wording(
        "recovery_codes_ended",
        N_("Notice of recovery codes that ended"),
        N_("Your recovery codes no longer work"),
        N_(
            "The system's key was replaced, and recovery codes that were made before no longer work. Make new ones under “My "
            "account”."
        ),
    )


_DETAILS = N_(
    "Dear %(name)s,\n\n%(event)s\n\nTime: %(time)s\nBrowser: %(browser)s\n%(detail)s\nIf it was you, there is nothing to do."
    " If it was not you, set a new password at once, which signs everybody else out, and tell your administrator:\n"
    "%(address)s\n"
)


def tell(db: Session, user: User, notice: Notice, *, detail: str = "", also: Iterable[Address] = ()) -> None:
    """Owe a notice to each proven contact of a user, and to `also`: contacts that were proven until just now.

    The browser is that of the request in which this happens. detail: one line more, such as a masked contact.
    """
    wording = notice.value
    addresses = dict.fromkeys((*proven_addresses(user), *also))
    if not addresses:
        return
    code = user.language
    agent = audit.origin(db).agent
    with force_locale(code):
        time = moment(clock.now())
    text = translated(_DETAILS, code) % {
        "name": user.name,
        "event": translated(wording.text, code),
        "time": time,
        "browser": browser_name(agent) or translated(N_("Unknown browser"), code),
        "detail": f"{detail}\n" if detail else "",
        "address": f"{SITE}/sign-in/forgotten",
    }
    for address in addresses:
        owing.owe(
            db,
            wording.purpose,
            Recipient(f"user:{user.id}", user.name, (address,), language=code),
            subject=translated(wording.subject, code),
            text=text,
            parameters={"time": time},
        )


def proven_addresses(user: User) -> tuple[Address, ...]:
    """The proven contacts of a user, the phone first."""
    addresses = []
    if user.phone and user.is_proven(ContactKind.PHONE):
        addresses.append(Address(Channel.SMS, user.phone))
    if user.email and user.is_proven(ContactKind.EMAIL):
        addresses.append(Address(Channel.EMAIL, user.email))
    return tuple(addresses)
