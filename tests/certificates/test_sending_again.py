"""Sending several holders the link again: one message for each person, within the limits, and nothing to others."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import printing
from certificates.printing import PrintSelection
from lms.accounts.models import User
from lms.core.messages.models import Message
from lms.core.scope import Role, Scope
from tests.architecture.test_reach import certify
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def test_the_chosen_are_sent_the_link_once_and_printed_together(db: Session, make: Make, sign_in: SignIn) -> None:
    offering = make.offering()
    enrolment = make.enrolment(offering, make.trainee("李雷"))
    enrolment.email = "lilei@example.org"
    certificate = certify(db, enrolment.id)
    db.commit()
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    assert 'form="several" name="certificate"' in browser.get("/certificates/").text
    address = f"/certificates/send-again?certificate={certificate.id}"
    page = browser.get(f"{address}&lang=en").text
    assert "学员" in page
    assert "l***@example.org" in page
    before = db.scalar(select(func.count(Message.id)))
    for _ in range(2):
        assert browser.post("/certificates/send-again", data={"certificate": certificate.id}).status_code == 302
    assert db.scalar(select(func.count(Message.id))) == (before or 0) + 1
    assert "To these nothing is sent" in browser.get(f"{address}&lang=en").text
    assert browser.get("/certificates/send-again").location == "/certificates/"
    chosen = PrintSelection(certificate_ids=(certificate.id,))
    assert printing.count(db, Scope(district_ids=frozenset({1})), chosen).printable == 1
    others = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    assert others.get(address).status_code == 422
    assert (
        "There is no certificate to print here."
        in others.get(f"/certificates/printing/?certificate={certificate.id}&lang=en").text
    )
