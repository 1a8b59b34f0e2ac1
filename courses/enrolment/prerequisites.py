"""Prerequisites: the certificates that a course demands of its trainees, and who meets them.

A refresher renews a certificate, so it is for holders. Each row of `CoursePrerequisite` names a type and for how long it may
have lapsed; one row that is met suffices. A person who meets none may take part and gets no certificate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import held_certificates
from courses.enrolment.held_certificates import Held
from courses.models.catalogue import Course, CoursePrerequisite, courses_by_type
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core import calendar_months, clock


class Outcome(StrEnum):
    """The result of comparing what a person holds with what a course demands.

    held: a certificate meets it. elsewhere: an administrator accepted a certificate of another branch. lapsed: a certificate
    of a demanded type is known, and it has lapsed for too long. nothing: none is known.
    """

    HELD = "held"
    ELSEWHERE = "elsewhere"
    LAPSED = "lapsed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class HoldingStanding:
    """How a person stands against the demands of a course. `held`: the certificate that decides; None where there is none."""

    outcome: Outcome
    held: Held | None = None

    @property
    def met(self) -> bool:
        """True where the demands are met."""
        return self.outcome in {Outcome.HELD, Outcome.ELSEWHERE}


def in_force(course: Course, last_day: date) -> Sequence[CoursePrerequisite]:
    """Return what a course demands of a class whose last session is on a day."""
    return [demand for demand in course.prerequisites if demand.since <= last_day]


def of_offering_id(db: Session, offering_id: int, last_day: date) -> Sequence[CoursePrerequisite]:
    """Return what an offering demands of its trainees, where its row is not read as an object. One statement."""
    statement = (
        select(CoursePrerequisite)
        .join(Offering, Offering.course_id == CoursePrerequisite.course_id)
        .where(Offering.id == offering_id, CoursePrerequisite.since <= last_day)
    )
    return db.scalars(statement.order_by(CoursePrerequisite.certificate_type)).all()


def of_offering(offering: Offering) -> Sequence[CoursePrerequisite]:
    """Return what an offering demands of its trainees."""
    return in_force(offering.course, last_day_of(offering))


def type_names(db: Session, demands: Sequence[CoursePrerequisite]) -> dict[int, Course]:
    """Return the course that names each demanded type, by the type's number. One statement where something is demanded."""
    if not demands:
        return {}
    types = [demand.certificate_type for demand in demands]
    courses = db.scalars(courses_by_type().where(Course.certificate_type.in_(types)))
    return {course.certificate_type: course for course in courses if course.certificate_type is not None}


def last_day_of(offering: Offering) -> date:
    """Return the day of the last session, on which what is held is judged; today for an offering without sessions."""
    return clock.last_branch_day([meeting.starts_at for meeting in offering.sessions])


def last_renewal_day(valid_until: date | None, lapsed_months: int | None) -> date | None:
    """Return the last day on which a certificate may be renewed; None where there is no such day.

    The months of grace begin on the day after the last valid day. Example: a certificate that is valid until 31 January and
    may have lapsed for one month can be renewed until 28 (29) February.
    """
    if valid_until is None or lapsed_months is None:
        return None
    return calendar_months.last_day(valid_until + timedelta(days=1), lapsed_months)


def judge(demands: Sequence[CoursePrerequisite], held: Sequence[Held], day: date) -> HoldingStanding:
    """Compare what a person holds with what is demanded on a day. held: the certificate with the latest end first."""
    months = {demand.certificate_type: demand.lapsed_months for demand in demands}
    of_types = [certificate for certificate in held if certificate.certificate_type in months]
    for certificate in of_types:
        until = last_renewal_day(certificate.valid_until, months[certificate.certificate_type])
        if until is None or day <= until:
            return HoldingStanding(Outcome.HELD, certificate)
    return HoldingStanding(Outcome.LAPSED, of_types[0]) if of_types else HoldingStanding(Outcome.NOTHING)


def of_enrolled(db: Session, offering: Offering, enrolments: Iterable[Enrolment]) -> dict[int, HoldingStanding]:
    """Return how the trainees of an offering stand against what it demands, by trainee; empty where it demands nothing."""
    return of_enrolments(db, of_offering(offering), enrolments, day=last_day_of(offering), offering_id=offering.id)


def of_enrolments(
    db: Session,
    demands: Sequence[CoursePrerequisite],
    enrolments: Iterable[Enrolment],
    *,
    day: date,
    offering_id: int,
) -> dict[int, HoldingStanding]:
    """Return how the trainees of these enrolments of an offering stand against demands, as `standings` does.

    `Enrolment.held_elsewhere` is read one by one unless the enrolments were read with it.
    """
    if not demands:
        return {}
    people = {enrolment.trainee_id: enrolment.held_elsewhere for enrolment in enrolments}
    return standings(db, demands, people, day=day, offering_id=offering_id)


def standings(
    db: Session,
    demands: Sequence[CoursePrerequisite],
    people: Mapping[int, str | None],
    *,
    day: date,
    offering_id: int | None = None,
) -> dict[int, HoldingStanding]:
    """Return how people stand against demands, by trainee. Empty without demands; otherwise one statement.

    people: by trainee, what was accepted of another branch (`Enrolment.held_elsewhere`). day: that of the last session.
    offering_id: the offering itself, whose own certificates prove nothing about what was held before.
    """
    if not demands:
        return {}
    types = [demand.certificate_type for demand in demands]
    held = held_certificates.read(db, list(people), types, on=day, renewed_in=offering_id)
    return {
        trainee_id: HoldingStanding(Outcome.ELSEWHERE) if accepted else judge(demands, held.get(trainee_id, ()), day)
        for trainee_id, accepted in people.items()
    }
