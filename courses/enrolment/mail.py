"""Messages to trainees about their own enrolment, in Chinese and then in English.

The address of the ticket's page begins with `owing.SITE`, which is filled in when the message is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courses.enrolment import recipients
from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core import clock
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.masks import mask_email, mask_phone
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Purpose

AGAIN_PER_DAY = 3
AGAIN_AFTER = timedelta(minutes=10)

# This line stands between the Chinese and the English text of a mail.
LANGUAGE_SEPARATOR = "\n\n" + "-" * 32 + "\n\n"

TICKET = Purpose("ticket", N_("Ticket of an enrolment"), parameters=("course", "ticket"))
WAITING_LIST = Purpose("waiting_list", N_("Place on the waiting list"), parameters=("course", "ticket"))
AGAIN = Purpose("ticket_again", N_("Ticket asked for again"), parameters=("course", "ticket"))
MOVED = Purpose("moved", N_("Moved to another class"), parameters=("course", "ticket"))
OFFER = Purpose("place_offer", N_("A place is offered"), parameters=("course", "until", "ticket"))
OFFER_WITHDRAWN = Purpose("offer_withdrawn", N_("The offer of a place was withdrawn"), parameters=("course", "ticket"))
REMINDER = Purpose(
    "session_reminder", N_("Reminder of a session"), called=False, parameters=("course", "day", "time", "ticket")
)
PROMOTION = Purpose("promotion", N_("A place became free"), parameters=("course", "ticket"))

_ENROLLED = N_("You are enrolled: %(course)s")
_WAITLISTED = N_("You are on the waiting list: %(course)s")
_PROMOTED = N_("You have a place now: %(course)s")

_ENROLLED_TEXT = N_(
    "You are enrolled in “%(course)s”.\n\nYour ticket, with times and place, is at\n%(address)s\n"
    "Show its code when you arrive. If you cannot come, please cancel there, so that somebody else gets the place."
)
_WAITLISTED_TEXT = N_(
    "“%(course)s” is full; you are on the waiting list.\n\nWhen a place becomes free and it is your turn, we write to you. "
    "Where you stand is shown at\n%(address)s\nIf you do not want to wait, please cancel there."
)
_PROMOTED_TEXT = N_(
    "A place has become free in “%(course)s”, and it is yours.\n\nYour ticket, with times and place, is at\n%(address)s\n"
    "Show its code when you arrive. If you cannot come, please cancel there, so that somebody else gets the place."
)
_OFFERED = N_("A place is held for you: %(course)s")
_OFFERED_TEXT = N_(
    "A place has become free in “%(course)s”. It is held for you until %(until)s.\n\nAccept or decline it at\n%(address)s\n"
    "If you do not answer by then, the place goes to the next person and you leave the waiting list."
)
_OFFERED_TO_GROUP_TEXT = N_(
    "Places have become free in “%(course)s”. They are held for %(people)s of you until %(until)s.\n\n"
    "Accept or decline them at\n%(address)s\n"
    "If you do not answer by then, the places go to the next people and you leave the waiting list."
)
_WITHDRAWN = N_("The place is no longer held for you: %(course)s")
_WITHDRAWN_TEXT = N_(
    "The place in “%(course)s” that was held for you had to be withdrawn by the host. You stand at the end of the waiting "
    "list now, and we write to you when it is your turn. Where you stand is shown at\n%(address)s"
)
_MOVED = N_("Your class has changed: %(course)s")
_MOVED_TEXT = N_(
    "You were moved to another class of “%(course)s”.\n\nYour new ticket, with times and place, is at\n%(address)s\n"
    "Show its code when you arrive; the former ticket is not valid for it. If you cannot come, please cancel there."
)
_OWN_PAGE = N_("Your training: %(course)s")
_OWN_PAGE_TEXT = N_(
    "Your page of the training “%(course)s” is at\n%(address)s\n"
    "It shows your result and, once it is issued, your certificate. The address is yours alone: to show the certificate to "
    "others, make a link for them on that page."
)
_AGAIN_TEXTS = {
    EnrolmentState.WAITLISTED: (_WAITLISTED, _WAITLISTED_TEXT),
    EnrolmentState.ENROLLED: (_ENROLLED, _ENROLLED_TEXT),
}


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
    sent = _sent_today(db, enrolment)
    if sent and not owing.can_reach(AGAIN, recipients.of_enrolment(enrolment)):
        return
    if not _is_too_soon(sent):
        _send_address(db, enrolment, number=len(sent))


@dataclass(frozen=True)
class SentAgain:
    """The answer to the wish to send the address of the own page again.

    channel: the way on which it goes, None where nothing goes. contact: the mask of the contact, where it was given for this
    enrolment; a contact of the record is not named, because whoever enrols a stranger must not learn the stranger's number.
    too_soon: the limits of `send_again` are reached.
    """

    channel: Channel | None = None
    contact: str = ""
    too_soon: bool = False


def send_link(db: Session, enrolment: Enrolment) -> SentAgain:
    """Send the address of the own page again at the wish of staff, within the limits of `send_again`.

    Whom nothing can reach is told to whoever asked, and not put on the list of people to call.
    """
    outlook = foresee_link(db, enrolment)
    if outlook.channel is not None:
        _send_address(db, enrolment, number=len(_sent_today(db, enrolment)))
    return outlook


def foresee_link(db: Session, enrolment: Enrolment) -> SentAgain:
    """Return what `send_link` would answer now, and send nothing."""
    addresses = recipients.of_enrolment(enrolment).addresses
    address = next((each for each in addresses if owing.is_served(each.channel, AGAIN)), None)
    if address is None:
        return SentAgain()
    if _is_too_soon(_sent_today(db, enrolment)):
        return SentAgain(too_soon=True)
    is_given = address.value in {enrolment.phone, enrolment.email}
    mask = mask_phone if address.channel is Channel.SMS else mask_email
    return SentAgain(address.channel, mask(address.value) if is_given else "")


def _sent_today(db: Session, enrolment: Enrolment) -> Sequence[datetime]:
    keys = [_key(enrolment, number) for number in range(AGAIN_PER_DAY)]
    return db.scalars(select(Message.created_at).where(Message.key.in_(keys))).all()


def _is_too_soon(sent: Sequence[datetime]) -> bool:
    return len(sent) == AGAIN_PER_DAY or any(moment > clock.now() - AGAIN_AFTER for moment in sent)


def _key(enrolment: Enrolment, number: int) -> str:
    return f"again:{enrolment.id}:{clock.branch_today()}:{number}"


def _send_address(db: Session, enrolment: Enrolment, *, number: int) -> None:
    """Owe the message that names the person's own page; its text follows the state of the enrolment."""
    subject, text = _AGAIN_TEXTS.get(enrolment.state, (_OWN_PAGE, _OWN_PAGE_TEXT))
    until = enrolment.offered_until if enrolment.is_offered else None
    if until is not None:
        subject, text = _OFFERED, _OFFERED_TEXT
    _send(db, AGAIN, enrolment, subject, text, key=_key(enrolment, number), until=until)


