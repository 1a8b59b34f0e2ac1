"""Reach: another district's row looks exactly like one that does not exist, for every route and every role with a district."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from certificates.models import Certificate, KeyState, SigningKey
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.imports import KnownValue
from courses.models.merges import TraineeMerge
from courses.models.proposals import Proposal
from lms.accounts.models import User
from lms.core import clock
from lms.core.access import guard_of
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.messages.owing import Purpose, Recipient
from lms.core.scope import Role
from tests.architecture.routes import NOT_OF_A_DISTRICT, address, methods
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]

# Rows that are seen by whoever made them alone, not even by the city.
ONES_OWN = {"ref"}


@pytest.fixture
def elsewhere(db: Session, make: Make) -> dict[str, Any]:
    """By the argument that names it, a row of each kind in district 2, of which nobody of district 1 may know."""
    host = make.organisation(2)
    lead = make.instructor(district_id=2)
    offering = make.offering(organisation=host, lead=lead)
    trainee = make.trainee(district_id=2)
    enrolment = make.enrolment(offering, trainee)
    user = make.user(Role.COORDINATOR, organisation_id=host.id)
    certificate = certify(db, enrolment.id)
    recipient = Recipient("trainee:1", "李雷", (), district_id=2, organisation_id=host.id)
    owing.owe(db, Purpose("access", "Access"), recipient, subject="", text="")
    message_id = db.scalars(select(Message.id)).one()
    doubtful = AttendanceInput(uuid4(), offering.sessions[0].id, ticket="of-nobody")
    recording.record_all(db, [doubtful], user_id=None, now=clock.now())
    proposal = Proposal(trainee_id=trainee.id, reason="错字", proposed_by=user.id)
    proposal.set_values({"name": trainee.name}, {"name": "新名"})
    known = KnownValue(vocabulary="sector", context="", key="街道", text="街道", target="community", district_id=2)
    other = make.trainee(district_id=2)
    merge = TraineeMerge(kept_id=trainee.id, merged_id=make.trainee(district_id=2, merged_into_id=trainee.id).id)
    merge.set_former({})
    db.add_all([proposal, known, merge])
    db.commit()
    return {
        "certificate_id": certificate.id,
        "course_session_id": offering.sessions[0].id,
        "enrolment_id": enrolment.id,
        "event_id": doubtful.id,
        "grant_id": user.grants[0].id,
        "instructor_id": lead.id,
        "merge_id": merge.id,
        "message_id": message_id,
        "offering_id": offering.id,
        "organisation_id": host.id,
        "other_id": other.id,
        "proposal_id": proposal.id,
        "request_id": make.training_request(district_id=2).id,
        "qualification_id": lead.qualifications[0].id,
        "session_id": offering.sessions[0].id,
        "trainee_id": trainee.id,
        "user_id": user.id,
        "value_id": known.id,
    }


def certify(db: Session, enrolment_id: int) -> Certificate:
    key = SigningKey(
        number=1,
        public_key=bytes(32),
        not_before=date(2020, 1, 1),
        not_after=date(2099, 1, 1),
        state=KeyState.ACTIVE,
    )
    db.add(key)
    db.flush()
    row = Certificate(
        number="BJ-FR-2026-9999999-X", enrolment_id=enrolment_id, holder_name="学员", certificate_type=1, unit=2,
        issued_on=clock.branch_today(), valid_until=clock.branch_today() + timedelta(days=900), key_number=1,
        payload=bytes(82), facts={}, issued_at=clock.now(),
    )  # fmt: skip
    db.add(row)
    db.flush()
    return row


def addresses_with_rows(app: Flask, rules: list[Rule], role: Role) -> Iterator[Rule]:
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if guard and guard.roles and role in guard.roles and not guard.admit and rule.arguments - NOT_OF_A_DISTRICT:
            yield rule


@pytest.mark.parametrize("role", [Role.DISTRICT_ADMINISTRATOR, Role.COORDINATOR, Role.INSTRUCTOR, Role.TRAINEE])
def test_what_is_elsewhere_is_not_found(  # noqa: PLR0917  # fixtures, each by name
    app: Flask, rules: list[Rule], make: Make, sign_in: SignIn, elsewhere: dict[str, Any], role: Role
) -> None:
    """Another district's row looks exactly like one that does not exist, to read and to change."""
    user = make.user(role)
    if role is Role.INSTRUCTOR:
        make.instructor(user=user)
    browser = sign_in(user)
    answers = {}
    for rule in addresses_with_rows(app, rules, role):
        path = address(app, rule, elsewhere)
        for method in methods(rule):
            answers[method, path] = browser.open(path, method=method).status_code
    assert {key: status for key, status in answers.items() if status != 404} == {}
    if role is Role.DISTRICT_ADMINISTRATOR:
        assert len(answers) > 20


def test_the_city_finds_all_of_them(
    app: Flask, rules: list[Rule], make: Make, sign_in: SignIn, elsewhere: dict[str, Any]
) -> None:
    """The rows of the test above do exist: whoever sees the whole city reads each page of theirs."""
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answers = {}
    for rule in addresses_with_rows(app, rules, Role.CITY_ADMINISTRATOR):
        if "GET" in methods(rule) and not rule.rule.endswith(".pdf") and not rule.arguments & ONES_OWN:
            path = address(app, rule, elsewhere)
            answers[path] = browser.get(path).status_code
    assert answers
    assert {path: status for path, status in answers.items() if status == 404} == {}
