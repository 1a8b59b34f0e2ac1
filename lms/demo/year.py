"""The demo year: everything happens by the rules, in the order of time, each thing at its own moment."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from random import Random
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import qr_keys
from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.closing import closing, correction, headcount, instructor_check_in
from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.enrolment import places, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import IdType, Trainee
from courses.offerings import offerings
from courses.offerings.offerings import OfferingPlan
from courses.offerings.public_facts import PublicFacts
from courses.offerings.scheduling import SessionPlan, Team
from instructors.models import Instructor
from lms.core import audit, clock
from lms.core.scope import EVERYTHING
from lms.demo import baselines, plan
from lms.demo.people import DemoPeople
from lms.demo.staff import Staff

PEOPLE = 320
MONTHS = 12
KEY_DAYS = 2 * 366
FORGETS_ONE_IN = 23  # check-ins of instructors
PLANNED_AHEAD = timedelta(days=35)
ENROLLED_AHEAD = timedelta(days=20)
STATION_OPENS = (9, 0)


@dataclass(order=True)
class Happening:
    """Something at a moment; `turn` keeps things of one moment in the order they were thought of."""

    moment: datetime
    turn: int
    act: Callable[[], None] = field(compare=False)


@dataclass
class Run:
    """An offering of the demo year: its course, when its sessions begin, and who leads."""

    kind: plan.OfferingKind
    host: int
    starts: list[datetime]
    lead: Instructor
    offering_id: int = 0


class Year:
    """The year that ends now. `load` yields after each happening, so that a caller can show how far it is."""

    def __init__(self, db: Session, branch: Branch, staff: Staff, random: Random, now: datetime) -> None:
        self._db = db
        self._branch = branch
        self._staff = staff
        self._random = random
        self._now = now
        self._begin = now - timedelta(days=365)
        self._queue: list[Happening] = []
        self._turns = count()
        self._people: list[Trainee] = []
        self._certified: list[int] = []
        self._busy: set[tuple[int, object]] = set()

    def __len__(self) -> int:
        return len(self._queue)

    def prepare(self) -> None:
        """Think of everything that will happen."""
        with clock.at(self._begin):
            first, last = qr_keys.window(clock.today(self._branch.zone), KEY_DAYS)
            qr_keys.ensure(self._db, self._branch.keys_dir, not_before=first, not_after=last)
        self._at(self._begin - PLANNED_AHEAD, self._register_everybody)
        for year in (self._begin.year, self._now.year):
            self._at(self._begin, partial(baselines.enter, self._db, year))
        for month in range(MONTHS):
            self._plan_month(self._begin + timedelta(days=30.4 * month))
        self._plan_now_and_soon()
        quarter = Quarter.of(self._begin.date()).next
        while (frozen_on := self._local(quarter.last + timedelta(days=15), 10)) < self._now:
            self._at(frozen_on, partial(self._freeze, quarter))
            quarter = quarter.next

    def load(self) -> Iterator[None]:
        """Let it all happen."""
        while self._queue:
            happening = heapq.heappop(self._queue)
            with clock.at(min(happening.moment, self._now)):
                audit.act_as(self._db, self._staff.city.id)
                happening.act()
            yield

    def somebody_certified(self) -> Trainee:
        """A trainee who holds a certificate, for the demo's trainee account."""
        return self._db.get_one(Trainee, self._certified[-1])

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, Happening(moment, next(self._turns), act))

    def _local(self, day: object, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, datetime.min.time(), self._branch.zone).replace(  # type: ignore[arg-type]
            hour=hour, minute=minute
        )

    def _register_everybody(self) -> None:
        source = DemoPeople(self._random)
        for _ in range(PEOPLE):
            born = self._random.choice((*range(1958, 2010), *range(1985, 2006)))
            with_id = self._random.random() < 0.6
            facts = TraineeFacts(
                name=source.name(),
                phone=source.phone(),
                birth_year=born,
                id_type=IdType.RESIDENT if with_id else None,
                id_number=source.resident_id(born) if with_id else None,
                guardian_name=source.name() if self._begin.year - born < 15 else None,
                guardian_phone=source.phone() if self._begin.year - born < 15 else None,
            )
            self._people.append(trainees.register(self._db, facts, self._random.choice(self._staff.hosts).district_id))

    def _plan_month(self, begin: datetime) -> None:
        kinds = list(plan.MONTH)
        if begin.month in plan.BUSY:
            kinds += [plan.TALK, plan.FIRST_RESPONDER, plan.CPR]
        if begin.month == 6:
            kinds.append(plan.INSTRUCTOR)
        for kind in kinds:
            day = begin + timedelta(days=self._random.randrange(0, 28))
            self._plan_run(kind, self._local(day.date(), *STATION_OPENS), self._random.randrange(len(plan.HOSTS)))

    def _plan_now_and_soon(self) -> None:
        quarter_hour = timedelta(
            minutes=self._now.minute % 15, seconds=self._now.second, microseconds=self._now.microsecond
        )
        self._plan_run(plan.FIRST_AIDER, self._now - quarter_hour, 0, lead=self._staff.instructors[0])
        soon = (plan.FIRST_RESPONDER, plan.CPR, plan.FIRST_AIDER, plan.TALK, plan.REFRESHER, plan.FIRST_RESPONDER)
        for week, kind in enumerate(soon, 1):
            day = (self._now + timedelta(days=6 * week + 1)).date()
            self._plan_run(kind, self._local(day, *STATION_OPENS), week % len(plan.HOSTS))
        under_way = self._local((self._now - timedelta(days=5)).date(), *STATION_OPENS)
        self._plan_run(plan.FIRST_RESPONDER, under_way, 3, gap=timedelta(days=9))

    def _plan_run(
        self,
        kind: plan.OfferingKind,
        start: datetime,
        host: int,
        lead: Instructor | None = None,
        gap: timedelta = timedelta(days=1),
    ) -> None:
        starts = [start + number * gap for number in range(len(kind.hours))]
        lead = lead or self._free_instructor(kind, starts)
        if lead is None:
            return
        self._busy.update((lead.id, moment.date()) for moment in starts)
        run = Run(kind, host, starts, lead)
        self._at(min(start - PLANNED_AHEAD, self._now - timedelta(hours=3)), partial(self._publish, run))
        ends = [moment + timedelta(hours=hours) for moment, hours in zip(starts, kind.hours, strict=True)]
        if start > self._now:
            self._at(self._now - timedelta(hours=2), partial(self._enrol, run))
            return
        self._at(start - ENROLLED_AHEAD, partial(self._enrol, run))
        for number, end in enumerate(ends):
            if end < self._now:
                self._at(end - timedelta(minutes=5), partial(self._attend, run, number))
        if ends[-1] < self._now:
            self._at(ends[-1], partial(self._examine, run))
            self._at(ends[-1] + timedelta(minutes=40), partial(self._close, run))
            self._at(ends[-1] + timedelta(minutes=42), partial(self._issue, run))

    def _free_instructor(self, kind: plan.OfferingKind, starts: list[datetime]) -> Instructor | None:
        programme = self._course(kind).programme_code
        first, last = starts[0].date(), starts[-1].date()
        able = [
            person
            for person in self._staff.instructors
            if any(
                held.programme_code == programme and held.valid_from <= first and last <= held.valid_until
                for held in person.qualifications
            )
            and not any((person.id, moment.date()) in self._busy for moment in starts)
        ]
        return self._random.choice(able) if able else None

    def _course(self, kind: plan.OfferingKind) -> Course:
        return self._db.scalars(select(Course).where(Course.code == kind.course)).one()

    def _publish(self, run: Run) -> None:
        course, host = self._course(run.kind), self._staff.hosts[run.host]
        meetings = tuple(
            SessionPlan(start, start + timedelta(hours=hours))
            for start, hours in zip(run.starts, run.kind.hours, strict=True)
        )
        offering_plan = OfferingPlan(
            course_id=course.id,
            organisation_id=host.id,
            place=self._random.choice(("一层多功能厅", "二层培训教室", "三层会议室", "社区活动中心", "综合楼报告厅")),
            sessions=meetings,
            capacity=max(course.capacity, 40) if run.kind is plan.TALK else course.capacity,
            team=Team(run.lead.id),
            public_facts=PublicFacts(
                contact_name="培训办公室",
                contact_phone="010-6400 0000 转 12",
                directions="地铁站出口步行约10分钟；院内车位有限，建议乘坐公共交通。",
                bring="宽松、便于跪地练习的衣裤；饮水。",
                fee=Decimal(0),
            ),
        )
        offering = offerings.schedule(self._db, offering_plan, scope=EVERYTHING, zone=self._branch.zone)
        offerings.publish(self._db, offering, zone=self._branch.zone)
        run.offering_id = offering.id

    def _enrol(self, run: Run) -> None:
        size = self._random.randint(*run.kind.enrolled)
        known = [person for person in self._people if person.id in set(self._certified)]
        pool = known if run.kind is plan.REFRESHER and len(known) >= size else self._people
        for person in self._random.sample(pool, size):
            source = self._random.choice((EnrolmentSource.SELF, EnrolmentSource.STAFF))
            enrolment = places.enrol(self._db, run.offering_id, person, source=source)
            # Given afterwards: tickets of months ago would all stand on the list of people to call.
            enrolment.phone = person.phone

    def _meeting(self, run: Run, number: int) -> CourseSession:
        return self._db.scalars(
            select(CourseSession)
            .where(CourseSession.offering_id == run.offering_id)
            .order_by(CourseSession.starts_at)
            .offset(number)
            .limit(1)
        ).one()

    def _placed(self, run: Run) -> list[Enrolment]:
        return list(
            self._db.scalars(
                select(Enrolment)
                .where(Enrolment.offering_id == run.offering_id, Enrolment.state == EnrolmentState.ENROLLED)
                .order_by(Enrolment.id)
            )
        )

    def _attend(self, run: Run, number: int) -> None:
        meeting = self._meeting(run, number)
        for teaching in meeting.instructors:
            user_id = teaching.instructor.user_id
            if user_id is not None and (run.offering_id + number + teaching.instructor_id) % FORGETS_ONE_IN:
                audit.act_as(self._db, user_id)
                instructor_check_in.arrive(self._db, meeting, user_id, now=meeting.starts_at - timedelta(minutes=20))
        if run.lead.user_id is not None:
            audit.act_as(self._db, run.lead.user_id)
        for enrolment in self._placed(run):
            if self._random.random() < 0.93:
                came = meeting.starts_at + timedelta(minutes=self._random.randint(-20, 8))
                self._check_in(meeting, enrolment, came)
        heads = self._random.randint(*run.kind.headcount)
        if heads:
            headcount.enter(self._db, meeting, heads, now=clock.now())

    def _check_in(self, meeting: CourseSession, enrolment: Enrolment, came: datetime) -> None:
        event = AttendanceInput(
            id=UUID(int=self._random.getrandbits(128), version=4),
            session_id=meeting.id,
            enrolment_id=enrolment.id,
            kind=AttendanceKind.ARRIVE,
            method=self._random.choice((AttendanceMethod.TAP, AttendanceMethod.SCAN)),
            told_at=came,
        )
        recording.record(self._db, event, now=clock.now())

    def _examine(self, run: Run) -> None:
        course = self._course(run.kind)
        skills = [skill.id for skill in course.skills]
        if course.pass_mark is None and not skills:
            return
        others = [person for person in self._staff.instructors if person.id != run.lead.id]
        examiner = self._random.choice(others)
        for listed in assessment.result_rows(self._db, run.offering_id):
            if not listed.attended or self._random.random() < 0.03:
                continue
            person = self._db.get_one(Enrolment, listed.enrolment_id)
            score = min(100, max(30, round(self._random.gauss(83, 11)))) if course.pass_mark else None
            passed_by_skill = {skill: self._random.random() < 0.97 for skill in skills}
            marks = Marks(theory_score=score, skills=passed_by_skill, examiner_id=examiner.id)
            assessment.save(self._db, person, marks, seen=self._seen(person), retest=False)
            if not all(passed_by_skill.values()) and self._random.random() < 0.6:
                again = Marks(
                    theory_score=None,
                    skills={skill: True for skill, passed in passed_by_skill.items() if not passed},
                    examiner_id=examiner.id,
                )
                assessment.save(self._db, person, again, seen=self._seen(person), retest=True)

    def _seen(self, person: Enrolment) -> str:
        return assessment.form_version(assessment.attempts_of(self._db, person.id))

    def _close(self, run: Run) -> None:
        if run.lead.user_id is not None:
            audit.act_as(self._db, run.lead.user_id)
        for number in range(len(run.starts)):
            closing.close(self._db, self._meeting(run, number), zone=self._branch.zone)

    def _issue(self, run: Run) -> None:
        audit.act_as(self._db, None)
        while issuing.issue_owed(self._db, self._branch, offering_id=run.offering_id, tell=False):
            pass
        self._certified += self._db.scalars(
            select(Enrolment.trainee_id).where(
                Enrolment.offering_id == run.offering_id, Enrolment.certified_at.is_not(None)
            )
        )

    def _freeze(self, quarter: Quarter) -> None:
        quarters.freeze(self._db, quarter, self._branch.zone)
        latest = self._db.scalars(
            select(Offering)
            .join(CourseSession)
            .where(Offering.counted_on.between(quarter.first, quarter.last), CourseSession.headcount > 0)
            .order_by(Offering.counted_on.desc())
            .limit(1)
        ).one_or_none()
        if latest is not None:
            meeting = latest.sessions[0]
            correction.correct_session(
                self._db,
                meeting,
                present={},
                headcount=meeting.headcount + self._random.randint(5, 30),
                reason="核对签到表后补记迟到人员",
                scope=EVERYTHING,
                now=clock.now(),
                zone=self._branch.zone,
            )
