"""Instructors' phones with sessions to check people in at, and their check-ins as they go over the wire."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.load import post
from benchmarks.owed import name
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState, sealed_ticket
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from courses.models.trainees import Trainee
from instructors.models import Instructor
from lms.accounts import devices
from lms.accounts.models import RoleGrant, User
from lms.core import clock, crypto
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import Role
from lms.core.transactions import transaction
from lms.organisations.models import Organisation, Sector

PATH = "/api/v1/check-ins"


@dataclass(frozen=True)
class Phone:
    """An instructor's phone: its token, the sessions that it reaches, and the people who are enrolled in all of them."""

    token: str
    sessions: Sequence[int]
    people: Sequence[int]

    def event(self, session_id: int, enrolment_id: int) -> dict[str, Any]:
        """A person's arrival, tapped now."""
        return {
            "id": str(uuid4()),
            "session": session_id,
            "kind": "arrive",
            "method": "tap",
            "enrolment": enrolment_id,
            "told_at": clock.now().isoformat(),
            "offset_ms": 0,
        }

    def request(self, events: Sequence[dict[str, Any]]) -> bytes:
        """Events as a phone sends them."""
        body = json.dumps({"sent_at": clock.now().isoformat(), "events": events}).encode()
        headers = (f"Authorization: Bearer {self.token}", "Content-Type: application/json", "Connection: keep-alive")
        return post(PATH, body, *headers)


def phones(app: Flask, number: int, *, people: int, sessions: int) -> list[Phone]:
    """Make phones, each of an instructor with an offering of its own, all of whose sessions are going on."""
    with transaction(app.extensions["sessions"]) as db:
        host = Organisation(
            district_id=1, name_zh="测量街道", name_en="Check-in bench", sector=Sector.COMMUNITY, active=True
        )
        course = Course(
            code=f"BENCH-{uuid4().hex[:8]}", programme_code="FIRST_RESPONDER", name_zh="救护员",
            name_en="First responder", hours=Decimal(16), pass_mark=None, validity_months=36,
            trainee_ratio=50, capacity=max(people, 1), certificate_type=1, refresher=False, active=True,
        )  # fmt: skip
        db.add_all([host, course])
        db.flush()
        return [_phone(db, course, host, place=place, people=people, sessions=sessions) for place in range(number)]


def _phone(db: Session, course: Course, host: Organisation, *, place: int, people: int, sessions: int) -> Phone:
    began = clock.now() - timedelta(hours=1)
    user = User(name=name(place), email=f"bench-{uuid4().hex}@example.org", language="zh")
    user.set_proof(ContactKind.EMAIL, ContactProof.STAFF)
    user.grants.append(RoleGrant(role=Role.INSTRUCTOR))
    db.add(user)
    db.flush()
    person = Instructor(
        name=user.name, registration_number=f"BENCH-{uuid4().hex[:12]}", district_id=host.district_id, user_id=user.id,
        level="junior", active=True,
    )  # fmt: skip
    offering = Offering(
        course_id=course.id, organisation_id=host.id, district_id=host.district_id, place="一楼培训室",
        capacity=course.capacity, state=OfferingState.PUBLISHED, published_at=began,
    )  # fmt: skip
    db.add_all([person, offering])
    db.flush()
    meetings = [
        CourseSession(offering_id=offering.id, starts_at=began, ends_at=began + timedelta(hours=8), headcount=0)
        for _ in range(sessions)
    ]
    db.add_all(meetings)
    db.flush()
    db.refresh(meetings[0])
    db.add(
        SessionInstructor(
            course_session_id=meetings[0].id, instructor_id=person.id, role=TeachingRole.LEAD,
            during=meetings[0].during, active=True,
        )
    )  # fmt: skip
    trainees = db.scalars(
        insert(Trainee).returning(Trainee.id),
        [{"ref": uuid4(), "name": name(number), "name_key": name(number)} for number in range(people)],
    ).all()
    rows = [
        {
            "offering_id": offering.id, "trainee_id": trainee, **sealed_ticket(crypto.token()),
            "state": EnrolmentState.ENROLLED, "source": EnrolmentSource.STAFF,
        }
        for trainee in trainees
    ]  # fmt: skip
    enrolments = db.scalars(insert(Enrolment).returning(Enrolment.id), rows).all()
    _, token = devices.pair(db, user, "bench")
    return Phone(token, [meeting.id for meeting in meetings], list(enrolments))


def arrivals(some: Iterable[Phone], sessions: slice) -> list[tuple[Phone, list[dict[str, Any]]]]:
    """Everybody's arrival at each of the sessions, a list for each session; the phones take turns."""
    per_phone = [
        [(phone, [phone.event(session, person) for person in phone.people]) for session in phone.sessions[sessions]]
        for phone in some
    ]
    return [one for turn in zip(*per_phone, strict=True) for one in turn]
