"""The lowest step of a drill-down: people.

Names stand in full for the administrators; phones are masked; ID numbers never stand.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Session

from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind
from courses.models.trainees import Trainee
from courses.reports import lines
from courses.reports.ledger import entries
from courses.reports.questions import Question
from lms.core.masks import mask_phone
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, fetch

if TYPE_CHECKING:
    from numpy import intp
    from numpy.typing import NDArray


@dataclass(frozen=True)
class OfferingPerson:
    """A trainee of an offering: the state of the enrolment, the sessions attended and the minutes.

    The phone is masked.
    """

    trainee_id: int
    name: str
    phone: str
    state: EnrolmentState
    certified: bool
    sessions: int
    minutes: int


@dataclass(frozen=True)
class OfferingPeople:
    """The people of an offering as its attendances have them now. headcount: the largest of its sessions."""

    offering: Offering
    people: list[OfferingPerson]
    present: int
    minutes: int
    headcount: int


@dataclass(frozen=True)
class Participant:
    """A person behind a number: the offerings where the person was present, and the minutes.

    The phone is masked.
    """

    trainee_id: int
    name: str
    phone: str
    offerings: int
    minutes: int


def of_offering(db: Session, offering_id: int, scope: Scope) -> OfferingPeople:
    """Everybody who is enrolled in an offering, those who were present first. Raises NotFound outside of the scope."""
    offering = fetch(db, Offering, offering_id, scope)
    presence = presence_by_enrolment(offering_id)
    sessions = func.coalesce(presence.c.sessions, 0)
    statement = (
        select(Trainee, Enrolment, sessions, func.coalesce(presence.c.minutes, 0))
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .outerjoin(presence, presence.c.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id == offering_id, (Enrolment.state != EnrolmentState.CANCELLED) | (sessions > 0))
        .order_by((sessions == 0), Trainee.name_sound, Enrolment.id)
    )
    people = [
        OfferingPerson(
            trainee.id, trainee.name, mask_phone(trainee.phone), EnrolmentState(enrolment.state),
            enrolment.certified_at is not None, number, int(minutes),
        )
        for trainee, enrolment, number, minutes in db.execute(statement)
    ]  # fmt: skip
    return OfferingPeople(
        offering=offering,
        people=people,
        present=len({person.trainee_id for person in people if person.sessions}),
        minutes=sum(person.minutes for person in people),
        headcount=max((meeting.headcount for meeting in offering.sessions), default=0),
    )


def drill_down(db: Session, question: Question, *, page: int = 1) -> Page[Participant]:
    """A page of the distinct people behind a number, ordered by how often they came and then by registration.

    `total` is the number. The people are counted from the participants in memory: PostgreSQL's GROUP BY over the five
    million of ten years took half a minute.
    """
    entry = entries(question)
    number, on_page = most_frequent(lines.selected(db, question).occurrences(), page)
    pages = max(1, -(-number // PAGE_SIZE))
    minutes = (
        select(Enrolment.trainee_id, func.sum(Enrolment.minutes_attended).label("minutes"))
        .join(entry, _attended_closing(entry))
        .where(Enrolment.trainee_id.in_(on_page))
        .group_by(Enrolment.trainee_id)
        .subquery("stay")
    )
    # A person who was reported with a frozen quarter and taken out later has no minutes.
    statement = (
        select(Trainee, func.coalesce(minutes.c.minutes, 0))
        .outerjoin(minutes, minutes.c.trainee_id == Trainee.id)
        .where(Trainee.id.in_(on_page))
    )
    trainees = {trainee.id: (trainee, stay) for trainee, stay in db.execute(statement)}
    rows = [
        Participant(trainee_id, trainee.name, mask_phone(trainee.phone), offerings, int(stay))
        for trainee_id, offerings in on_page.items()
        for trainee, stay in [trainees[trainee_id]]
    ]
    return Page(rows=rows, page=min(max(page, 1), pages), pages=pages, total=number)


def _attended_closing(entry: Subquery) -> ColumnElement[bool]:
    """The condition that joins a closing among ledger entries to the enrolments of the people who were present."""
    return (
        (Enrolment.offering_id == entry.c.offering_id)
        & (entry.c.kind == EntryKind.CLOSING)
        & select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    )


def most_frequent(counts: "NDArray[intp]", page: int) -> tuple[int, dict[int, int]]:
    """The number of ids that occur, and the ids of one page with how often each occurs, the most frequent first.

    counts: how often each id occurs, at the index of the id, as `Selection.occurrences` gives it.
    """
    import numpy as np  # noqa: PLC0415  # 30 MB that only a process needs that counts people

    ids_by_count = np.bincount(counts)  # at index n: how many ids occur n times
    number = int(ids_by_count[1:].sum())
    last_page = max(0, (number - 1) // PAGE_SIZE)
    skipped = min(max(page, 1) - 1, last_page) * PAGE_SIZE
    on_page: dict[int, int] = {}
    for count in range(ids_by_count.size - 1, 0, -1):
        if skipped < ids_by_count[count]:
            ids = np.flatnonzero(counts == count)[skipped : skipped + PAGE_SIZE - len(on_page)]
            on_page |= dict.fromkeys(ids.tolist(), count)
            if len(on_page) == PAGE_SIZE:
                break
        skipped = max(0, skipped - int(ids_by_count[count]))
    return number, on_page


def presence_by_enrolment(offering_id: int) -> Subquery:
    """By `enrolment_id` of an offering: the `sessions` at which the person was present, and the `minutes`."""
    return (
        select(Attendance.enrolment_id, func.count().label("sessions"), func.sum(attended_minutes()).label("minutes"))
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(CourseSession.offering_id == offering_id)
        .group_by(Attendance.enrolment_id)
        .subquery("presence")
    )


def participants(question: Question) -> Subquery:
    """All the people that `drill_down` pages through, for a file: `trainee_id`, `offerings` where present, `minutes`.

    Here PostgreSQL adds up, because a worker that writes a file has the time, and does not hold all people in memory.
    """
    entry = entries(question)
    return (
        select(
            Enrolment.trainee_id,
            func.count(Enrolment.offering_id.distinct()).label("offerings"),
            func.sum(Enrolment.minutes_attended).label("minutes"),
        )
        .join(entry, (entry.c.offering_id == Enrolment.offering_id) & (entry.c.kind == EntryKind.CLOSING))
        .where(Enrolment.sessions_attended > 0)
        .group_by(Enrolment.trainee_id)
        .subquery("participant")
    )
