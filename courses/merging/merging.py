"""Two records of one person become one, and become two again when the merge is undone.

Locks are taken in the order of an enrolment and of a closing, so that none of them deadlocks with a merge: phones and ID
numbers, the offerings in the order of their ids, the two records in the order of their ids, then the numbers of people.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from courses.counting import person_moves
from courses.enrolment import places, record_notices, trainees, trainees_rights
from courses.merging import enrolments, facts, references
from courses.merging.enrolments import MovePlan
from courses.merging.facts import Side
from courses.models.enrolment import Enrolment
from courses.models.merges import TraineeMerge, TraineePair
from courses.models.privacy import ErasureRequest, ErasureState
from courses.models.proposals import Proposal, ProposalState
from courses.models.trainees import IdType, Trainee
from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.errors import N_, Denied, DomainError, NotFound
from lms.core.masks import without_names
from lms.core.names import norm
from lms.core.scope import Scope

ELSEWHERE = N_(
    "One of the two records is also registered or enrolled in another district. The city merges them: name both records to"
    " the city."
)
OTHER_NUMBERS = N_(
    "The two resident ID numbers differ, so these are two people. If a number was mistyped, correct it first."
)
BOTH_ACCOUNTS = N_(
    "Both records have an account that is in use. Ask the person which one to keep, let the city disable the other one under"
    " “Users”, then merge. The person then signs in with the account that is kept."
)
PROPOSAL_OPEN = N_("A proposed change of one of the records is not decided. Decide it first, then merge.")
REQUEST_OPEN = N_("The erasure of one of the records has been asked for. Decide that first.")
_NAME_WRONG = N_("The name is not that of the record that is kept. Type it as it stands above.")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason for which two records cannot be merged now: a msgid, and the row that leads to the remedy ("offering:3")."""

    message: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class MergePreview:
    """The effect that a merge would have: the number of rows that follow, by the msgid of their label.

    staying: empty enrolments of closed classes in which both records are; they stay with the merged record.
    """

    obstacles: Sequence[Obstacle]
    follows: Sequence[tuple[str, int]]
    enrolments: int
    staying: int


def fetch_pair(db: Session, first_id: int, second_id: int, scope: Scope) -> tuple[Trainee, Trainee]:
    """Two records that the scope covers as a whole. Raises NotFound, and Denied where one is enrolled elsewhere, too."""
    rows = {
        row.id: row
        for row in db.scalars(select(Trainee).where(Trainee.id.in_([first_id, second_id]), Trainee.visible_to(scope)))
    }
    if first_id == second_id or {first_id, second_id} != rows.keys():
        raise NotFound
    if trainees_rights.changeable_ids(db, rows, scope) != rows.keys():
        raise Denied("merge_elsewhere", ELSEWHERE)
    return rows[first_id], rows[second_id]


def preview(db: Session, kept: Trainee, merged: Trainee) -> MergePreview:
    """The effect that a merge would have now."""
    moves = enrolments.plan(db, kept.id, merged.id)
    merge_ = TraineeMerge(kept_id=kept.id, merged_id=merged.id)
    return MergePreview(
        _obstacles(db, kept, merged, moves), references.count(db, merge_), len(moves.coming), moves.staying
    )


def keep_first(db: Session, first: Trainee, second: Trainee) -> bool:
    """Tell which of two records is kept unless somebody chooses: the one with an account, with more trainings, the older."""

    def rank(trainee: Trainee) -> tuple[bool, int, int]:
        number = len(db.scalars(select(Enrolment.id).where(Enrolment.trainee_id == trainee.id)).all())
        return trainee.user_id is not None, number, -trainee.id

    return rank(first) >= rank(second)


