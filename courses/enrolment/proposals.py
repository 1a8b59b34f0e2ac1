"""Proposals: somebody who may not change a person's record asks for a change, and others decide.

The record never changes before the decision. The city decides, or an administrator of the district that registered the
person, and never whoever proposed. The person decides, too: signed in on the own page, or, for contacts, by a code that was
sent to a proven contact of the record.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, select, true
from sqlalchemy.orm import Session, joinedload

from courses.enrolment import record_notices, trainees
from courses.enrolment.record_notices import RecordContact
from courses.enrolment.trainees import TraineeFacts
from courses.models.proposals import Decider, Proposal, ProposalState
from courses.models.trainees import IdType, Trainee
from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck, User
from lms.core import audit, clock, reasons
from lms.core.errors import N_, Denied, DomainError, NotFound
from lms.core.masks import without_names
from lms.core.paging import Page, page_of
from lms.core.scope import Scope, fetch, visible

# A code to a proven contact shows that the person is there, not who the person is: name and ID number need a document.
PROVABLE_BY_CODE = frozenset({"phone", "email", "birth_year", "guardian_name", "guardian_phone"})
_ACCEPTED_ANSWER = N_("Your record was corrected.")
_REFUSED_ANSWER = N_("Your record was not corrected.")
Values = dict[str, str | int | None]


@dataclass(frozen=True)
class ProposedFact:
    """A fact of a proposal, masked as pages show it. `old` is None where the reader may not see the record."""

    name: str
    old: str | None
    new: str


@dataclass(frozen=True)
class ProposalView:
    """A proposal for a reader: its facts, who proposed it, and what the reader may do."""

    proposal: Proposal
    proposer: str
    facts: tuple[ProposedFact, ...]
    stale: bool
    may_decide: bool
    may_withdraw: bool
    by_code: bool


def propose(db: Session, trainee: Trainee, facts: TraineeFacts, reason: str | None) -> Proposal:
    """Propose corrected facts of a person. Facts without a new value stay, because whoever proposes does not see them.

    The person is told at a proven contact. Raises DomainError on the field at fault, `reason_missing`, `nothing_proposed`,
    and `proposed_already` for an open proposal of the same user on the same facts.
    """
    reason = reasons.required(reason)
    facts = trainees.complete(trainee, facts, names=trainees.FACT_NAMES)
    names = trainees.changed_names(trainee, facts)
    if not names:
        raise DomainError(
            "nothing_proposed", N_("Nothing would change. Enter what is wrong in the record."), status=422
        )
    proposal = add(db, trainee, facts, names, reason)
    record_notices.tell_proposed(db, trainee)
    return proposal


def propose_after_conflict(db: Session, facts: TraineeFacts, reason: str | None) -> None:
    """Hand an ID number that was entered with another name than its record's to the city.

    Whoever enters it learns nothing, so nothing is returned, also where the number belongs to no record or to one of the
    same name. Raises DomainError `reason_missing`.
    """
    reason = reasons.required(reason)
    facts = trainees.validate(facts)
    record = trainees.match(db, facts)
    if record is None or not trainees.is_conflict(record, facts) or _has_open(db, record, ["name"]):
        return
    proposal = add(db, record, replace(trainees.facts_of(record), name=facts.name), ["name"], reason)
    proposal.conflict = True
    db.flush()


def accept(db: Session, proposal_id: int, scope: Scope, *, answer: str | None = None) -> Proposal:
    """Change the record as proposed. Raises as `_lock_to_decide` and `trainees.overwrite` do."""
    proposal = _lock_to_decide(db, proposal_id, scope)
    _accept(db, proposal, Decider.STAFF, answer)
    return proposal


def refuse(db: Session, proposal_id: int, scope: Scope, *, answer: str | None) -> Proposal:
    """Leave the record as it is. Raises DomainError `reason_missing`, and as `_lock_to_decide` does."""
    proposal = _lock_to_decide(db, proposal_id, scope)
    _close(db, proposal, ProposalState.REFUSED, Decider.STAFF, reasons.required(answer))
    return proposal


def withdraw(db: Session, proposal_id: int, scope: Scope) -> Proposal:
    """Take back an own proposal. Raises NotFound, and DomainError `decided_already`."""
    proposal = _lock(db, proposal_id)
    if proposal.proposed_by != scope.user_id:
        raise NotFound
    _demand_open(proposal)
    _close(db, proposal, ProposalState.WITHDRAWN, None, None)
    return proposal


def decide_own(db: Session, proposal_id: int, user_id: int, *, accepted: bool) -> None:
    """Accept or refuse a proposal about the own record, signed in with the account that is linked to it.

    Raises NotFound, and DomainError `decided_already`.
    """
    proposal = _lock(db, proposal_id)
    if proposal.trainee.user_id != user_id or proposal.by_person:
        raise NotFound
    _demand_open(proposal)
    if accepted:
        _accept(db, proposal, Decider.PERSON, None)
    else:
        _close(db, proposal, ProposalState.REFUSED, Decider.PERSON, None)


def may_accept_by_code(proposal: Proposal) -> bool:
    """Tell whether a code that was sent to a proven contact of the record can accept a proposal."""
    return (
        proposal.state is ProposalState.OPEN
        and set(proposal.fact_names) <= PROVABLE_BY_CODE
        and _proven_contact(proposal.trainee) is not None
    )


def send_code(db: Session, proposal_id: int, scope: Scope, *, language: str, address: str | None) -> ContactCheck:
    """Send the person a code that accepts a proposal, to a proven contact of the record: the phone, else the e-mail address.

    address: the IP address that asks. Raises NotFound, DomainError `not_provable`, and as `contact_checks.start` does.
    """
    proposal = fetch(db, Proposal, proposal_id, scope)
    contact = _proven_contact(proposal.trainee)
    if contact is None or not may_accept_by_code(proposal) or proposal.conflict:
        raise _not_provable()
    return contact_checks.start(
        db, BY_CODE, f"proposal:{proposal.id}", contact.kind, contact.value, language=language, address=address
    )


def accept_by_code(db: Session, proposal_id: int, contact: str) -> Proposal:
    """Accept a proposal after a code came back that was sent to a contact, which is still a proven one of the record.

    Raises DomainError `decided_already`, and `not_provable` for a proposal that this code cannot accept.
    """
    proposal = _lock(db, proposal_id)
    _demand_open(proposal)
    proven = [known.value for known in record_notices.contacts_of(proposal.trainee) if known.proven]
    if contact not in proven or not may_accept_by_code(proposal):
        raise _not_provable()
    _accept(db, proposal, Decider.PERSON, None)
    return proposal


def _proven_contact(trainee: Trainee) -> RecordContact | None:
    """The proven phone of a record, else its proven e-mail address, or None."""
    proven = [contact for contact in record_notices.contacts_of(trainee) if contact.proven]
    return proven[-1] if proven else None


def _not_provable() -> DomainError:
    return DomainError("not_provable", N_("This change cannot be confirmed by a code. The branch decides."))


def _accept_proven(db: Session, check: ContactCheck) -> None:
    accept_by_code(db, int(check.subject.removeprefix("proposal:")), check.contact)


BY_CODE = contact_checks.register(
    CheckPurpose(
        "proposal",
        N_("With this you agree to the change of your contact details that a host organisation proposed."),
        _accept_proven,
        remote=True,
    )
)


def may_decide(proposal: Proposal, scope: Scope) -> bool:
    """Tell whether a scope decides a proposal: the city and the person's own district do, the proposer never."""
    if scope.read_only or proposal.proposed_by == scope.user_id:
        return False
    return scope.everything or proposal.trainee.district_id in scope.district_ids


