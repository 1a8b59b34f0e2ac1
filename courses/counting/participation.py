"""Participation: the trainees present at each counted offering, from which reports count distinct people.

`courses.counting.participants` counts; `courses.counting.recount` compares the participations with the attendances.
"""

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.rollups import Participation


def update(db: Session, offering_id: int) -> None:
    """Bring the participation of an offering to what its attendances say now. The caller has locked the offering."""
    db.flush()
    stored = db.scalar(select(Participation.trainees).where(Participation.offering_id == offering_id))
    now = sorted(db.scalars(_present(Enrolment.offering_id == offering_id)))
    if stored == now:
        return
    statement = insert(Participation).values(offering_id=offering_id, trainees=now)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[Participation.offering_id], set_={"trainees": statement.excluded.trainees}
        )
    )


def _present(condition: ColumnElement[bool]) -> Select[int]:
    return (
        select(Enrolment.trainee_id)
        .where(condition, select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists())
        .distinct()
    )
