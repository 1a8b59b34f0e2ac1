"""Columns that refer to a person's record, each with what a merge does to its rows.

A package registers the columns of its own tables; a test finds a foreign key to `trainee` on which nobody has decided.
Rows of record (`lms.core.records`) refer to enrolments and never to the person's record, so a merge rewrites none of
them; entries of the audit trail keep the number of the former record, and the reading follows (`merged_records`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import KeyedColumnElement

from courses.models.merges import TraineeMerge, TraineeMergeRow

# The condition on the rows of the merged record that follow; gets the merge.
Condition = Callable[[TraineeMerge], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose rows follow a merge. label: a msgid for the number of rows. follows: which rows; all without it.

    settled: called when everything has moved, after a merge and after its undo, with the merge and True for an undo.
    """

    column: KeyedColumnElement[Any]
    label: str
    follows: Condition | None = None
    settled: Callable[[Session, TraineeMerge, bool], None] | None = None

    @property
    def name(self) -> str:
        """The column as "table.column"."""
        return f"{self.column.table.name}.{self.column.name}"

    def rows_of(self, merge: TraineeMerge) -> ColumnElement[bool]:
        """The condition of the rows of the merged record that follow."""
        chosen = self.follows(merge) if self.follows else true()
        return (self.column == merge.merged_id) & chosen


_followers: dict[str, Reference] = {}
_staying: dict[str, str] = {}


def register(reference: Reference) -> None:
    """Register a column whose rows follow."""
    _followers[reference.name] = reference


def leave(name: str, reason: str) -> None:
    """Name a column ("table.column") whose rows stay with the former record or move otherwise, with the reason."""
    _staying[name] = reason


def decided() -> set[str]:
    """The names of all columns on which somebody has decided."""
    return {*_followers, *_staying}


def count(db: Session, merge: TraineeMerge) -> Sequence[tuple[str, int]]:
    """How many rows of each label a merge would move. The merge need not be stored."""
    numbers: dict[str, int] = {}
    for reference in _followers.values():
        number = (
            db.scalar(select(func.count()).select_from(reference.column.table).where(reference.rows_of(merge))) or 0
        )
        numbers[reference.label] = numbers.get(reference.label, 0) + number
    return [(label, number) for label, number in numbers.items() if number]


def move(db: Session, merge: TraineeMerge) -> dict[str, int]:
    """Let the rows of the merged record follow, and note them with the merge. Returns the number of rows by table."""
    moved = {}
    for reference in _followers.values():
        table, row_id = reference.column.table, reference.column.table.c.id
        former = func.jsonb_build_object(reference.column.name, reference.column)
        noted = select(literal(merge.id), literal(reference.name), row_id, former).where(reference.rows_of(merge))
        db.execute(insert(TraineeMergeRow).from_select(["merge_id", "table_name", "row_id", "former"], noted))
        result: Any = db.execute(
            update(table).where(row_id.in_(_noted(merge, reference.name))).values({reference.column: merge.kept_id})
        )
        if result.rowcount:
            moved[table.name] = int(result.rowcount)
    db.expire_all()
    return moved


def restore(db: Session, merge: TraineeMerge) -> dict[str, int]:
    """Give back the rows that a merge moved and that still are with the record that was kept."""
    restored = {}
    for reference in _followers.values():
        table = reference.column.table
        result: Any = db.execute(
            update(table)
            .where(table.c.id.in_(_noted(merge, reference.name)), reference.column == merge.kept_id)
            .values({reference.column: merge.merged_id})
        )
        if result.rowcount:
            restored[table.name] = int(result.rowcount)
    db.expire_all()
    return restored


def settle(db: Session, merge: TraineeMerge, *, undone: bool) -> None:
    """Let the packages follow up what moved."""
    for reference in _followers.values():
        if reference.settled is not None:
            reference.settled(db, merge, undone)


def _noted(merge: TraineeMerge, name: str) -> Any:
    return select(TraineeMergeRow.row_id).where(
        TraineeMergeRow.merge_id == merge.id, TraineeMergeRow.table_name == name
    )
