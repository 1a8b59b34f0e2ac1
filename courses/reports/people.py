"""The lowest step down: who was there. Names stand in full for those who answer for them, phones masked, ID numbers never."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from courses.counting import trainee_ids
from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind
from courses.models.trainees import Trainee
from courses.reports import rollups
from courses.reports.enrolment import attended
from courses.reports.filters import Filters, within
from courses.reports.ledger import lines
from lms.core.masks import mask_phone
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, fetch

if TYPE_CHECKING:
    from numpy import uint32
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Person:
    """One trainee: how it ended, at how many sessions present, how many minutes. `phone` shows its ends only."""

    trainee_id: int
    name: str
    phone: str
    state: EnrolmentState
    certified: bool
    sessions: int
    minutes: int


@dataclass(frozen=True)
class OfferingPeople:
    """An offering's people as its attendances have them now, and the heads counted at each session."""

    offering: Offering
    people: list[Person]
    present: int
    minutes: int
    headcount: int


@dataclass(frozen=True)
class Participant:
    """One of the people behind a number: at how many offerings present, how many minutes."""

    trainee_id: int
    name: str
    phone: str
    offerings: int
    minutes: int


def of_offering(db: Session, offering_id: int, scope: Scope) -> OfferingPeople:
    """Everyone enrolled in an offering, the present first. Raises NotFound for another district's."""
    offering = fetch(db, Offering, offering_id, scope)
    presence = presences(offering_id)
    sessions = func.coalesce(presence.c.sessions, 0)
    statement = (
        select(Trainee, Enrolment, sessions, func.coalesce(presence.c.minutes, 0))
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .outerjoin(presence, presence.c.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id == offering_id, (Enrolment.state != EnrolmentState.CANCELLED) | (sessions > 0))
        .order_by((sessions == 0), Trainee.name_key, Enrolment.id)
    )
    people = [
        Person(
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


def behind(db: Session, filters: Filters, scope: Scope, *, page: int = 1) -> Page[Participant]:
    """The distinct people behind a number, those who came most often first, then in the order of their registration.

    `total` is that number. They are counted from who took part, in this process: ten years' five million by the database's
    GROUP BY took half a minute.
    """
    within(filters, scope)
    line = lines(filters, scope)
    times = trainee_ids.occurrences(
        people for _key, people in trainee_ids.arrays(db, rollups.took_part(line, line.c.kind))
    )
    number, shown = most_often(times, page)
    pages = max(1, -(-number // PAGE_SIZE))
    minutes = (
        select(Enrolment.trainee_id, func.sum(Enrolment.minutes_attended).label("minutes"))
        .join(line, attended(line))
        .where(Enrolment.trainee_id.in_(shown))
        .group_by(Enrolment.trainee_id)
        .subquery("each")
    )
    statement = select(Trainee, minutes.c.minutes).join(minutes, minutes.c.trainee_id == Trainee.id)
    found = {trainee.id: (trainee, stayed) for trainee, stayed in db.execute(statement)}
    rows = [
        Participant(one, trainee.name, mask_phone(trainee.phone), offerings, int(stayed))
        for one, offerings in shown.items()
        for trainee, stayed in [found[one]]
    ]
    return Page(rows=rows, page=min(max(page, 1), pages), pages=pages, total=number)


def most_often(times: "NDArray[uint32]", page: int) -> tuple[int, dict[int, int]]:
    """How many ids come at all, and those of a page with how often, the most frequent first. times: as `attending` counts."""
    import numpy as np  # noqa: PLC0415  # 30 MB that only a process needs that counts people

    having = np.bincount(times)
    number = int(having[1:].sum())
    last = max(0, (number - 1) // PAGE_SIZE)
    skipped = min(max(page, 1) - 1, last) * PAGE_SIZE
    shown: dict[int, int] = {}
    for often in range(having.size - 1, 0, -1):
        if skipped < having[often]:
            ids = np.flatnonzero(times == often)[skipped : skipped + PAGE_SIZE - len(shown)]
            shown |= dict.fromkeys(ids.tolist(), often)
            if len(shown) == PAGE_SIZE:
                break
        skipped = max(0, skipped - int(having[often]))
    return number, shown


def presences(offering_id: int) -> Subquery:
    """Of an offering, by `enrolment_id`: at how many `sessions` present, how many `minutes`."""
    return (
        select(Attendance.enrolment_id, func.count().label("sessions"), func.sum(attended_minutes()).label("minutes"))
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(CourseSession.offering_id == offering_id)
        .group_by(Attendance.enrolment_id)
        .subquery("presence")
    )


def participants(filters: Filters, scope: Scope) -> Subquery:
    """All that `behind` pages through, for a file, by `trainee_id`: at how many `offerings` present, how many `minutes`.

    Raises NotFound for another district's. Here the database adds up, for a worker has the time and no page's memory.
    """
    within(filters, scope)
    line = lines(filters, scope)
    return (
        select(
            Enrolment.trainee_id,
            func.count(Enrolment.offering_id.distinct()).label("offerings"),
            func.sum(Enrolment.minutes_attended).label("minutes"),
        )
        .join(line, (line.c.offering_id == Enrolment.offering_id) & (line.c.kind == EntryKind.CLOSING))
        .where(Enrolment.sessions_attended > 0)
        .group_by(Enrolment.trainee_id)
        .subquery("each")
    )
