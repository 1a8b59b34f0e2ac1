"""What a trainee is told by mail about their own enrolment, where an address is known: in Chinese, then in English.

The page's address begins with `mail.SITE`, which is filled in when the mail is sent.
"""

from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core import mail
from lms.core.errors import N_
from lms.core.languages import chinese

RULE = "\n\n" + "-" * 32 + "\n\n"

_ENROLLED = N_("You are enrolled: %(course)s")
_WAITLISTED = N_("You are on the waiting list: %(course)s")
_PROMOTED = N_("You have a place now: %(course)s")

_ENROLLED_TEXT = N_(
    "You are enrolled in “%(course)s”.\n\nYour ticket, with times and place, is at\n%(address)s\n"
    "Show its code when you arrive. If you cannot come, please cancel there, so that somebody else gets the place."
)
_WAITLISTED_TEXT = N_(
    "“%(course)s” is full; you are on the waiting list.\n\nWhen a place becomes free you get it in your turn, and we "
    "write to you. Where you stand is shown at\n%(address)s\nIf you do not want to wait, please cancel there."
)
_PROMOTED_TEXT = N_(
    "A place has become free in “%(course)s”, and it is yours.\n\nYour ticket, with times and place, is at\n%(address)s\n"
    "Show its code when you arrive. If you cannot come, please cancel there, so that somebody else gets the place."
)


def enrolled(db: Session, enrolment: Enrolment) -> None:
    """Send the ticket, or say that the offering is full and how the list works."""
    if enrolment.state == EnrolmentState.WAITLISTED:
        _tell(db, enrolment, _WAITLISTED, _WAITLISTED_TEXT)
    elif enrolment.state == EnrolmentState.ENROLLED:
        _tell(db, enrolment, _ENROLLED, _ENROLLED_TEXT)


def promoted(db: Session, enrolment: Enrolment) -> None:
    """Tell somebody who waited that they have a place."""
    _tell(db, enrolment, _PROMOTED, _PROMOTED_TEXT)


def _tell(db: Session, enrolment: Enrolment, subject: str, text: str) -> None:
    address = enrolment.trainee.email
    if not address:
        return
    course = enrolment.offering.course
    ticket = f"{mail.SITE}/tickets/{enrolment.ticket}"
    words = chinese()
    subjects, texts = [], []
    for translate, name in ((words.gettext, course.name_zh), (str, course.name_en or course.name_zh)):
        subjects.append(translate(subject) % {"course": name})
        texts.append(translate(text) % {"course": name, "address": ticket})
    mail.owe(
        db,
        recipient=address,
        subject=" / ".join(subjects),
        text=f"{enrolment.trainee.name}:\n\n" + RULE.join(texts),
    )
