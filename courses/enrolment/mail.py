"""Messages to trainees about their own enrolment, in Chinese and then in English.

The address of the ticket's page begins with `owing.SITE`, which is filled in when the message is sent.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import recipients
from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core import clock
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.messages.owing import Purpose

AGAIN_PER_DAY = 3
AGAIN_AFTER = timedelta(minutes=10)

# This line stands between the Chinese and the English text of a mail.
LANGUAGE_SEPARATOR = "\n\n" + "-" * 32 + "\n\n"

TICKET = Purpose("ticket", N_("Ticket of an enrolment"), parameters=("course", "ticket"))
WAITING_LIST = Purpose("waiting_list", N_("Place on the waiting list"), parameters=("course", "ticket"))
AGAIN = Purpose("ticket_again", N_("Ticket asked for again"), parameters=("course", "ticket"))
PROMOTION = Purpose("promotion", N_("A place became free"), parameters=("course", "ticket"))

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
        _send(db, WAITING_LIST, enrolment, _WAITLISTED, _WAITLISTED_TEXT)
    elif enrolment.state == EnrolmentState.ENROLLED:
        _send(db, TICKET, enrolment, _ENROLLED, _ENROLLED_TEXT)


def send_again(db: Session, enrolment: Enrolment) -> None:
    """Send the ticket again, when somebody enrols the trainee a second time.

    Anybody may ask for it, so a trainee gets it three times a day at most, ten minutes apart. Whom no message reaches
    stands once a day on the list of people whom the staff of the host call.
    """
    day = clock.branch_today()
    keys = [f"again:{enrolment.id}:{day}:{number}" for number in range(AGAIN_PER_DAY)]
    sent = db.execute(select(Message.key, Message.created_at).where(Message.key.in_(keys))).all()
    if sent and not owing.can_reach(AGAIN, recipients.of_enrolment(enrolment)):
        return
    if len(sent) == AGAIN_PER_DAY or any(created_at > clock.now() - AGAIN_AFTER for _key, created_at in sent):
        return
    if enrolment.state == EnrolmentState.WAITLISTED:
        _send(db, AGAIN, enrolment, _WAITLISTED, _WAITLISTED_TEXT, key=keys[len(sent)])
    else:
        _send(db, AGAIN, enrolment, _ENROLLED, _ENROLLED_TEXT, key=keys[len(sent)])


def send_promotion(db: Session, enrolment: Enrolment) -> None:
    """Tell a trainee who was on the waiting list that they have a place now."""
    _send(db, PROMOTION, enrolment, _PROMOTED, _PROMOTED_TEXT)


def _send(  # noqa: PLR0917  # the parts of one message
    db: Session, purpose: Purpose, enrolment: Enrolment, subject: str, text: str, key: str | None = None
) -> None:
    recipient = recipients.of_enrolment(enrolment)
    # Staff who enrol somebody without an address hand the ticket over; nobody calls for that.
    if purpose not in {PROMOTION, AGAIN} and not owing.can_reach(purpose, recipient):
        return
    course = enrolment.offering.course
    ticket_address = f"{owing.SITE}/tickets/{enrolment.ticket}"
    subjects, texts = [], []
    for translate, course_name in ((chinese().gettext, course.name_zh), (str, course.name_en or course.name_zh)):
        subjects.append(translate(subject) % {"course": course_name})
        texts.append(translate(text) % {"course": course_name, "address": ticket_address})
    owing.owe(
        db,
        purpose,
        recipient,
        subject=" / ".join(subjects),
        text=f"{enrolment.trainee.name}:\n\n" + LANGUAGE_SEPARATOR.join(texts),
        parameters={"course": course.name_zh, "ticket": enrolment.ticket},
        key=key,
    )
