"""The texts of messages to holders, in Chinese and then in English."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from certificates import qualification
from courses.enrolment.mail import LANGUAGE_SEPARATOR
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.owing import Draft, Purpose, Recipient

ISSUED = Purpose("certificate_issued", N_("Certificate issued"), called=False, parameters=("course", "ticket"))
RENEWED = Purpose(
    "certificate_renewed",
    N_("Certificate renewed"),
    called=False,
    parameters=("course", "former_number", "number", "ticket"),
)
CORRECTED = Purpose(
    "certificate_corrected",
    N_("Certificate corrected"),
    parameters=("course", "former_number", "number", "ticket"),
)
REVOKED = Purpose("certificate_revoked", N_("Certificate revoked"), parameters=("course", "number"))
RESTORED = Purpose("certificate_restored", N_("Revocation of a certificate ended"), parameters=("course", "number"))

_UNTIL = N_("Valid until: %(day)s")
_FOR_EVER = N_("Valid without an end")
_HOST = N_("%(host)s, the host of the training")

_SUBJECTS: Mapping[Purpose, str] = {
    ISSUED: N_("Your certificate has been issued: %(course)s"),
    RENEWED: N_("Your certificate has been renewed: %(course)s"),
    CORRECTED: N_("Your certificate has been corrected: %(course)s"),
    REVOKED: N_("Your certificate has been revoked: %(course)s"),
    RESTORED: N_("Your certificate is no longer revoked: %(course)s"),
}
_TEXTS: Mapping[Purpose, str] = {
    ISSUED: N_(
        "Your certificate “%(course)s” has been issued.\n\nNumber: %(number)s\n%(validity)s\n\n"
        "You can see, save and show it here:\n%(address)s\n\n"
        "Whoever has this address can see your certificate, so please do not pass it on. To show the certificate to "
        "somebody, make a link for sharing on that page."
    ),
    RENEWED: N_(
        "Your certificate “%(course)s” has been renewed.\n\nNew number: %(number)s (it replaces %(former)s)\n%(validity)s\n\n"
        "You can see, save and show the new certificate here:\n%(address)s\n\n"
        "Whoever verifies the former one is told that it has been replaced. Please show the new one from now on."
    ),
    CORRECTED: N_(
        "Your certificate “%(course)s” has been corrected, and a new one has been issued.\n\n"
        "New number: %(number)s (it replaces %(former)s)\n%(validity)s\n\n"
        "You can see, save and print the new certificate here:\n%(address)s\n\n"
        "The former paper, card, PDF, badge and code are no longer valid: whoever verifies them is told that they have been "
        "replaced. Please destroy the former paper or give it back, and send the new certificate to everybody who "
        "has a copy.\n\nIf something is still wrong, ask %(contact)s."
    ),
    REVOKED: N_(
        "Your certificate “%(course)s” (%(number)s) has been revoked. It has not been valid since %(day)s.\n\n"
        "Reason given: %(reason)s\n\n"
        "Whoever verifies it sees that it has been revoked. Please do not use the paper, the card or the code any more.\n\n"
        "If you have questions, or do not agree, ask %(contact)s."
    ),
    RESTORED: N_(
        "The revocation of your certificate “%(course)s” (%(number)s) ended on %(day)s. "
        "It stands again as it did before.\n%(validity)s\n\n"
        "Your certificate:\n%(address)s\n\nIf you have questions, ask %(contact)s."
    ),
}


@dataclass(frozen=True, slots=True)
class HolderMessage:
    """The facts of a message to a holder.

    facts: the printed texts of the certificate. ticket: of the enrolment; empty for a certificate without one, whose holder
    finds it at /my-certificate. day: the day of the act. former: the number of the certificate that this one replaces.
    contact: whom the holder asks; None for the host of the training.
    """

    purpose: Purpose
    name: str
    number: str
    facts: Mapping[str, Any]
    valid_until: date | None
    ticket: str
    day: date
    former: str = ""
    reason: str = ""
    contact: str | None = None


def draft(message: HolderMessage, recipient: Recipient, key: str) -> Draft:
    """The message in both languages, for its recipient."""
    subjects, texts = [], []
    course_zh, course_en = qualification.names(message.facts)
    for translate, own in ((chinese().gettext, "zh"), (str, "en")):
        values = {
            "course": (course_en if own == "en" else "") or course_zh,
            "number": message.number,
            "former": message.former,
            "day": message.day.isoformat(),
            "reason": message.reason,
            "validity": _validity(message.valid_until, translate),
            "contact": message.contact or translate(_HOST) % {"host": message.facts[f"host_{own}"]},
            "address": owing.SITE + (f"/tickets/{message.ticket}/certificate" if message.ticket else "/my-certificate"),
        }
        subjects.append(translate(_SUBJECTS[message.purpose]) % values)
        texts.append(translate(_TEXTS[message.purpose]) % values)
    parameters = {
        "course": course_zh,
        "former_number": message.former,
        "number": message.number,
        "ticket": message.ticket,
    }
    return Draft(
        purpose=message.purpose,
        recipient=recipient,
        subject=" / ".join(subjects),
        text=f"{message.name}:\n\n{LANGUAGE_SEPARATOR.join(texts)}",
        parameters={name: parameters[name] for name in message.purpose.parameters},
        key=key,
    )


def _validity(valid_until: date | None, translate: Callable[[str], str]) -> str:
    return translate(_UNTIL) % {"day": valid_until.isoformat()} if valid_until is not None else translate(_FOR_EVER)