def listing(db: Session, scope: Scope, page: int = 1, *, to_decide: bool = False) -> Page[ProposalView]:
    """The proposals that a scope covers: the open ones first, then those that were decided last.

    to_decide: only those that `counting_to_decide` counts.
    """
    statement = visible(select(Proposal), Proposal, scope)
    if to_decide:
        statement = statement.join(Proposal.trainee).where(_waits_for(scope))
    statement = statement.options(joinedload(Proposal.trainee)).order_by(
        case((Proposal.state == ProposalState.OPEN, 0), else_=1), Proposal.id.desc()
    )
    found = page_of(db, statement, page)
    names = _names_of(db, {proposal.proposed_by for proposal in found.rows if proposal.proposed_by})
    rows = [_view(proposal, names, scope) for proposal in found.rows]
    return Page(rows=rows, page=found.page, pages=found.pages, total=found.total)


def get(db: Session, proposal_id: int, scope: Scope) -> ProposalView:
    """A proposal that a scope covers. Raises NotFound."""
    proposal = fetch(db, Proposal, proposal_id, scope)
    return _view(proposal, _names_of(db, {proposal.proposed_by or 0}), scope)


def sees_person(db: Session, proposal: Proposal, scope: Scope) -> bool:
    """Tell whether a scope covers the person of a proposal, and the proposal came from no conflict that it must not see."""
    if proposal.conflict and not may_decide(proposal, scope):
        return False
    statement = visible(select(Trainee.id), Trainee, scope).where(Trainee.id == proposal.trainee_id)
    return db.scalar(statement) is not None


