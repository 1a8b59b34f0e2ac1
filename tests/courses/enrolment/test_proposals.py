"""Proposals: the record changes only when the city, the person's own district or the person accepts, never the proposer."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import proposals, trainees
from courses.enrolment.id_numbers import check_character
from courses.enrolment.trainees import TraineeFacts
from courses.models.proposals import COLUMN, Decider, Proposal, ProposalState
from courses.models.trainees import IdType, Trainee
from lms.accounts import contact_checks
from lms.accounts.models import User
from lms.core import audit, crypto
from lms.core.access import scope_of
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import Denied, DomainError, NotFound
from lms.core.messages.models import Message
from lms.core.scope import Role, Scope
from tests.factories import Make

ID = "11010519491231002X"
NEW_EMAIL = TraineeFacts("张三", email="new@example.org")


@dataclass
class World:
    """A person of district 2 who is also enrolled at an organisation of district 1, and the users around."""

    person: Trainee
    coordinator: User
    own_district: User
    other_district: User
    city: User


@pytest.fixture
def world(db: Session, make: Make) -> World:
    host = make.organisation(1)
    person = make.trainee("张三", district_id=2, phone="+8613812345678", email="old@example.org", birth_year=1990)
    make.enrolment(make.offering(organisation=host), person)
    made = World(
        person,
        make.user(Role.COORDINATOR, organisation_id=host.id),
        make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2),
        make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1),
        make.user(Role.CITY_ADMINISTRATOR),
    )
    audit.act_as(db, made.coordinator.id)
    return made


def reach(user: User) -> Scope:
    return scope_of(user.id, user.grants)


def as_user(db: Session, user: User) -> Scope:
    """Act as a user from here on, and give the user's scope."""
    audit.act_as(db, user.id)
    return reach(user)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refusal:
        call()
    return refusal.value.code


def test_a_proposal_changes_nothing_and_holds_its_facts_sealed(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "本人在培训点口头告知")
    assert world.person.email == "old@example.org"
    assert proposal.fact_names == ["email"]
    assert proposal.values() == ({"email": "old@example.org"}, {"email": "new@example.org"})
    assert b"example.org" not in proposal.content
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "proposal.create")).one()
    assert entry.after == {"email": "n***@example.org", "trainee": world.person.id}
    assert COLUMN == "proposal.content"


@pytest.mark.parametrize("decider", ["city", "own_district"])
def test_the_city_or_the_own_district_accepts(decider: str, db: Session, world: World) -> None:
    world.person.set_proof(ContactKind.EMAIL, ContactProof.CODE)
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    user: User = getattr(world, decider)
    proposals.accept(db, proposal.id, as_user(db, user), answer="已核对")
    assert world.person.email == "new@example.org"
    assert not world.person.is_proven(ContactKind.EMAIL), "a new contact is claimed, whoever accepted it"
    assert (proposal.state, proposal.decider, proposal.decided_by) == (ProposalState.ACCEPTED, Decider.STAFF, user.id)
    assert code_of(lambda: proposals.refuse(db, proposal.id, reach(user), answer="晚了")) == "decided_already"


