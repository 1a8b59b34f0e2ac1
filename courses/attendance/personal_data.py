"""Personal data of attendance: check-ins, and people at the door who have no place."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from courses.attendance import review_queue
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession
from courses.models.self_check_in import CheckInClaim
from courses.models.trainees import ERASED_NAME
from courses.models.walk_ins import WalkInPerson
from lms.core import personal_data, plain_values, retention_rules
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose
from lms.core.retention_rules import RetentionKind

IN_REVIEW = N_("A check-in of the person waits in the review queue. Decide it first.")


def _enrolment_ids(subject: Subject) -> Any:
    return select(Enrolment.id).where(Enrolment.trainee_id.in_(subject.trainee_ids))


def _export_attendance(db: Session, subject: Subject) -> list[Row]:
    present = db.execute(
        select(CourseSession.starts_at, Attendance.arrived_at, Attendance.left_at)
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(Attendance.enrolment_id.in_(_enrolment_ids(subject)))
        .order_by(CourseSession.starts_at)
    )
    events = db.scalars(
        select(AttendanceEvent)
        .where(AttendanceEvent.enrolment_id.in_(_enrolment_ids(subject)))
        .order_by(AttendanceEvent.received_at, AttendanceEvent.id)
    )
    return [
        {"kind": "attendance", "session": plain_values.of(starts_at)}
        | {"arrived_at": plain_values.of(arrived_at), "left_at": plain_values.of(left_at)}
        for starts_at, arrived_at, left_at in present
    ] + [plain_values.of_row(event, "kind", "method", "happened_at", "received_at", "reason") for event in events]


def _obstacles(db: Session, subject: Subject) -> Iterable[str]:
    walk_ins = select(WalkInPerson.id).where(WalkInPerson.enrolment_id.in_(_enrolment_ids(subject)))
    of_person = or_(AttendanceEvent.enrolment_id.in_(_enrolment_ids(subject)), AttendanceEvent.walk_in_id.in_(walk_ins))
    if db.scalar(select(exists(select(AttendanceEvent.id).where(of_person, review_queue.undecided())))):
        yield IN_REVIEW


def _export_walk_ins(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(WalkInPerson).where(WalkInPerson.enrolment_id.in_(_enrolment_ids(subject))))
    return [plain_values.of_row(row, "name", "phone", "made_at") for row in rows]


def _erase_walk_ins(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(
        update(WalkInPerson)
        .where(WalkInPerson.enrolment_id.in_(_enrolment_ids(subject)))
        .values(name=ERASED_NAME, phone_sealed=None)
        .execution_options(synchronize_session=False)
    )
    return Erased(result.rowcount)


def _erase_claims(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(delete(CheckInClaim).where(CheckInClaim.enrolment_id.in_(_enrolment_ids(subject))))
    return Erased(result.rowcount)


def _old_walk_ins(before: datetime) -> Any:
    """The walk-ins that became nobody's enrolment."""
    return (WalkInPerson.enrolment_id.is_(None), WalkInPerson.made_at <= before, WalkInPerson.name != ERASED_NAME)


def _walk_ins_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(WalkInPerson).where(*_old_walk_ins(before))) or 0


def _erase_old_walk_ins(db: Session, before: datetime) -> Iterator[int]:
    result: Any = db.execute(
        update(WalkInPerson)
        .where(*_old_walk_ins(before))
        .values(name=ERASED_NAME, phone_sealed=None)
        .execution_options(synchronize_session=False)
    )
    yield result.rowcount


personal_data.register(
    DataKind(
        code="attendance",
        label=N_("Attendance"),
        purpose=N_("To count participation and to decide on certificates"),
        tables={
            "attendance": ("arrived_at", "left_at"),
            "attendance_event": ("happened_at", "reason"),
            "attendance_decision": ("reason",),
        },
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="person_time",
        receivers=(Receiver.HOST,),
        export=_export_attendance,
        obstacles=_obstacles,
    )
)
personal_data.register(
    DataKind(
        code="walk_in",
        label=N_("People at the door without a place"),
        purpose=N_("To count people who came without enrolment, and to enrol them afterwards"),
        tables={"walk_in": ("name", "phone_sealed")},
        whose=(Whose.WALK_IN, Whose.TRAINEE),
        basis=Basis.CONTRACT,
        retention="walk_in",
        receivers=(Receiver.HOST,),
        export=_export_walk_ins,
        erase=_erase_walk_ins,
    )
)
personal_data.register(
    DataKind(
        code="check_in_claim",
        label=N_("Self check-ins under way"),
        purpose=N_("To let one browser check in one person"),
        tables={"check_in_claim": ("token_hash", "browser_hash")},
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="account_traces",
        erase=_erase_claims,
    )
)
personal_data.leave_apart(
    {
        "check_in_key": N_("The key of the code of a session that runs"),
        "closing_request": N_("Names the user who asked to close; trainees by number, as foreseen"),
        "spot_check": N_("Names the user who counted the room"),
    }
)
retention_rules.register(
    RetentionKind(
        "walk_in",
        N_("People at the door without a place"),
        N_("entered"),
        due=_walk_ins_due,
        erase=_erase_old_walk_ins,
    )
)
