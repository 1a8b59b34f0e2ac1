"""Notices by mail, in Chinese and then in English, to enrolled trainees when an offering changes or is cancelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from courses.enrolment.mail import LANGUAGE_SEPARATOR
from courses.models.enrolment import ACTIVE_STATES, Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from courses.offerings.scheduling import format_period
from lms.core import mail
from lms.core.languages import each_language, named


@dataclass(frozen=True)
class Recipients:
    """The trainees to notify: the number of those with a mail address, and those without one, who have to be called."""

    mailed: int
    to_call: tuple[Trainee, ...]


def find_recipients(db: Session, offering: Offering) -> Recipients:
    """The enrolled and waiting trainees of an offering, by whether they can be notified by mail."""
    trainees = [enrolment.trainee for enrolment in _active_enrolments(db, offering)]
    to_call = tuple(trainee for trainee in trainees if not trainee.email)
    return Recipients(len(trainees) - len(to_call), to_call)


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

    _send(db, offering, lambda: _("Cancelled: %(course)s", course=named(offering.course)), text)


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

    _send(db, offering, lambda: _("New time or place: %(course)s", course=named(offering.course)), text)


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


def _send(db: Session, offering: Offering, subject: Callable[[], str], body: Callable[[], str]) -> None:
    subjects, texts = [], []
    for _language in each_language():
        subjects.append(subject())
        texts.append(body())
    for enrolment in _active_enrolments(db, offering):
        trainee = enrolment.trainee
        if trainee.email:
            ticket_address = f"{mail.SITE}/tickets/{enrolment.ticket}"
            text = f"{trainee.name}:\n\n{LANGUAGE_SEPARATOR.join(texts)}\n\n{ticket_address}"
            mail.owe(db, recipient=trainee.email, subject=" / ".join(subjects), text=text)