def merge(
    db: Session,
    kept_id: int,
    merged_id: int,
    chosen: Mapping[str, Side],
    scope: Scope,
    *,
    name: str,
    reason: str | None = None,
) -> TraineeMerge:
    """Merge a record into another one, with everything that refers to it.

    chosen: the side whose fact wins, by `facts.FACTS`; the default elsewhere. name: the winning name, typed as a
    confirmation. Raises NotFound, Denied, and DomainError for what stands in the way.
    """
    kept, merged, locked_ids = _lock(db, kept_id, merged_id, scope)
    moves = enrolments.plan(db, kept_id, merged_id)
    if not moves.offering_ids <= set(locked_ids):
        raise DomainError("person_busy", N_("Somebody is working on this person just now. Try again in a minute."))
    for obstacle in _obstacles(db, kept, merged, moves):
        raise DomainError("not_mergeable", obstacle.message)
    winning = (kept, merged)[facts.winners(kept, merged, chosen)["name"] is Side.MERGED].name
    if norm(name) != norm(winning):
        raise DomainError("name_wrong", _NAME_WRONG, status=422, field="confirmation")
    names, contacts = (kept.name, merged.name), record_notices.contacts_of(kept)
    row = TraineeMerge(kept_id=kept_id, merged_id=merged_id, merged_by=audit.actor(db))
    row.reason = without_names(reason, *names) or None
    db.add(row)
    db.flush()
    person_moves.follow(db, lambda: enrolments.move(db, row, moves))
    moved = {"enrolment": len(moves.coming)} if moves.coming else {}
    moved |= references.move(db, row)
    row.set_former(facts.exchange(db, kept, merged, chosen))
    merged.merged_into_id = kept_id
    db.flush()
    db.expire(kept, ["merged_records"])
    references.settle(db, row, undone=False)
    audit.record(db, "trainee.merge", kept, after={"trainee": merged_id, "rows": moved}, reason=row.reason)
    audit.record(db, "trainee.merge", merged, after={"merged_into": kept_id}, reason=row.reason)
    record_notices.tell_changed(db, kept, contacts)
    record_notices.publish_identified(db, [kept])
    _forget_pairs(db, merged_id)
    db.flush()
    return row


def undo(db: Session, merge_id: int, scope: Scope) -> list[str]:
    """Undo a merge: what it moved goes back, and what happened since stays with the record that was kept.

    Returns the facts that were changed since and stay. Raises NotFound, Denied, and DomainError `undone_already`,
    `merge_erased`, `merge_later`.
    """
    row = fetch_merge(db, merge_id, scope)
    kept, merged = row.kept, row.merged
    trainees_rights.demand_change(db, kept, scope)
    trainees.lock_people(db, [trainees.facts_of(kept), trainees.facts_of(merged)])
    places.lock_offerings(db, _offerings_of(db, kept.id, merged.id))
    _lock_records(db, kept.id, merged.id)
    db.refresh(row, with_for_update=True)
    refuse_undo(db, row)
    former = row.former()
    if former is None:  # refused above
        raise NotFound
    person_moves.follow(db, lambda: enrolments.restore(db, row))
    moved = references.restore(db, row)
    merged.merged_into_id = None
    contacts = record_notices.contacts_of(kept)
    db.flush()
    changed = facts.restore(db, kept, merged, former)
    row.undone_at, row.undone_by = clock.now(), audit.actor(db)
    db.flush()
    db.expire(kept, ["merged_records"])
    references.settle(db, row, undone=True)
    audit.record(db, "trainee.unmerge", kept, after={"trainee": merged.id, "rows": moved})
    audit.record(db, "trainee.unmerge", merged, before={"merged_into": kept.id})
    record_notices.tell_changed(db, kept, contacts)
    record_notices.publish_identified(db, [kept, merged])
    return changed


def refuse_undo(db: Session, row: TraineeMerge) -> None:
    """Raise DomainError where a merge cannot be undone."""
    if row.undone_at is not None:
        raise DomainError("undone_already", N_("This merge has already been undone."))
    if row.former_sealed is None or row.kept.erased_at is not None:
        raise DomainError(
            "merge_erased", N_("The data of this person was erased, so nothing is left that could become two records.")
        )
    later = exists().where(
        TraineeMerge.kept_id == row.kept_id, TraineeMerge.id > row.id, TraineeMerge.undone_at.is_(None)
    )
    if db.scalar(select(later)):
        raise DomainError("merge_later", N_("Another record was merged into this one later. Undo that merge first."))


