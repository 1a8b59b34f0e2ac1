"""Pages of proposed changes: proposing on the edit page, deciding, and the list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.proposals import Proposal, ProposalState
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def person(make: Make) -> Trainee:
    """A person of district 2."""
    return make.trainee(
        "张三", district_id=2, phone="+8613812345678", email="old@example.org", birth_year=1990, guardian_name="张父"
    )


@pytest.fixture
def coordinator(make: Make, sign_in: SignIn, person: Trainee) -> FlaskClient:
    """The browser of a coordinator in district 1 where the person is enrolled, too."""
    host = make.organisation(1)
    offering = make.offering(organisation=host, starts=[clock.now() + timedelta(days=2)])
    make.enrolment(offering, person, phone="+8613900000001")
    return sign_in(make.user(Role.COORDINATOR, organisation_id=host.id))


def test_a_coordinator_proposes_and_the_city_decides(
    coordinator: FlaskClient, person: Trainee, db: Session, make: Make, sign_in: SignIn
) -> None:
    edit = f"/trainees/{person.id}/edit"
    assert "old@" not in coordinator.get(edit).text
    assert coordinator.post(edit, data={"name": "张三", "email": "new@example.org"}).status_code == 422
    facts = {"name": "张三", "email": "new@example.org", "reason": "本人在课上告知"}
    sent = coordinator.post(edit, data=facts)
    assert sent.status_code == 302
    page = coordinator.get(f"{sent.location}?lang=en").text
    assert "n***@example.org" in page
    assert "o***@example.org" not in page
    assert "You cannot decide on your own proposal" in page
    assert coordinator.post(f"{sent.location}/accept").status_code == 422
    db.refresh(person)
    assert person.email == "old@example.org"

    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert "张三" in city.get("/trainees/proposals/").text
    page = city.get(sent.location).text
    assert "o***@example.org" in page
    assert "n***@example.org" in page
    assert city.post(f"{sent.location}/refuse", data={"answer": ""}).status_code == 422
    assert city.post(f"{sent.location}/accept", data={"answer": ""}).status_code == 302
    db.expire_all()
    assert person.email == "new@example.org"
    assert "Change made" in coordinator.get(f"{sent.location}?lang=en").text
    assert city.post(f"{sent.location}/refuse", data={"answer": "晚了"}).status_code == 422


def test_a_proposal_is_withdrawn(coordinator: FlaskClient, person: Trainee, db: Session) -> None:
    facts = {"name": "张叁", "reason": "同音字"}
    sent = coordinator.post(f"/trainees/{person.id}/edit", data=facts)
    assert coordinator.post(f"{sent.location}/withdraw").status_code == 302
    assert db.scalars(select(Proposal.state)).one() == ProposalState.WITHDRAWN


def test_the_page_of_a_person_who_is_also_elsewhere_shows_no_fact_of_the_record(
    coordinator: FlaskClient, person: Trainee
) -> None:
    page = coordinator.get(f"/trainees/{person.id}?lang=en").text
    assert "you can only propose a change" in page
    assert "139****0001" in page
    for fact in ("138****5678", "o***@", "1990", "张父"):
        assert fact not in page, fact
    read = coordinator.post(f"/trainees/{person.id}/phone", data={"reason": "call"})
    assert "+8613900000001" in read.text
    assert "13812345678" not in read.text
    assert coordinator.post(f"/trainees/{person.id}/id-number", data={"reason": "identity"}).status_code == 422
    assert coordinator.get(f"/trainees/{person.id}/proof").status_code == 403
    assert "138****5678" not in coordinator.get("/trainees/").text
    assert "1990" not in coordinator.get("/trainees/").text


def test_staff_verify_a_contact_at_the_desk(person: Trainee, db: Session, make: Make, sign_in: SignIn) -> None:
    user = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2)
    browser = sign_in(user)
    address = f"/trainees/{person.id}/proof"
    assert "138****5678" in browser.get(address).text
    assert browser.post(address, data={"phone": "y", "document": "resident"}).status_code == 422
    assert browser.post(address, data={"document": "resident", "seen": "y"}).status_code == 422
    assert browser.post(address, data={"phone": "y", "document": "resident", "seen": "y"}).status_code == 302
    db.expire_all()
    assert (person.phone_proof, person.phone_proven_by) == (ContactProof.STAFF, user.id)
    assert not person.is_proven(ContactKind.EMAIL)
    assert "Verified" in browser.get(f"/trainees/{person.id}?lang=en").text


def test_reads_of_the_day_are_shown_and_end(  # noqa: PLR0917  # fixtures
    app: Flask, person: Trainee, db: Session, make: Make, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.config["SETTINGS"]
    monkeypatch.setitem(app.config, "SETTINGS", settings.model_copy(update={"reads_per_day": 2}))
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    address = f"/trainees/{person.id}/phone"
    assert "You have read 0 of 2 today" in browser.get(f"/trainees/{person.id}?lang=en").text
    for _ in range(2):
        assert "+8613812345678" in browser.post(address, data={"reason": "asked"}).text
    refused = browser.post(address, data={"reason": "asked"})
    assert refused.status_code == 422
    assert "13812345678" not in refused.text
    assert "You have read 2 of 2 today" in browser.get(f"/trainees/{person.id}?lang=en").text


def test_trying_id_numbers_on_the_edit_page_is_counted(person: Trainee, make: Make, sign_in: SignIn) -> None:
    """The refusal is the same whether the number or the phone belongs to somebody else, and is stopped after many."""
    make.trainee("李四", phone="+8613900000003", district_id=1, name_key="李四")
    mine = make.trainee("李四", district_id=2, name_key="李四")
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    facts = {"name": "李四", "phone": "13900000003", "id_type": "resident"}
    answers = [browser.post(f"/trainees/{mine.id}/edit?lang=en", data=facts) for _ in range(2)]
    assert all("cannot be saved here" in answer.text for answer in answers)
    tries = [
        browser.post(f"/trainees/{mine.id}/edit", data=facts | {"id_number": "11010519491231002X"}).status_code
        for _ in range(20)
    ]
    assert tries[-1] == 422
