"""Mails to trainees about their own enrolment, in Chinese and then in English. A trainee without an address gets none.

The address of the ticket's page begins with `mail.SITE`, which is filled in when the mail is sent.
"""

from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core import mail
from lms.core.errors import N_
from lms.core.languages import chinese

# This line stands between the Chinese and the English text of a mail.
LANGUAGE_SEPARATOR = "\n\n" + "-" * 32 + "\n\n"

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


def send_confirmation(db: Session, enrolment: Enrolment) -> None:
    """Send the ticket; or, to a trainee on the waiting list, the explanation of how the waiting list works."""
    if enrolment.state == EnrolmentState.WAITLISTED:
        _send(db, enrolment, _WAITLISTED, _WAITLISTED_TEXT)
    elif enrolment.state == EnrolmentState.ENROLLED:
        _send(db, enrolment, _ENROLLED, _ENROLLED_TEXT)


def send_promotion(db: Session, enrolment: Enrolment) -> None:
    """Tell a trainee who was on the waiting list that they have a place now."""
    _send(db, enrolment, _PROMOTED, _PROMOTED_TEXT)


def _send(db: Session, enrolment: Enrolment, subject: str, text: str) -> None:
    recipient = enrolment.trainee.email
    if not recipient:
        return
    course = enrolment.offering.course
    ticket_address = f"{mail.SITE}/tickets/{enrolment.ticket}"
    subjects, texts = [], []
    for translate, course_name in ((chinese().gettext, course.name_zh), (str, course.name_en or course.name_zh)):
        subjects.append(translate(subject) % {"course": course_name})
        texts.append(translate(text) % {"course": course_name, "address": ticket_address})
    mail.owe(
        db,
        recipient=recipient,
        subject=" / ".join(subjects),
        text=f"{enrolment.trainee.name}:\n\n" + LANGUAGE_SEPARATOR.join(texts),
    )