def count_to_decide(db: Session, scope: Scope) -> int:
    """The number of open proposals that a scope decides."""
    return db.scalar(counting_to_decide(scope)) or 0


def counting_to_decide(scope: Scope) -> Select[Any]:
    """The SELECT of `count_to_decide`."""
    return select(func.count(Proposal.id)).join(Proposal.trainee).where(_waits_for(scope))


def _waits_for(scope: Scope) -> ColumnElement[bool]:
    """The condition over Proposal and Trainee of which `may_decide` is the twin for one open proposal."""
    if scope.read_only:
        return false()
    reach = true() if scope.everything else Trainee.district_id.in_(scope.district_ids)
    return and_(Proposal.state == ProposalState.OPEN, Proposal.proposed_by.is_distinct_from(scope.user_id), reach)


def list_own(db: Session, user_id: int) -> list[ProposalView]:
    """The open proposals about the record of a signed-in person, which the person may decide."""
    rows = db.scalars(
        select(Proposal)
        .join(Proposal.trainee)
        .options(joinedload(Proposal.trainee))
        .where(Trainee.user_id == user_id, Proposal.state == ProposalState.OPEN, ~Proposal.by_person)
        .order_by(Proposal.id)
    ).all()
    names = _names_of(db, {proposal.proposed_by for proposal in rows if proposal.proposed_by})
    own = Scope(everything=True, user_id=user_id)
    return [_view(proposal, names, own) for proposal in rows]


def list_of_trainee(db: Session, trainee_id: int, scope: Scope) -> list[Proposal]:
    """The open proposals about a person that a scope covers."""
    statement = visible(select(Proposal), Proposal, scope).where(
        Proposal.trainee_id == trainee_id, Proposal.state == ProposalState.OPEN
    )
    return list(db.scalars(statement.order_by(Proposal.id)))


def add(  # the parts of a proposal
    db: Session, trainee: Trainee, facts: TraineeFacts, names: list[str], reason: str, *, by_person: bool = False
) -> Proposal:
    """Store a proposal. by_person: the person asks. Raises Denied, and DomainError `proposed_already`."""
    user_id = audit.actor(db)
    if user_id is None and not by_person:
        raise Denied
    if _has_open(db, trainee, names):
        raise DomainError("proposed_already", N_("You have already proposed a change of this. It is not decided yet."))
    proposal = Proposal(trainee_id=trainee.id, reason=reason, proposed_by=user_id, by_person=by_person)
    recorded = trainees.facts_of(trainee)
    proposal.set_values(_values(recorded, names), _values(facts, names))
    proposal.trainee = trainee
    db.add(proposal)
    db.flush()
    after = trainees.mask_for_audit(facts, names)
    masked = without_names(reason, trainee.name, facts.name, facts.guardian_name)
    audit.record(db, "proposal.create", proposal, after=after | {"trainee": trainee.id}, reason=masked)
    return proposal


