"""Reading through a merge: a merged record is found no more by itself, and whatever finds it leads to the kept one."""

from collections.abc import Callable, Sequence

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


def records_of(db: Session, ids: Sequence[int]) -> Sequence[Trainee]:
    """The records with these ids, in their order."""
    return sorted(db.scalars(select(Trainee).where(Trainee.id.in_(ids))), key=lambda row: ids.index(row.id))


def resolver(db: Session, rows: Sequence[Trainee]) -> Callable[[Trainee], Trainee]:
    """A function from each of these records to the one that stands for its person. A statement where some were merged."""
    kept_ids = {row.merged_into_id for row in rows if row.merged_into_id is not None}
    kept = {row.id: row for row in db.scalars(select(Trainee).where(Trainee.id.in_(kept_ids)))} if kept_ids else {}
    return lambda row: row if row.merged_into_id is None else kept[row.merged_into_id]


def found_by_former(conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on `Trainee` that a record which was merged into it meets `conditions` (which are about `Trainee`).

    Merged records are few, and an index has them alone, so it costs next to nothing.
    """
    return Trainee.id.in_(
        select(Trainee.merged_into_id).where(Trainee.merged_into_id.is_not(None), conditions).correlate(None)
    )
