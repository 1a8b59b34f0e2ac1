"""The page of the second writing: pinyin with the link, another writing after a code to the phone of the record."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates import documents
from certificates.models import Certificate
from certificates.second_names.models import Way
from courses.models.enrolment import Enrolment
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make
from tests.lms.accounts.test_contact_checks import code_in


@pytest.fixture
def certificate(issue: Callable[..., Certificate]) -> Certificate:
    return issue("张三丰")


@pytest.fixture
def home(db: Session, certificate: Certificate) -> str:
    return f"/tickets/{db.get_one(Enrolment, certificate.enrolment_id).ticket}"


def test_the_pinyin_is_proposed_and_one_tap_records_it(
    client: FlaskClient, db: Session, home: str, certificate: Certificate
) -> None:
    proposed = client.get(f"{home}/second-name").text
    assert 'value="Zhang Sanfeng"' in proposed
    recorded = client.post(f"{home}/second-name", data={"writing": "Zhang Sanfeng"})
    assert recorded.location == f"{home}/certificate"
    db.expire_all()
    assert [(row.writing, row.way) for row in certificate.second_names] == [("Zhang Sanfeng", Way.READING)]
    assert "Zhang Sanfeng" in client.get(f"{home}/certificate").text
    assert client.post(f"{home}/second-name/withdraw").location == f"{home}/certificate"
    assert "Zhang Sanfeng" not in client.get(f"{home}/certificate").text


def test_another_writing_needs_the_code_in_this_browser(
    client: FlaskClient, db: Session, home: str, certificate: Certificate
) -> None:
    refused = client.post(f"{home}/second-name", data={"writing": "John Zhang"})
    assert refused.status_code == 422
    assert documents.second_name(certificate) is None
    started = client.post(f"{home}/second-name/code")
    assert started.location.startswith("/prove/")
    stranger = client.application.test_client()
    code = code_in(db)
    proven = client.post(started.location, data={"code": code})
    assert proven.location == f"{home}/second-name"
    assert stranger.post(f"{home}/second-name", data={"writing": "John Fool"}).status_code == 422
    assert client.post(f"{home}/second-name", data={"writing": "John Zhang"}).status_code == 302
    db.expire_all()
    assert [(row.writing, row.way) for row in certificate.second_names] == [("John Zhang", Way.PROOF)]
    assert stranger.post(f"{home}/second-name", data={"writing": "Zhang Sanfeng"}).status_code == 422
    assert stranger.post(f"{home}/second-name/withdraw").location == f"{home}/second-name"
    assert documents.second_name(certificate) == "John Zhang"


def test_staff_record_what_somebody_asks_for_at_the_desk(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], certificate: Certificate
) -> None:
    staff = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = f"/certificates/{certificate.id}"
    assert 'value="Zhang Sanfeng"' in staff.get(f"{page}/second-name").text
    assert staff.post(f"{page}/second-name", data={"writing": "<b>"}).status_code == 422
    assert staff.post(f"{page}/second-name", data={"writing": "John Zhang"}).location == page
    shown = staff.get(page).text
    assert "John Zhang" in shown
    db.expire_all()
    [row] = certificate.second_names
    assert (row.way, row.recorded_by is not None) == (Way.STAFF, True)
    assert staff.post(f"{page}/second-name/withdraw").location == page
    db.expire_all()
    assert documents.second_name(certificate) is None