def _has_open(db: Session, trainee: Trainee, names: list[str]) -> bool:
    open_ones = db.scalars(
        select(Proposal).where(
            Proposal.trainee_id == trainee.id,
            Proposal.proposed_by == audit.actor(db),
            Proposal.state == ProposalState.OPEN,
        )
    )
    return any(set(proposal.fact_names) & set(names) for proposal in open_ones)


def _values(facts: TraineeFacts, names: list[str]) -> Values:
    values: Values = {name: getattr(facts, name) for name in names}
    if "id_number" in values:
        values["id_type"] = facts.id_type
    return values


def _lock(db: Session, proposal_id: int) -> Proposal:
    """Lock a proposal. Raises NotFound."""
    proposal = db.scalars(
        select(Proposal)
        .where(Proposal.id == proposal_id)
        .with_for_update(of=Proposal)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if proposal is None:
        raise NotFound
    return proposal


def _demand_open(proposal: Proposal) -> None:
    if proposal.state is not ProposalState.OPEN:
        raise DomainError("decided_already", N_("This change has already been decided or withdrawn."))


def _lock_to_decide(db: Session, proposal_id: int, scope: Scope) -> Proposal:
    """Lock an open proposal that the scope decides. Raises NotFound, Denied, and DomainError `decided_already`."""
    fetch(db, Proposal, proposal_id, scope)
    proposal = _lock(db, proposal_id)
    if not may_decide(proposal, scope):
        raise Denied
    _demand_open(proposal)
    return proposal


def _accept(db: Session, proposal: Proposal, decider: Decider, answer: str | None) -> None:
    db.refresh(proposal.trainee, with_for_update=True)
    _old, new = proposal.values()
    changes: dict[str, Any] = dict(new)
    if changes.get("id_type"):
        changes["id_type"] = IdType(changes["id_type"])
    facts = trainees.validate(replace(trainees.facts_of(proposal.trainee), **changes))
    trainees.overwrite(db, proposal.trainee, facts, reason=proposal.reason)
    _close(db, proposal, ProposalState.ACCEPTED, decider, answer)


def _close(db: Session, proposal: Proposal, state: ProposalState, decider: Decider | None, answer: str | None) -> None:
    proposal.state, proposal.decider, proposal.answer = state, decider, answer
    # A code that the person reads out is typed in the proposer's browser, but it is the person who decides.
    proposal.decided_by = None if decider is Decider.PERSON else audit.actor(db)
    proposal.decided_at = clock.now()
    db.flush()
    audit.record(db, f"proposal.{_ACTIONS[state]}", proposal, after={"trainee": proposal.trainee_id}, reason=answer)
    if proposal.by_person and decider is Decider.STAFF:
        text = _ACCEPTED_ANSWER if state is ProposalState.ACCEPTED else _REFUSED_ANSWER
        record_notices.tell_answer(db, proposal.trainee, record_notices.in_both(text, " / "), answer)


_ACTIONS = {
    ProposalState.ACCEPTED: "accept",
    ProposalState.REFUSED: "refuse",
    ProposalState.WITHDRAWN: "withdraw",
}


def _view(proposal: Proposal, names: dict[int, str], scope: Scope) -> ProposalView:
    old, new = proposal.values()
    decides = may_decide(proposal, scope)
    sees_record = decides or (scope.everything and proposal.proposed_by != scope.user_id)
    current = _values(trainees.facts_of(proposal.trainee), list(proposal.fact_names))
    is_open = proposal.state is ProposalState.OPEN
    return ProposalView(
        proposal=proposal,
        proposer=names.get(proposal.proposed_by or 0, ""),
        facts=tuple(
            ProposedFact(
                name, trainees.mask_fact(name, old[name]) if sees_record else None, trainees.mask_fact(name, new[name])
            )
            for name in proposal.fact_names
        ),
        stale=is_open and sees_record and current != old,
        may_decide=is_open and decides,
        may_withdraw=is_open and proposal.proposed_by == scope.user_id,
        by_code=not scope.read_only and not proposal.conflict and may_accept_by_code(proposal),
    )


def _names_of(db: Session, user_ids: set[int]) -> dict[int, str]:
    return {row.id: row.name for row in db.execute(select(User.id, User.name).where(User.id.in_(user_ids)))}