def fetch_merge(db: Session, merge_id: int, scope: Scope) -> TraineeMerge:
    """A merge into a record that the scope covers. Raises NotFound."""
    row = db.scalars(
        select(TraineeMerge)
        .join(Trainee, Trainee.id == TraineeMerge.kept_id)
        .where(TraineeMerge.id == merge_id, Trainee.visible_to(scope))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _obstacles(db: Session, kept: Trainee, merged: Trainee, moves: MovePlan) -> list[Obstacle]:
    both = [kept.id, merged.id]
    obstacles = [Obstacle(conflict.message, f"offering:{conflict.offering_id}") for conflict in moves.conflicts]
    if kept.id_type == IdType.RESIDENT == merged.id_type and kept.open_id_number() != merged.open_id_number():
        obstacles.append(Obstacle(OTHER_NUMBERS))
    users = db.scalars(
        select(User.id).where(User.id.in_([kept.user_id or 0, merged.user_id or 0]), User.disabled_at.is_(None))
    ).all()
    if len(users) > 1:
        obstacles.append(Obstacle(BOTH_ACCOUNTS))
    proposal = select(Proposal.id).where(Proposal.trainee_id.in_(both), Proposal.state == ProposalState.OPEN)
    proposal_id = db.scalar(proposal.order_by(Proposal.id).limit(1))
    if proposal_id is not None:
        obstacles.append(Obstacle(PROPOSAL_OPEN, f"proposal:{proposal_id}"))
    asked = select(ErasureRequest.trainee_id).where(
        ErasureRequest.trainee_id.in_(both), ErasureRequest.state == ErasureState.OPEN
    )
    asked_for = db.scalar(asked.order_by(ErasureRequest.id).limit(1))
    if asked_for is not None:
        obstacles.append(Obstacle(REQUEST_OPEN, f"erasure:{asked_for}"))
    return obstacles


def _lock(db: Session, kept_id: int, merged_id: int, scope: Scope) -> tuple[Trainee, Trainee, Collection[int]]:
    kept, merged = fetch_pair(db, kept_id, merged_id, scope)
    trainees.lock_people(db, [trainees.facts_of(kept), trainees.facts_of(merged)])
    locked_ids = _offerings_of(db, kept_id, merged_id)
    places.lock_offerings(db, locked_ids)
    _lock_records(db, kept_id, merged_id)
    if kept.merged_into_id is not None or merged.merged_into_id is not None:
        raise DomainError("already_merged", N_("This record has already been merged."))
    if kept.erased_at is not None or merged.erased_at is not None:
        raise DomainError("erased_already", N_("The data of this person has already been erased."))
    if merged.merged_records:
        raise DomainError(
            "merge_chain",
            N_(
                "One of the records is part of another merge. Merge into the record that was kept, or undo that merge"
                " first."
            ),
        )
    return kept, merged, locked_ids


def _offerings_of(db: Session, kept_id: int, merged_id: int) -> Sequence[int]:
    return db.scalars(
        select(Enrolment.offering_id).where(Enrolment.trainee_id.in_([kept_id, merged_id])).distinct()
    ).all()


def _lock_records(db: Session, kept_id: int, merged_id: int) -> None:
    statement = select(Trainee).where(Trainee.id.in_([kept_id, merged_id])).order_by(Trainee.id)
    db.scalars(statement.with_for_update(of=Trainee).execution_options(populate_existing=True)).all()


def _forget_pairs(db: Session, merged_id: int) -> None:
    """The pair is one record now, and the other pairs of the merged record are sought again for the kept one."""
    either = or_(TraineePair.first_id == merged_id, TraineePair.second_id == merged_id)
    db.execute(delete(TraineePair).where(either, TraineePair.apart_at.is_(None)))
