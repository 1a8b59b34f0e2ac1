"""Corrections that people ask for in their own record."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import own_corrections, proposals
from courses.enrolment.trainees import TraineeFacts
from courses.models.proposals import ProposalState
from lms.accounts import contact_checks
from lms.core import audit
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError
from lms.core.messages.models import Message
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make
from tests.lms.accounts.test_contact_checks import code_in


def test_without_an_account_staff_decide_and_the_person_is_told(app: Flask, db: Session, make: Make) -> None:
    trainee = make.trainee("张三")
    trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    proposal = own_corrections.ask(db, trainee, TraineeFacts("张三丰"), "少了一个字")
    assert (proposal.by_person, proposal.proposed_by, trainee.name) == (True, None, "张三")
    with pytest.raises(DomainError, match="already proposed"):
        own_corrections.ask(db, trainee, TraineeFacts("张三风"), "再来")
    city = make.user(Role.CITY_ADMINISTRATOR)
    assert proposals.count_to_decide(db, Scope(everything=True, user_id=city.id)) == 1
    audit.act_as(db, city.id)
    proposals.accept(db, proposal.id, Scope(everything=True, user_id=city.id))
    assert (trainee.name, proposal.state) == ("张三丰", ProposalState.ACCEPTED)
    assert db.scalars(select(Message.purpose)).all().count("record_answered") == 1


def test_the_person_does_not_decide_the_own_request(app: Flask, db: Session, make: Make) -> None:
    user = make.user(Role.TRAINEE)
    trainee = make.trainee("张三", user_id=user.id)
    audit.act_as(db, user.id)
    proposal = own_corrections.ask(db, trainee, TraineeFacts("李四"), "改名")
    assert proposals.list_own(db, user.id) == []
    with pytest.raises(DomainError):
        proposals.decide_own(db, proposal.id, user.id, accepted=True)
    assert not proposals.may_decide(proposal, Scope(everything=True, user_id=user.id))
    assert [row.id for row in own_corrections.listing(db, trainee.id)] == [proposal.id]
    assert proposals.get(db, proposal.id, EVERYTHING).proposer == user.name


def test_a_contact_is_changed_by_its_code_alone(app: Flask, db: Session, make: Make) -> None:
    trainee = make.trainee("张三", phone="+8613911110000")
    own_corrections.ask(db, trainee, TraineeFacts("张三丰", phone="+8613933330000"), "改名")
    assert trainee.phone == "+8613911110000"
    check = own_corrections.ask_for_code(
        db, trainee, ContactKind.PHONE, "+8613922220000", language="zh", address="192.0.2.1"
    )
    assert trainee.phone == "+8613911110000"
    contact_checks.confirm_code(db, contact_checks.ref_of(check), code_in(db))
    db.refresh(trainee)
    assert (trainee.phone, trainee.phone_proof) == ("+8613922220000", ContactProof.CODE)
