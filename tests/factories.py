"""Factories of database rows for tests. Facts that a test does not give have sensible values."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from courses.models.catalogue import Course, CoursePrerequisite, CourseSkill
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from courses.models.trainees import Trainee
from courses.models.training_requests import ContactPerson, TrainingRequest
from instructors.models import Instructor, Qualification
from lms.accounts.models import RoleGrant, User
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import Role
from lms.organisations.models import District, Organisation, Sector

_numbers = count(1)
PASSWORD = "correct horse battery"


class Make:
    """Factories bound to a database session. Each adds a row, flushes it and returns it."""

    def __init__(self, db: Session) -> None:
        self.db = db

    def _add(self, row: Any) -> Any:
        self.db.add(row)
        self.db.flush()
        return row

    def phone(self) -> str:
        """A Chinese mobile number that no other row of this test run has."""
        return f"+86138{next(_numbers):08d}"

    def district(self, district_id: int = 1) -> District:
        """A district of the 16 that the migrations load."""
        return self.db.scalars(select(District).where(District.id == district_id)).one()

    def organisation(self, district_id: int = 1, **facts: Any) -> Organisation:
        n = next(_numbers)
        row = Organisation(
            district_id=district_id,
            name_zh=f"第{n}社区",
            name_en=f"Community {n}",
            sector=Sector.COMMUNITY,
            active=True,
        )
        for name, value in facts.items():
            setattr(row, name, value)
        return self._add(row)  # type: ignore[no-any-return]

    def user(
        self,
        *roles: Role,
        district_id: int | None = None,
        organisation_id: int | None = None,
        proven: bool = True,
        **facts: Any,
    ) -> User:
        """A user with roles, whose contacts are proven by default.

        A district administrator is of district 1 by default; there is no password without a hash.
        """
        n = next(_numbers)
        row = User(name=facts.pop("name", f"用户{n}"), email=facts.pop("email", f"user{n}@example.org"), language="zh")
        for name, value in facts.items():
            setattr(row, name, value)
        for kind, contact in ((ContactKind.EMAIL, row.email), (ContactKind.PHONE, row.phone_index)):
            if proven and contact:
                row.set_proof(kind, ContactProof.STAFF)
        for role in roles:
            row.grants.append(
                RoleGrant(
                    role=role,
                    district_id=(district_id or 1) if role is Role.DISTRICT_ADMINISTRATOR else None,
                    organisation_id=(organisation_id or self.organisation().id) if role is Role.COORDINATOR else None,
                )
            )
        return self._add(row)  # type: ignore[no-any-return]

    def instructor(
        self, *programmes: str, district_id: int = 1, user: User | None = None, name: str | None = None
    ) -> Instructor:
        """An instructor who is qualified for the programmes (by default all three) from 2020 to 2099."""
        n = next(_numbers)
        row = Instructor(
            name=name or f"教师{n}",
            registration_number=f"BJ-I-{n:05d}",
            district_id=district_id,
            user_id=user.id if user else None,
            level="junior",
            active=True,
        )
        for code in programmes or ("RESCUE", "FIRST_RESPONDER", "INSTRUCTOR"):
            row.qualifications.append(
                Qualification(programme_code=code, valid_from=date(2020, 1, 1), valid_until=date(2099, 12, 31))
            )
        return self._add(row)  # type: ignore[no-any-return]

    def course(self, code: str = "FR-8") -> Course:
        """A course that the migrations load, by its code."""
        return self.db.scalars(select(Course).where(Course.code == code)).one()

    def new_course(self, *, skills: int = 2, **facts: Any) -> Course:
        """A new course: FIRST_RESPONDER, one session, pass mark 60, valid for three years, certificate type 1."""
        n = next(_numbers)
        values: dict[str, Any] = {
            "code": f"C-{n}", "programme_code": "FIRST_RESPONDER", "name_zh": f"课程{n}", "name_en": f"Course {n}",
            "hours": Decimal(8), "pass_mark": 60, "validity_months": 36, "trainee_ratio": 12,
            "capacity": 50, "certificate_type": 1, "refresher": False, "active": True,
        } | facts  # fmt: skip
        row = Course(**values)
        row.skills = [
            CourseSkill(position=i, name_zh=f"技能{i}", name_en=f"Skill {i}", active=True) for i in range(1, skills + 1)
        ]
        return self._add(row)  # type: ignore[no-any-return]

    def prerequisite(
        self, course: Course, certificate_type: int = 1, lapsed_months: int | None = 0, **facts: Any
    ) -> CoursePrerequisite:
        """A certificate that a course demands of its trainees; by default one of type 1 that is still valid."""
        values: dict[str, Any] = {"source": "复训管理办法", "since": date(2020, 1, 1)} | facts
        row = CoursePrerequisite(
            course_id=course.id, certificate_type=certificate_type, lapsed_months=lapsed_months, **values
        )
        self._add(row)
        self.db.refresh(course, ["prerequisites"])
        return row

    def legacy_certificate(self, trainee: Trainee, valid_until: date | None, **facts: Any) -> LegacyCertificate:
        """A certificate of type 1 from before this system that belongs to a trainee, issued in 2015."""
        number = f"京红救{next(_numbers)}号"
        now = clock.now()
        values: dict[str, Any] = {
            "number": number, "number_key": number, "name": trainee.name, "name_key": trainee.name_key,
            "programme_code": "FIRST_RESPONDER", "course": "救护员", "unit": "北京市红十字会", "source": "test:1",
            "issued_on": date(2015, 3, 1), "valid_until": valid_until, "imported_at": now, "trainee_id": trainee.id,
            "certificate_type": 1, "matched_how": "by_hand", "matched_at": now,
        } | facts  # fmt: skip
        return self._add(LegacyCertificate(**values))  # type: ignore[no-any-return]

    def offering(
        self,
        *,
        course: Course | None = None,
        organisation: Organisation | None = None,
        starts: Sequence[datetime] | None = None,
        hours: float = 8,
        lead: Instructor | None = None,
        assistants: Sequence[Instructor] = (),
        state: OfferingState = OfferingState.PUBLISHED,
        **facts: Any,
    ) -> Offering:
        """A published offering. By default it has one session that began an hour ago and a new qualified lead."""
        course = course or self.new_course()
        organisation = organisation or self.organisation()
        lead = lead or self.instructor(course.programme_code, district_id=organisation.district_id)
        row = Offering(
            course_id=course.id,
            organisation_id=organisation.id,
            district_id=organisation.district_id,
            lead_instructor_id=lead.id,
            place=facts.pop("place", "一楼培训室"),
            capacity=facts.pop("capacity", 30),
            by_invitation=facts.pop("by_invitation", False),
            state=state,
            published_at=clock.now() if state is not OfferingState.DRAFT else None,
        )
        for name, value in facts.items():
            setattr(row, name, value)
        self._add(row)
        for start in starts or (clock.now() - timedelta(hours=1),):
            self.session(row, start, hours=hours, lead=lead, assistants=assistants)
        self.db.refresh(row)
        return row

    def session(
        self,
        offering: Offering,
        start: datetime,
        *,
        hours: float = 8,
        lead: Instructor | None = None,
        assistants: Sequence[Instructor] = (),
    ) -> CourseSession:
        row = CourseSession(
            offering_id=offering.id, starts_at=start, ends_at=start + timedelta(hours=hours), headcount=0
        )
        self._add(row)
        self.db.refresh(row)
        teachers = [(lead, TeachingRole.LEAD)] if lead else []
        teachers += [(person, TeachingRole.ASSISTANT) for person in assistants]
        for person, role in teachers:
            self._add(
                SessionInstructor(
                    course_session_id=row.id, instructor_id=person.id, role=role, during=row.during, active=True
                )
            )
        return row

    def training_request(self, **facts: Any) -> TrainingRequest:
        """A request of a school in district 1."""
        ref = uuid4()
        row = TrainingRequest(
            ref=ref,
            district_id=1,
            course_id=self.course().id,
            organisation_name="景山学校",
            people=30,
            days="五月的周六",
            content=ContactPerson("周老师", self.phone(), "zhou@example.org", "请带模拟人").sealed(ref),
            language="zh",
            privacy_version=1,
        )
        for name, value in facts.items():
            setattr(row, name, value)
        return self._add(row)  # type: ignore[no-any-return]

    def trainee(self, name: str | None = None, **facts: Any) -> Trainee:
        n = next(_numbers)
        name = name or f"学员{n}"
        row = Trainee(name=name, name_key=name.upper())
        row.phone = facts.pop("phone", self.phone())
        for fact, value in facts.items():
            setattr(row, fact, value)
        return self._add(row)  # type: ignore[no-any-return]

    def enrolment(
        self,
        offering: Offering,
        trainee: Trainee | None = None,
        state: EnrolmentState = EnrolmentState.ENROLLED,
        **facts: Any,
    ) -> Enrolment:
        trainee = trainee or self.trainee()
        row = Enrolment(
            offering_id=offering.id,
            trainee_id=trainee.id,
            state=state,
            source=EnrolmentSource.STAFF,
            queued_at=clock.now() if state is EnrolmentState.WAITLISTED else None,
            cancelled_at=clock.now() if state is EnrolmentState.CANCELLED else None,
        )
        for name, value in facts.items():
            setattr(row, name, value)
        return self._add(row)  # type: ignore[no-any-return]
