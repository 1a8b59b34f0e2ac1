"""Participation: the trainees present at each counted offering, from which reports count distinct people.

`courses.counting.participants` counts; `courses.counting.recount` compares the participations with the attendances.

What was reported does not change. A correction of an offering in a frozen quarter changes the people of the periods that
end after the latest frozen quarter only: those that end before keep the trainees as they were reported
(`FormerParticipation`, which a trigger writes).
"""

from datetime import date

from sqlalchemy import ColumnElement, Select, Subquery, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.rollups import FormerParticipation, Participation


def update(db: Session, offering_id: int) -> None:
    """Bring the participation of an offering to what its attendances say now. The caller has locked the offering.

    The periods that were reported with a frozen quarter count the people as they were.
    """
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


def former_at(last_day: date) -> Subquery:
    """A subquery of the offerings whose trainees were others when a period that ends on a day was reported.

    Columns: offering_id and trainees. The trainees of all other offerings are those of `Participation`.
    """
    return (
        select(FormerParticipation.offering_id, FormerParticipation.trainees)
        .ext(distinct_on(FormerParticipation.offering_id))
        .where(FormerParticipation.until >= last_day)
        .order_by(FormerParticipation.offering_id, FormerParticipation.until)
        .subquery("former")
    )


def _present(condition: ColumnElement[bool]) -> Select[int]:
    return (
        select(Enrolment.trainee_id)
        .where(condition, select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists())
        .distinct()
    )