def test_neither_the_proposer_nor_another_district_decides(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    with pytest.raises(Denied):
        proposals.accept(db, proposal.id, reach(world.coordinator))
    with pytest.raises(NotFound):
        proposals.accept(db, proposal.id, as_user(db, world.other_district))
    auditor = Scope(everything=True, read_only=True, user_id=world.city.id)
    with pytest.raises(Denied):
        proposals.accept(db, proposal.id, auditor)
    own = proposals.propose(db, world.person, TraineeFacts("张叁"), "同音字")
    with pytest.raises(Denied):
        proposals.accept(db, own.id, reach(world.other_district))
    by_city = as_user(db, world.city)
    citys = proposals.propose(db, world.person, TraineeFacts("张三", birth_year=1991), "年份")
    with pytest.raises(Denied):
        proposals.accept(db, citys.id, by_city)
    assert world.person.email == "old@example.org"


def test_a_refusal_needs_an_answer_which_the_proposer_sees(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    city = as_user(db, world.city)
    assert code_of(lambda: proposals.refuse(db, proposal.id, city, answer=" ")) == "reason_missing"
    proposals.refuse(db, proposal.id, city, answer="本人否认")
    seen = proposals.get(db, proposal.id, reach(world.coordinator))
    assert (seen.proposal.state, seen.proposal.answer) == (ProposalState.REFUSED, "本人否认")
    assert (seen.may_decide, seen.may_withdraw) == (False, False)


def test_only_the_proposer_withdraws(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    with pytest.raises(NotFound):
        proposals.withdraw(db, proposal.id, reach(world.city))
    proposals.withdraw(db, proposal.id, reach(world.coordinator))
    assert (proposal.state, proposal.decider) == (ProposalState.WITHDRAWN, None)


def test_the_linked_account_decides_on_its_own_record(db: Session, world: World, make: Make) -> None:
    owner, stranger = make.user(Role.TRAINEE), make.user(Role.TRAINEE)
    world.person.user_id = owner.id
    first = proposals.propose(db, world.person, TraineeFacts("张叁", email="new@example.org"), "两处")
    assert [view.proposal.id for view in proposals.list_own(db, owner.id)] == [first.id]
    assert proposals.list_own(db, stranger.id) == []
    with pytest.raises(NotFound):
        proposals.decide_own(db, first.id, stranger.id, accepted=True)
    audit.act_as(db, owner.id)
    proposals.decide_own(db, first.id, owner.id, accepted=True)
    assert (world.person.name, world.person.name_key, world.person.email) == ("张叁", "张叁", "new@example.org")
    assert (first.decider, first.decided_by) == (Decider.PERSON, None)
    audit.act_as(db, world.coordinator.id)
    second = proposals.propose(db, world.person, TraineeFacts("张四"), "再改")
    proposals.decide_own(db, second.id, owner.id, accepted=False)
    assert (world.person.name, second.state) == ("张叁", ProposalState.REFUSED)


def test_a_code_to_a_proven_contact_accepts_contacts_and_no_name(db: Session, world: World) -> None:
    contact = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    assert not proposals.may_accept_by_code(contact), "the record has no proven contact"
    assert code_of(lambda: proposals.accept_by_code(db, contact.id, "+8613812345678")) == "not_provable"
    world.person.set_proof(ContactKind.PHONE, ContactProof.CODE)
    name = proposals.propose(db, world.person, TraineeFacts("张叁"), "同音字")
    assert not proposals.may_accept_by_code(name)
    assert code_of(lambda: proposals.accept_by_code(db, name.id, "+8613812345678")) == "not_provable"
    assert code_of(lambda: proposals.accept_by_code(db, contact.id, "new@example.org")) == "not_provable"
    proposals.accept_by_code(db, contact.id, "+8613812345678")
    assert (world.person.email, contact.decider, contact.decided_by) == ("new@example.org", Decider.PERSON, None)


def test_whoever_decides_sees_old_and_new_masked_and_the_proposer_only_the_new(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    (fact,) = proposals.get(db, proposal.id, reach(world.city)).facts
    assert (fact.old, fact.new) == ("o***@example.org", "n***@example.org")
    (own,) = proposals.get(db, proposal.id, reach(world.coordinator)).facts
    assert (own.old, own.new) == (None, "n***@example.org")


def test_a_record_that_changed_meanwhile_makes_the_proposal_stale(db: Session, world: World) -> None:
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    city = as_user(db, world.city)
    assert not proposals.get(db, proposal.id, city).stale
    trainees.change(db, world.person, TraineeFacts("张三", birth_year=1990, email="third@example.org"), city)
    assert proposals.get(db, proposal.id, city).stale
    assert not proposals.get(db, proposal.id, reach(world.coordinator)).stale, (
        "the proposer learns nothing of the record"
    )


def test_what_was_proposed_already_and_nothing_are_refused(db: Session, world: World) -> None:
    assert code_of(lambda: proposals.propose(db, world.person, NEW_EMAIL, " ")) == "reason_missing"
    assert code_of(lambda: proposals.propose(db, world.person, TraineeFacts("张三"), "无")) == "nothing_proposed"
    proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    again = TraineeFacts("张三", email="other@example.org")
    assert code_of(lambda: proposals.propose(db, world.person, again, "又一个")) == "proposed_already"


def test_the_list_counts_what_one_decides(db: Session, world: World, make: Make, statements: list[str]) -> None:
    for number in range(3):
        person = make.trainee(district_id=2)
        proposals.propose(db, person, TraineeFacts(f"新名{number}"), "错字")
    proposals.withdraw(db, db.scalars(select(Proposal.id)).first() or 0, reach(world.coordinator))
    users = (world.coordinator, world.own_district, world.other_district, world.city)
    assert [proposals.count_to_decide(db, reach(user)) for user in users] == [0, 2, 0, 2]
    assert [proposals.listing(db, reach(user)).total for user in users] == [3, 3, 0, 3]
    statements.clear()
    rows = proposals.listing(db, reach(world.city)).rows
    assert len(statements) == 3
    assert [row.proposal.state for row in rows] == [ProposalState.OPEN, ProposalState.OPEN, ProposalState.WITHDRAWN]
    assert rows[0].proposer == world.coordinator.name
    assert len(proposals.list_of_trainee(db, rows[0].proposal.trainee_id, reach(world.city))) == 1


def test_a_conflict_is_handed_to_the_city_and_tells_the_sender_nothing(db: Session, world: World) -> None:
    world.person.birth_year = 1949
    world.person.set_id_number(IdType.RESIDENT, ID)
    db.flush()
    unknown = "11010519900307001" + check_character("11010519900307001")
    for name, number in (("张叁", ID), ("张叁", ID), ("张叁", unknown), ("张三", ID)):
        facts = TraineeFacts(name, phone="+8613900000001", id_type=IdType.RESIDENT, id_number=number)
        proposals.propose_after_conflict(db, facts, "证件上是这个名字")
    (proposal,) = db.scalars(select(Proposal)).all()
    assert (proposal.conflict, proposal.fact_names, proposal.values()[1]) == (True, ["name"], {"name": "张叁"})
    (fact,) = proposals.get(db, proposal.id, reach(world.coordinator)).facts
    assert fact.old is None
    city = as_user(db, world.city)
    proposals.accept(db, proposal.id, city)
    assert world.person.name == "张叁"


def test_the_code_goes_to_the_proven_contact_of_the_record(db: Session, world: World, app: Flask) -> None:
    """The proposer, who typed the new address, gets no code: it goes to the phone that the person proved before."""
    proposal = proposals.propose(db, world.person, NEW_EMAIL, "更换邮箱")
    coordinator = reach(world.coordinator)
    with app.test_request_context():
        with pytest.raises(DomainError):
            proposals.send_code(db, proposal.id, coordinator, language="zh", address=None)
        world.person.set_proof(ContactKind.PHONE, ContactProof.CODE)
        check = proposals.send_code(db, proposal.id, coordinator, language="zh", address=None)
        assert (check.kind, check.contact) == (ContactKind.PHONE, "+8613812345678")
        owed = db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
        content = json.loads(crypto.cipher().decrypt("message.content", owed.ref, owed.content or b""))
        trial = contact_checks.confirm_code(db, contact_checks.ref_of(check), content["parameters"]["code"])
    assert trial.proven
    assert (world.person.email, proposal.decider) == ("new@example.org", Decider.PERSON)
