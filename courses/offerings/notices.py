"""Notices, in Chinese and then in English, to enrolled trainees when an offering changes or is cancelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from courses.enrolment import recipients
from courses.enrolment.mail import LANGUAGE_SEPARATOR
from courses.models.enrolment import ACTIVE_STATES, Enrolment
from courses.models.offerings import Offering
from courses.offerings import session_reminders
from courses.offerings.scheduling import format_period
from lms.core.errors import N_
from lms.core.languages import each_language, named
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Purpose

CANCELLATION = Purpose("cancellation", N_("Cancelled training"), parameters=("course", "ticket"))
CHANGED_TIMES = Purpose("changed_times", N_("New time or place"), parameters=("course", "ticket"))


@dataclass(frozen=True)
class Recipients:
    """The people to notify: the number of those whom a message reaches, and the enrolments of those who have to be called."""

    mailed: int
    to_call: tuple[Enrolment, ...]


def find_recipients(db: Session, offering: Offering) -> Recipients:
    """The enrolled and waiting trainees of an offering, by whether a message of its cancellation reaches them.

    Once it is cancelled, the state of each message decides: a mail that was refused makes a call necessary.
    """
    enrolments = _active_enrolments(db, offering)
    keys = {enrolment.id: _cancellation_key(enrolment) for enrolment in enrolments}
    rows = db.execute(select(Message.key, Message.state).where(Message.key.in_(keys.values())))
    states = {key: state for key, state in rows}
    to_call = []
    for enrolment in enrolments:
        state = states.get(keys[enrolment.id])
        if state is MessageState.TO_CALL or (
            state is None and not owing.can_reach(CANCELLATION, recipients.of_enrolment(enrolment))
        ):
            to_call.append(enrolment)
    return Recipients(len(enrolments) - len(to_call), tuple(to_call))


def send_cancellation(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> None:
    """Tell the enrolled and waiting trainees that an offering is cancelled, and why."""

    def text() -> str:
        return str(
            _(
                "The offering “%(course)s” that you are enrolled in has been cancelled.\n"
                "Time: %(times)s\nPlace: %(place)s\nReason: %(reason)s\n\n"
                "You need not do anything. Other dates are on our list of open training. Questions: %(host)s.",
                course=named(offering.course),
                times=session_times(offering, zone),
                place=offering.place,
                reason=reason,
                host=named(offering.organisation),
            )
        )

    _send(db, CANCELLATION, offering, lambda: _("Cancelled: %(course)s", course=named(offering.course)), text)


def send_changed_times(db: Session, offering: Offering, zone: ZoneInfo) -> None:
    """Tell the enrolled and waiting trainees the new times and places."""

    def text() -> str:
        return str(
            _(
                "The time or place of “%(course)s”, that you are enrolled in, has changed. It is now:\n%(times)s\n\n"
                "Your enrolment stays as it is. If you cannot come, please tell %(host)s.",
                course=named(offering.course),
                times=session_times(offering, zone, places=True),
                host=named(offering.organisation),
            )
        )

    _send(db, CHANGED_TIMES, offering, lambda: _("New time or place: %(course)s", course=named(offering.course)), text)


def session_times(offering: Offering, zone: ZoneInfo, *, places: bool = False) -> str:
    """The times of the sessions, separated by commas; with `places`, one line for each session with its place."""
    times = []
    for meeting in offering.sessions:
        period = format_period(meeting.starts_at, meeting.ends_at, zone)
        times.append(f"{period}  {meeting.place or offering.place}" if places else period)
    return ("\n" if places else ", ").join(times)


def _active_enrolments(db: Session, offering: Offering) -> Sequence[Enrolment]:
    return db.scalars(
        select(Enrolment)
        .join(Enrolment.trainee)
        .options(contains_eager(Enrolment.trainee))
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(ACTIVE_STATES))
        .order_by(Enrolment.id)
    ).all()


def _cancellation_key(enrolment: Enrolment) -> str:
    return f"{CANCELLATION.code}:{enrolment.id}"


def _send(
    db: Session, purpose: Purpose, offering: Offering, subject: Callable[[], str], body: Callable[[], str]
) -> None:
    session_reminders.withdraw(db, offering)
    subjects, texts = [], []
    for _language in each_language():
        subjects.append(subject())
        texts.append(body())
    for enrolment in _active_enrolments(db, offering):
        ticket_address = f"{owing.SITE}/tickets/{enrolment.ticket}"
        owing.owe(
            db,
            purpose,
            recipients.of_enrolment(enrolment),
            subject=" / ".join(subjects),
            text=f"{enrolment.trainee.name}:\n\n{LANGUAGE_SEPARATOR.join(texts)}\n\n{ticket_address}",
            parameters={"course": offering.course.name_zh, "ticket": enrolment.ticket},
            key=_cancellation_key(enrolment) if purpose is CANCELLATION else None,
        )
