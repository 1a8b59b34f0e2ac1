"""Reading through a merge: a merged record is found no more by itself, and whatever finds it leads to the kept one."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from courses.models.trainees import Trainee

# The id of the record that stands for a person, of a row of `trainee`.
CURRENT_ID: ColumnElement[int] = func.coalesce(Trainee.merged_into_id, Trainee.id)


def kept_id(db: Session, trainee_id: int) -> int | None:
    """The record into which a record was merged; None for a record that was not merged."""
    return db.scalar(select(Trainee.merged_into_id).where(Trainee.id == trainee_id))


def ids_of(db: Session, trainee_id: int) -> Sequence[int]:
    """The ids of all records of a person: the given one, and those that were merged into it."""
    return [
        trainee_id,
        *db.scalars(select(Trainee.id).where(Trainee.merged_into_id == trainee_id).order_by(Trainee.id)),
    ]


def found_by_former(conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on `Trainee` that a record which was merged into it meets `conditions` (which are about `Trainee`).

    Merged records are few, and an index has them alone, so it costs next to nothing.
    """
    return Trainee.id.in_(
        select(Trainee.merged_into_id).where(Trainee.merged_into_id.is_not(None), conditions).correlate(None)
    )
