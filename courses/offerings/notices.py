"""What the enrolled are told by mail when an offering changes or is cancelled: in Chinese, then in English."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from courses.offerings.scheduling import span
from lms.core import mail
from lms.core.languages import each_language, named

TOLD = (EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED)
RULE = "\n\n" + "-" * 32 + "\n\n"


@dataclass(frozen=True)
class Reach:
    """Who can be told how: how many by mail, and the trainees who have to be called."""

    mailed: int
    to_call: tuple[Trainee, ...]


def reach(db: Session, offering: Offering) -> Reach:
    """Who of the enrolled and waiting can be reached by mail, and who cannot."""
    people = [row.trainee for row in _concerned(db, offering)]
    to_call = tuple(person for person in people if not person.email)
    return Reach(len(people) - len(to_call), to_call)


def cancelled(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> None:
    """Tell the enrolled and waiting that an offering does not take place, and why."""

    def text() -> str:
        return str(
            _(
                "The offering “%(course)s” that you are enrolled in has been cancelled.\n"
                "Time: %(times)s\nPlace: %(place)s\nReason: %(reason)s\n\n"
                "You need not do anything. Other dates are on our list of open training. Questions: %(host)s.",
                course=named(offering.course),
                times=times_of(offering, zone),
                place=offering.place,
                reason=reason,
                host=named(offering.organisation),
            )
        )

    _tell(db, offering, lambda: _("Cancelled: %(course)s", course=named(offering.course)), text)


def moved(db: Session, offering: Offering, zone: ZoneInfo) -> None:
    """Tell the enrolled and waiting the new times and places."""

    def text() -> str:
        return str(
            _(
                "The time or place of “%(course)s”, that you are enrolled in, has changed. It is now:\n%(times)s\n\n"
                "Your enrolment stays as it is. If you cannot come, please tell %(host)s.",
                course=named(offering.course),
                times=times_of(offering, zone, places=True),
                host=named(offering.organisation),
            )
        )

    _tell(db, offering, lambda: _("New time or place: %(course)s", course=named(offering.course)), text)


def times_of(offering: Offering, zone: ZoneInfo, *, places: bool = False) -> str:
    """The sessions' times, each with its place if wanted."""
    lines = []
    for meeting in offering.sessions:
        line = span(meeting.starts_at, meeting.ends_at, zone)
        lines.append(f"{line}  {meeting.place or offering.place}" if places else line)
    return ("\n" if places else ", ").join(lines)


def _concerned(db: Session, offering: Offering) -> Sequence[Enrolment]:
    return db.scalars(
        select(Enrolment)
        .join(Enrolment.trainee)
        .options(contains_eager(Enrolment.trainee))
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(TOLD))
        .order_by(Enrolment.id)
    ).all()


def _tell(db: Session, offering: Offering, subject: Callable[[], str], body: Callable[[], str]) -> None:
    subjects, texts = [], []
    for _language in each_language():
        subjects.append(subject())
        texts.append(body())
    for enrolment in _concerned(db, offering):
        person = enrolment.trainee
        if person.email:
            ticket = f"\n\n{mail.SITE}/tickets/{enrolment.ticket}"
            text = f"{person.name}:\n\n{RULE.join(texts)}{ticket}"
            mail.owe(db, recipient=person.email, subject=" / ".join(subjects), text=text)