def send_moved(db: Session, enrolment: Enrolment) -> None:
    """Send the ticket of another class to a trainee who was moved there."""
    _send(db, MOVED, enrolment, _MOVED, _MOVED_TEXT)


def send_promotion(db: Session, enrolment: Enrolment) -> None:
    """Tell a trainee who was on the waiting list that they have a place now."""
    _send(db, PROMOTION, enrolment, _PROMOTED, _PROMOTED_TEXT)


def can_offer(enrolment: Enrolment) -> bool:
    """Tell whether a message can tell the person that a place is offered."""
    return owing.can_reach(OFFER, recipients.of_enrolment(enrolment))


def offer_key(enrolment_id: int, until: datetime) -> str:
    """The key of the message that tells of an offer; an enrolment may get several offers, one after the other."""
    return f"{OFFER.code}:{enrolment_id}:{until.isoformat()}"


def send_offer(db: Session, enrolment: Enrolment, until: datetime, *, people: int = 1) -> None:
    """Tell a trainee that a place is held until a moment, or places for several people whom the trainee enrolled."""
    text = _OFFERED_TEXT if people == 1 else _OFFERED_TO_GROUP_TEXT
    _send(db, OFFER, enrolment, _OFFERED, text, key=offer_key(enrolment.id, until), until=until, people=people)


def send_offer_withdrawn(db: Session, enrolment: Enrolment) -> None:
    """Tell a trainee that staff withdrew the offer of a place."""
    _send(db, OFFER_WITHDRAWN, enrolment, _WITHDRAWN, _WITHDRAWN_TEXT)


def withdraw_unsent(db: Session, enrolment: Enrolment) -> None:
    """Withdraw messages that are not worth sending once an enrolment is cancelled: reminders of sessions, offers of a place.

    A message that is being sent at this moment is left.
    """
    unsent = (
        select(Message.id)
        .where(
            Message.state == MessageState.WAITING,
            Message.purpose.in_((REMINDER.code, OFFER.code)),
            func.split_part(Message.key, ":", 2) == str(enrolment.id),
        )
        .with_for_update(skip_locked=True)
    )
    db.execute(
        update(Message)
        .where(Message.id.in_(unsent))
        .values(state=MessageState.ASIDE, reason="not_needed", settled_at=clock.now(), key=None)
        .execution_options(synchronize_session=False)
    )


def _send(  # noqa: PLR0917  # the parts of one message
    db: Session,
    purpose: Purpose,
    enrolment: Enrolment,
    subject: str,
    text: str,
    key: str | None = None,
    *,
    until: datetime | None = None,
    people: int = 1,
) -> None:
    recipient = recipients.of_enrolment(enrolment)
    # Staff who enrol somebody without an address hand the ticket over; nobody calls for that.
    if purpose in {TICKET, WAITING_LIST} and not owing.can_reach(purpose, recipient):
        return
    course = enrolment.offering.course
    ticket_address = f"{owing.SITE}/tickets/{enrolment.ticket}"
    end = f"{clock.in_branch(until):%Y-%m-%d %H:%M}" if until is not None else ""
    subjects, texts = [], []
    for translate, course_name in ((chinese().gettext, course.name_zh), (str, course.name_en or course.name_zh)):
        subjects.append(translate(subject) % {"course": course_name})
        facts = {"course": course_name, "address": ticket_address, "until": end, "people": people}
        texts.append(translate(text) % facts)
    owing.owe(
        db,
        purpose,
        recipient,
        subject=" / ".join(subjects),
        text=f"{enrolment.trainee.name}:\n\n" + LANGUAGE_SEPARATOR.join(texts),
        parameters={"course": course.name_zh, "ticket": enrolment.ticket}
        | ({"until": end} if purpose is OFFER else {}),
        key=key,
        lives=until - clock.now() if purpose is OFFER and until is not None else None,
    )
