"""Closed offerings that owe certificates, as many as wanted: rows in bulk, closed by the rule that closes them in life."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from certificates.keys import qr_keys
from courses.closing import closing
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState, sealed_ticket
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from courses.offerings.class_hours import HoursDecision
from lms.core import clock, crypto
from lms.core.transactions import transaction
from lms.organisations.models import Organisation, Sector

CLASS = 100
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"


def name(number: int) -> str:
    """A Chinese name of two or three characters."""
    return SURNAMES[number % 20] + GIVEN[number // 20 % 24] + GIVEN[number // 480 % 24] * (number % 3 > 0)


def owe(app: Flask, number: int) -> None:
    """Make a signing key when there is none, and trainees who attended and are owed a certificate each."""
    settings = app.config["SETTINGS"]
    first, last = qr_keys.window(clock.today(settings.zone), qr_keys.DEFAULT_DAYS)
    with transaction(app.extensions["sessions"]) as db:
        qr_keys.ensure(db, settings.keys_dir, not_before=first, not_after=last)
        host = Organisation(
            district_id=1, name_zh="测量社区", name_en="Benchmark", sector=Sector.COMMUNITY, active=True
        )
        course = Course(
            code=f"BENCH-{uuid4().hex[:8]}",
            programme_code="FIRST_RESPONDER",
            name_zh="救护员",
            name_en="First responder",
            hours=Decimal(16),
            pass_mark=None,
            validity_months=36,
            trainee_ratio=50,
            capacity=CLASS,
            certificate_type=1,
            refresher=False,
            active=True,
        )
        db.add_all([host, course])
        db.flush()
        for start in range(0, number, CLASS):
            meeting = _class(db, course, host, start, min(CLASS, number - start))
            closing.close(db, meeting, zone=settings.zone, before_end=True, hours=HoursDecision())


def _class(db: Session, course: Course, host: Organisation, start: int, size: int) -> CourseSession:
    """An offering of one session at which everybody is present."""
    began = clock.now() - timedelta(hours=2)
    offering = Offering(
        course_id=course.id,
        organisation_id=host.id,
        district_id=host.district_id,
        place="一楼培训室",
        capacity=CLASS,
        state=OfferingState.PUBLISHED,
        published_at=began,
    )
    db.add(offering)
    db.flush()
    meeting = CourseSession(offering_id=offering.id, starts_at=began, ends_at=began + timedelta(hours=1), headcount=0)
    db.add(meeting)
    db.flush()
    people = [
        {"ref": uuid4(), "name": name(start + n), "name_key": name(start + n), "district_id": host.district_id}
        for n in range(size)
    ]
    trainees = db.scalars(insert(Trainee).returning(Trainee.id), people).all()
    enrolments = db.scalars(
        insert(Enrolment).returning(Enrolment.id),
        [
            {
                "offering_id": offering.id,
                "trainee_id": trainee,
                **sealed_ticket(crypto.token()),
                "state": EnrolmentState.ENROLLED,
                "source": EnrolmentSource.IMPORT,
                "shortfalls": [],
            }
            for trainee in trainees
        ],
    ).all()
    events = [
        {
            "id": uuid4(),
            "course_session_id": meeting.id,
            "enrolment_id": enrolment,
            "kind": AttendanceKind.ARRIVE,
            "method": AttendanceMethod.TAP,
            "happened_at": began,
        }
        for enrolment in enrolments
    ]
    db.execute(insert(AttendanceEvent), events)
    db.execute(
        insert(Attendance),
        [
            {
                "course_session_id": meeting.id,
                "enrolment_id": event["enrolment_id"],
                "event_id": event["id"],
                "arrived_at": began,
            }
            for event in events
        ],
    )
    db.expire(offering)
    return db.scalars(select(CourseSession).where(CourseSession.id == meeting.id)).one()
