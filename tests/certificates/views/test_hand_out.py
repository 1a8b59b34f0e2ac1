"""Pages that lead the people in the room to their certificates: who may open them, and what they say."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentState
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import Role
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make
from tests.messages import messages

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def row(db: Session, make: Make) -> Enrolment:
    """The second of three people to whom a certificate is owed, in district 1."""
    offering = closed_offering(make)
    rows = [owe(make, offering, name) for name in ("曹操", "陈静", "赵云")]
    db.commit()
    return rows[1]


@pytest.fixture
def lead(db: Session, make: Make, sign_in: SignIn, row: Enrolment) -> FlaskClient:
    """A phone of the class's lead instructor."""
    user = make.user(Role.INSTRUCTOR)
    assert row.offering.lead_instructor is not None
    row.offering.lead_instructor.user_id = user.id
    db.commit()
    return sign_in(user)


def address(row: Enrolment) -> str:
    return f"/certificates/offering/{row.offering_id}/codes/{row.id}"


def test_the_lead_shows_one_code_after_the_other(lead: FlaskClient, db: Session, row: Enrolment) -> None:
    answer = lead.get(address(row) + "?lang=en")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    page = answer.text
    assert "<svg" in page
    assert row.ticket not in page, "the ticket is in the code alone, and not in a text that a photo shows"
    assert "2 of 3" in page
    assert page.index("曹操") < page.index("赵云")
    assert "Being issued" in page
    assert len(db.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.show_code")).all()) == 1
    listed = lead.get(f"/certificates/offering/{row.offering_id}/codes").text
    assert listed.index("曹操") < listed.index("陈静") < listed.index("赵云")
    sheet = lead.get(f"/certificates/offering/{row.offering_id}/hand-out.pdf")
    assert (sheet.mimetype, sheet.headers["Cache-Control"]) == ("application/pdf", "no-store")


def test_ways_lead_there_from_roster_closing_and_certificates(lead: FlaskClient, db: Session, row: Enrolment) -> None:
    meeting = row.offering.sessions[0]
    meeting.closed_at = row.offering.closed_at
    db.commit()
    people = f"/certificates/offering/{row.offering_id}/codes"
    for path in (
        f"/sessions/{meeting.id}/attendance",
        f"/sessions/{meeting.id}/close",
        f"/certificates/offering/{row.offering_id}",
    ):
        assert people in lead.get(path).text, path


def test_others_find_nothing(make: Make, sign_in: SignIn, row: Enrolment) -> None:
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    for user, status in (
        (stranger, 404),
        (make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2), 404),
        (make.user(Role.COORDINATOR), 404),
        (make.user(Role.AUDITOR), 403),
        (make.user(Role.TRAINEE), 403),
        (make.user(Role.COORDINATOR, organisation_id=row.offering.organisation_id), 200),
        (make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1), 200),
    ):
        browser = sign_in(user)
        for path in (
            address(row),
            address(row).rpartition("/")[0],
            f"/certificates/offering/{row.offering_id}/hand-out.pdf",
        ):
            assert browser.get(path).status_code == status, (path, user.grants)
        assert browser.post(f"{address(row)}/send").status_code == (302 if status == 200 else status)


def test_an_enrolment_of_another_class_is_not_found(lead: FlaskClient, make: Make, db: Session, row: Enrolment) -> None:
    other = owe(make, closed_offering(make))
    db.commit()
    assert lead.get(f"/certificates/offering/{row.offering_id}/codes/{other.id}").status_code == 404
    cancelled = make.enrolment(row.offering, state=EnrolmentState.CANCELLED)
    db.commit()
    assert lead.get(address(cancelled)).status_code == 404
    assert lead.post(f"{address(cancelled)}/send").status_code == 404


def send(browser: FlaskClient, row: Enrolment) -> str:
    return browser.post(f"{address(row)}/send", follow_redirects=True).text


def test_the_link_is_sent_again_and_the_page_says_to_whom(lead: FlaskClient, db: Session, row: Enrolment) -> None:
    row.phone = "+8613812345678"
    db.commit()
    assert "138****5678" in send(lead, row)
    (message,) = messages(db)
    assert (message.purpose, message.person) == ("ticket_again", f"trainee:{row.trainee_id}")
    assert "三次" in send(lead, row)
    assert len(messages(db)) == 1


def test_who_cannot_be_reached_is_told_and_nobody_is_asked_to_call(
    lead: FlaskClient, db: Session, row: Enrolment
) -> None:
    """The phone of the record is only claimed, and may be a stranger's."""
    assert "请直接出示二维码" in send(lead, row)
    row.trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    db.commit()
    text = send(lead, row)
    assert "已验证的手机" in text
    assert str(row.trainee.phone)[-4:] not in text, "whoever holds a class does not learn a stranger's number"
    assert len(messages(db)) == 1
