"""Enrolments of two records of one person: which follow a merge, which stay, and what stands in the way.

One person's participation in one offering is one person-time. So where both records attended one offering, the merge is refused
until one attendance is corrected away: the ledger would no longer agree with the attendances. Where only one of them attended,
its enrolment comes to the record that is kept, and the empty one of a closed offering stays with, or goes to, the record that
is merged. Two places in an offering that is not closed are refused: one of them is cancelled first, and is free for others.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session, aliased

from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.merges import TraineeMerge, TraineeMergeRow
from courses.models.offerings import Offering, OfferingState
from lms.core import clock
from lms.core.errors import N_

TABLE = "enrolment.trainee_id"

BOTH_ATTENDED = N_(
    "Both records were present in the same class, and that counts as two people. If it is one person, take the presence of"
    " one of them back in that class (“Correct”, with a reason). Then merge."
)
BOTH_PLACES = N_(
    "Both records have a place in the same class, which is not closed. Cancel one of the two places. Then merge."
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An offering in which both records are, with the msgid that says what to do before a merge."""

    offering_id: int
    message: str


@dataclass(frozen=True, slots=True)
class MovePlan:
    """The enrolments (ids) that a merge moves. `coming` come to the record that is kept, `leaving` are its empty ones that go.

    staying: the number of empty enrolments that stay with the merged record. offering_ids: of all enrolments of both.
    """

    coming: Sequence[int] = ()
    leaving: Sequence[int] = ()
    staying: int = 0
    conflicts: Sequence[Conflict] = ()
    offering_ids: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    trainee_id: int
    cancelled: bool
    used: bool  # attended or certified


def plan(db: Session, kept_id: int, merged_id: int) -> MovePlan:
    """The moves and obstacles of a merge of two records. One statement."""
    rows = db.execute(
        select(Enrolment.id, Enrolment.trainee_id, Enrolment.state, Enrolment.certified_at,
            _attended(Enrolment).label("attended"),
            Enrolment.offering_id, Offering.state.label("offering_state"))
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(Enrolment.trainee_id.in_([kept_id, merged_id]))
        .order_by(Enrolment.id)
    ).all()  # fmt: skip
    of_offering: dict[tuple[int, bool], list[_Row]] = defaultdict(list)
    for row in rows:
        used = row.attended or row.certified_at is not None
        cancelled = row.state == EnrolmentState.CANCELLED
        key = (row.offering_id, row.offering_state == OfferingState.CLOSED)
        of_offering[key].append(_Row(row.id, row.trainee_id, cancelled, used))
    coming, leaving, staying, conflicts = list[int](), list[int](), 0, list[Conflict]()
    for (offering_id, closed), enrolments in of_offering.items():
        own = [row for row in enrolments if row.trainee_id == kept_id]
        others = [row for row in enrolments if row.trainee_id == merged_id]
        own_place = next((row for row in own if not row.cancelled), None)
        other_place = next((row for row in others if not row.cancelled), None)
        if any(row.used for row in own) and any(row.used for row in others):
            conflicts.append(Conflict(offering_id, BOTH_ATTENDED))
        elif own_place is None or other_place is None:
            coming += [row.id for row in others]
        elif not closed:
            conflicts.append(Conflict(offering_id, BOTH_PLACES))
        elif other_place.used and not own_place.used:
            coming += [row.id for row in others]
            leaving.append(own_place.id)
        else:
            coming += [row.id for row in others if row is not other_place]
            staying += 1
    return MovePlan(coming, leaving, staying, conflicts, frozenset(row.offering_id for row in rows))


def move(db: Session, merge: TraineeMerge, moves: MovePlan) -> Collection[int]:
    """Move the enrolments of a plan and note them with the merge. Returns the ids of their offerings."""
    for ids, former in ((moves.coming, merge.merged_id), (moves.leaving, merge.kept_id)):
        if ids:
            rows = [
                {"merge_id": merge.id, "table_name": TABLE, "row_id": row_id, "former": {"trainee_id": former}}
                for row_id in ids
            ]
            db.execute(insert(TraineeMergeRow), rows)
    return _exchange(db, moves.coming, merge.kept_id, moves.leaving, merge.merged_id)


def noted(db: Session, merge: TraineeMerge) -> tuple[list[int], list[int]]:
    """The enrolments to give back to the merged record, and to the kept one, as far as they are where the merge put them.

    An attended one stays where the person has since attended the same offering by another enrolment: together they are one
    person-time, and apart they would be two.
    """
    rows = db.execute(
        select(TraineeMergeRow.row_id, TraineeMergeRow.former["trainee_id"].as_integer().label("former"))
        .join(Enrolment, Enrolment.id == TraineeMergeRow.row_id)
        .where(
            TraineeMergeRow.merge_id == merge.id,
            TraineeMergeRow.table_name == TABLE,
            Enrolment.trainee_id.in_([merge.kept_id, merge.merged_id]),
            Enrolment.trainee_id != TraineeMergeRow.former["trainee_id"].as_integer(),
        )
        .order_by(TraineeMergeRow.row_id)
    ).all()
    back = [row.row_id for row in rows if row.former == merge.merged_id]
    one, other = aliased(Enrolment), aliased(Enrolment)
    again = set(
        db.scalars(
            select(one.id)
            .join(other, (other.offering_id == one.offering_id) & (other.id.not_in(back)))
            .where(one.id.in_(back), other.trainee_id == merge.kept_id, _attended(one), _attended(other))
        )
    )
    back = [row_id for row_id in back if row_id not in again]
    return back, [row.row_id for row in rows if row.former == merge.kept_id]


def _attended(enrolment: type[Enrolment]) -> ColumnElement[bool]:
    return select(1).where(Attendance.enrolment_id == enrolment.id).exists()


def restore(db: Session, merge: TraineeMerge) -> Collection[int]:
    """Give back the enrolments that a merge moved. Returns the ids of their offerings."""
    back, home = noted(db, merge)
    return _exchange(db, back, merge.merged_id, home, merge.kept_id)


def count_new(db: Session, merge: TraineeMerge) -> int:
    """The number of enrolments that the kept record got since the merge; an undo leaves them with it."""
    return len(
        db.scalars(
            select(Enrolment.id).where(Enrolment.trainee_id == merge.kept_id, Enrolment.created_at > merge.merged_at)
        ).all()
    )


def _exchange(db: Session, coming: Sequence[int], to_id: int, leaving: Sequence[int], away_id: int) -> Collection[int]:
    """Give enrolments to one record, and empty ones of the same offerings to the other.

    A person has one place in an offering (`uq_enrolment_once`), and PostgreSQL looks at each row as it is changed. So
    those that leave count as cancelled while the others come.
    """
    db.flush()
    leavers = db.execute(
        select(Enrolment.id, Enrolment.state, Enrolment.cancelled_at).where(Enrolment.id.in_(leaving))
    ).all()
    _set(db, leaving, state=EnrolmentState.CANCELLED, cancelled_at=clock.now(), trainee_id=away_id)
    _set(db, coming, trainee_id=to_id)
    for row in leavers:
        _set(db, [row.id], state=row.state, cancelled_at=row.cancelled_at)
    db.expire_all()
    return db.scalars(select(Enrolment.offering_id).where(Enrolment.id.in_([*coming, *leaving])).distinct()).all()


def _set(db: Session, ids: Sequence[int], **values: object) -> None:
    if ids:
        statement = update(Enrolment).where(Enrolment.id.in_(ids)).values(**values)
        db.execute(statement.execution_options(synchronize_session=False))
