"""Random offerings, and their figures counted by hand, which the person-time tests compare with those of the system."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.counting.person_time import OfferingTotals
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import clock
from tests.factories import Make

BEIJING = ZoneInfo("Asia/Shanghai")
SESSION_MINUTES = 180


@dataclass(frozen=True)
class Presence:
    """A person at one session. `came` and `left` are minutes from its start; `left` is None without a check-out."""

    session: int
    came: int
    left: int | None

    @property
    def minutes(self) -> int:
        """The attended minutes, by the rule: within the session, from its start where the check-in came after its end."""
        came = 0 if self.came >= SESSION_MINUTES else max(self.came, 0)
        went = SESSION_MINUTES if self.left is None else min(self.left, SESSION_MINUTES)
        return max(0, went - came)


@dataclass(frozen=True)
class Person:
    """A person in an offering. `who` is the person's number: the same number in two offerings is the same trainee."""

    who: int
    state: EnrolmentState
    presences: tuple[Presence, ...]


@dataclass(frozen=True)
class Plan:
    """An offering as it took place: its sessions' headcounts (one session on each day from `first`) and its people."""

    first: date
    headcounts: tuple[int, ...]
    people: tuple[Person, ...]
    refresher: bool
    district: int
    programme: str = "FIRST_RESPONDER"

    def totals(self) -> OfferingTotals:
        """The totals counted by hand from the rule, independently of the code of the system."""
        minutes = 0
        for person in self.people:
            minutes += sum(presence.minutes for presence in person.presences)
        return OfferingTotals(
            enrolled=sum(person.state is not EnrolmentState.CANCELLED for person in self.people),
            named=sum(bool(person.presences) for person in self.people),
            counted=max(self.headcounts),
            minutes=minutes,
            passed=sum(person.state is EnrolmentState.COMPLETED for person in self.people),
        )


@st.composite
def plans(draw: st.DrawFn, first: date = date(2025, 1, 1), last: date = date(2025, 12, 20)) -> Plan:
    """A strategy for offerings of one to three sessions on consecutive days."""
    sessions = draw(st.integers(1, 3))
    people = []
    for who in draw(st.lists(st.integers(0, 7), unique=True, max_size=5)):
        present = draw(st.sets(st.integers(0, sessions - 1)))
        presences = []
        for number in sorted(present):
            came = draw(st.integers(-20, SESSION_MINUTES + 30))
            left = draw(st.none() | st.integers(max(came, 0), SESSION_MINUTES + 60))
            presences.append(Presence(number, came, left if left is None or left >= came else None))
        states = [EnrolmentState.COMPLETED, EnrolmentState.FAILED, EnrolmentState.INCOMPLETE]
        if not presences:
            states = [EnrolmentState.INCOMPLETE, EnrolmentState.CANCELLED]
        people.append(Person(who, draw(st.sampled_from(states)), tuple(presences)))
    return Plan(
        first=draw(st.dates(first, last)),
        headcounts=tuple(draw(st.lists(st.integers(0, 300), min_size=sessions, max_size=sessions))),
        people=tuple(people),
        refresher=draw(st.booleans()),
        district=draw(st.integers(1, 3)),
        programme=draw(st.sampled_from(["RESCUE", "FIRST_RESPONDER"])),
    )


@dataclass
class World:
    """Writes plans to the database. `cast` maps the number of a person to its trainee."""

    db: Session
    cast: dict[int, Trainee] = field(default_factory=dict)

    def hold(self, plan: Plan) -> Offering:
        """The closed offering of a plan, as `closing.close` leaves it but without its ledger entry."""
        make = Make(self.db)
        course = make.new_course(refresher=plan.refresher, programme_code=plan.programme)
        midnight = datetime(plan.first.year, plan.first.month, plan.first.day, tzinfo=BEIJING)
        starts = [midnight + timedelta(days=n, hours=9) for n in range(len(plan.headcounts))]
        offering = make.offering(
            course=course, organisation=make.organisation(plan.district), starts=starts, hours=SESSION_MINUTES / 60
        )
        offering.counted_on = person_time.counting_day(self.db, offering.id, BEIJING)
        offering.state, offering.closed_at = OfferingState.CLOSED, clock.now()
        self.fill(offering, plan)
        return offering

    def fill(self, offering: Offering, plan: Plan) -> None:
        """Replace the enrolments and attendances of an offering by those of the plan."""
        make = Make(self.db)
        sessions = sorted(offering.sessions, key=lambda row: row.starts_at)
        old = self.db.query(Enrolment.id).filter(Enrolment.offering_id == offering.id)
        self.db.execute(delete(Attendance).where(Attendance.enrolment_id.in_(old.scalar_subquery())))
        for row, headcount in zip(sessions, plan.headcounts, strict=True):
            row.headcount = headcount
        known = {row.trainee_id: row for row in self.db.query(Enrolment).filter(Enrolment.offering_id == offering.id)}
        for row in known.values():
            row.state, row.cancelled_at = EnrolmentState.CANCELLED, clock.now()
            row.sessions_attended = row.minutes_attended = 0
        for person in plan.people:
            trainee = self.cast.setdefault(person.who, make.trainee())
            row = known.get(trainee.id) or make.enrolment(offering, trainee)
            row.state = person.state
            row.cancelled_at = clock.now() if person.state is EnrolmentState.CANCELLED else None
            row.sessions_attended = len(person.presences)
            row.minutes_attended = sum(presence.minutes for presence in person.presences)
            self.db.flush()
            for presence in person.presences:
                attend(self.db, row, sessions[presence.session], presence.came, presence.left)
        self.db.flush()

    def close(self, plan: Plan) -> Offering:
        """The closed offering of a plan with its ledger entry."""
        offering = self.hold(plan)
        person_time.record_closing(self.db, offering, BEIJING)
        return offering


def attend(db: Session, enrolment: Enrolment, meeting: CourseSession, came: int = 0, left: int | None = None) -> None:
    """Record a trainee as present at a session. `came` and `left` are minutes from its start."""
    arrived = meeting.starts_at + timedelta(minutes=came)
    event = AttendanceEvent(
        id=uuid4(), course_session_id=meeting.id, enrolment_id=enrolment.id, kind=AttendanceKind.ARRIVE,
        method=AttendanceMethod.TAP, happened_at=arrived,
    )  # fmt: skip
    db.add(event)
    db.flush()
    db.add(
        Attendance(
            course_session_id=meeting.id, enrolment_id=enrolment.id, event_id=event.id, arrived_at=arrived,
            left_at=None if left is None else meeting.starts_at + timedelta(minutes=left),
        )
    )  # fmt: skip
    db.flush()
