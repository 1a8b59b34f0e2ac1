"""Found again: by a code to the contact, by name and ID number, and what neither of the two tells."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from certificates import identity_look_up
from courses.models.enrolment import Enrolment
from courses.models.trainees import IdType
from lms.accounts.models import ContactCheck
from lms.core import clock
from tests.architecture.test_reach import certify
from tests.certificates.conftest import closed_offering, owe
from tests.certificates.legacy_files import ID_NUMBER
from tests.factories import Make
from tests.lms.accounts.test_contact_checks import code_in, wrong

PHONE = "+8613800990002"
ADDRESS = "/my-certificate/"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_look_up, "ROUNDS", 1)


@pytest.fixture
def row(db: Session, make: Make) -> Enrolment:
    made = owe(make, closed_offering(make), "李雷")
    made.trainee.phone = PHONE
    db.commit()
    return made


def ask(client: FlaskClient, contact: str) -> str:
    """Ask for a code. Returns the address of the page where it is typed."""
    answer = client.post(ADDRESS, data={"contact": contact})
    assert answer.status_code == 302, answer.text
    return str(answer.location)


def prove(client: FlaskClient, db: Session, contact: str) -> str:
    """Ask for a code and type it. Returns the page that follows."""
    page = ask(client, contact)
    return client.post(page, data={"code": code_in(db)}, follow_redirects=True).text


def test_the_code_opens_certificate_and_tickets(client: FlaskClient, db: Session, make: Make, row: Enrolment) -> None:
    coming = make.enrolment(make.offering(starts=[clock.now() + timedelta(days=3)]), row.trainee)
    db.commit()
    page = prove(client, db, "138 0099 0002")
    assert "李雷" in page
    assert f"/tickets/{row.ticket}" in page
    assert f"/tickets/{coming.ticket}" in page
    assert "正在制作" in page
    assert PHONE[3:] not in page
    answer = client.get(ADDRESS)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert client.post(f"{ADDRESS}leave").status_code == 302
    assert row.ticket not in client.get(ADDRESS).text


def test_before_the_code_came_back_all_contacts_look_the_same(client: FlaskClient, db: Session, row: Enrolment) -> None:
    def seen(contact: str) -> str:
        page = client.get(ask(client, contact)).text
        return re.sub(r"/prove/\w+|1\d\d\*{4}\d{4}", "", re.sub(r'value="[^"]+"', "", page))

    assert seen(PHONE) == seen("+8613800990003")
    assert row.ticket not in client.get(ADDRESS).text
    assert client.post(ask(client, "+8613800990004"), data={"code": wrong(code_in(db))}).status_code == 200
    assert row.ticket not in client.get(ADDRESS).text


def test_the_proof_counts_in_its_own_browser_alone(
    client: FlaskClient, db: Session, row: Enrolment, app: Flask
) -> None:
    """Whoever started the check for the owner's phone gains nothing when the owner types the code elsewhere."""
    attacker = app.test_client()
    page = ask(attacker, PHONE)
    assert row.ticket in client.post(page, data={"code": code_in(db)}, follow_redirects=True).text
    assert row.ticket not in attacker.get(ADDRESS).text


def test_what_is_no_contact_is_refused(client: FlaskClient, db: Session) -> None:
    for text in ("", "123", "a@", "李雷", "x" * 300):
        assert client.post(ADDRESS, data={"contact": text}).status_code == 422
    assert db.scalars(select(ContactCheck)).all() == []


def test_a_shared_phone_asks_for_the_name_and_wrong_names_are_counted(
    client: FlaskClient, db: Session, make: Make, row: Enrolment
) -> None:
    other = owe(make, row.offering, "韩梅梅")
    other.trainee.phone = PHONE
    db.commit()
    page = prove(client, db, PHONE)
    assert "查找谁的证书" in page
    assert row.ticket not in page
    assert "韩梅梅" not in page
    assert client.post(f"{ADDRESS}name", data={"name": "韩梅"}).status_code == 422
    page = client.post(f"{ADDRESS}name", data={"name": "韩梅梅"}, follow_redirects=True).text
    assert other.ticket in page
    assert row.ticket not in page
    for _ in range(19):
        assert client.post(f"{ADDRESS}name", data={"name": "无此人"}).status_code == 422
    assert client.post(f"{ADDRESS}name", data={"name": "李雷"}).status_code == 429
    assert other.ticket in client.get(ADDRESS).text


def test_a_name_without_a_proof_opens_nothing(client: FlaskClient, row: Enrolment) -> None:
    answer = client.post(f"{ADDRESS}name", data={"name": "李雷"}, follow_redirects=True)
    assert row.ticket not in answer.text
    assert answer.request.path == ADDRESS


def test_a_forged_memory_of_names_opens_nothing_of_others(
    client: FlaskClient, db: Session, make: Make, row: Enrolment
) -> None:
    """The cookie is signed; even so each remembered record is compared with the proven contact."""
    stranger = owe(make, row.offering, "王五")
    db.commit()
    prove(client, db, PHONE)
    with client.session_transaction() as cookie:
        ref = cookie["proven"][-1]
        cookie["opened_by_name"] = {"check": ref, "trainees": [stranger.trainee_id], "enrolments": [stranger.id]}
    page = client.get(ADDRESS).text
    assert stranger.ticket not in page
    assert row.ticket in page


def look_up(client: FlaskClient, name: str = "李雷", number: str = ID_NUMBER) -> TestResponse:
    return client.post(f"{ADDRESS}without-phone", data={"name": name, "id_number": number})


@pytest.fixture
def known(db: Session, row: Enrolment) -> None:
    row.trainee.set_id_number(IdType.RESIDENT, ID_NUMBER)
    certificate = certify(db, row.id)
    certificate.holder_name = "李雷"
    certificate.facts = {"course_zh": "初级急救员", "course_en": "First responder"}
    db.commit()


@pytest.mark.usefixtures("known")
def test_name_and_id_number_give_the_public_facts_and_the_way_to_the_desk(client: FlaskClient) -> None:
    answer = look_up(client)
    assert answer.status_code == 200
    assert "李*" in answer.text
    assert "李雷" not in answer.text
    assert ID_NUMBER not in answer.text
    assert "/tickets/" not in answer.text
    assert "到所在区窗口办理" in answer.text


@pytest.mark.usefixtures("known")
def test_every_miss_has_one_answer_and_is_counted(client: FlaskClient) -> None:
    def seen(name: str, number: str) -> tuple[int, str]:
        answer = look_up(client, name, number)
        return answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)

    assert seen("李雷", "110101199003070011") == seen("李磊", ID_NUMBER)
    assert seen("李雷", "110101199003070011")[0] == 404
    assert look_up(client, number="110101199003070012").status_code == 422


@pytest.mark.usefixtures("known")
def test_guessing_the_number_of_a_name_ends_for_everybody_and_wherever_from(client: FlaskClient) -> None:
    answers = [
        client.post(
            f"{ADDRESS}without-phone",
            data={"name": "李雷", "id_number": f"E{guess:08d}"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{guess}"},
        ).status_code
        for guess in range(31)
    ]
    assert answers == [404] * 30 + [429]
    assert look_up(client).status_code == 429, "the right number is refused too, or the refusal would tell it"
    assert look_up(client, name="李磊").status_code == 404
