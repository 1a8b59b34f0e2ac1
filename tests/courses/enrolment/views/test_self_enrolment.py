"""Enrolling oneself: what a visitor can make the system send to a stranger."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment.views.self_enrolment import MESSAGES_PER_CONTACT
from courses.models.enrolment import Enrolment
from lms.core import clock
from lms.core.messages.models import Message
from tests.factories import Make

CONSENT = {"consent": "y", "privacy_version": "1"}


def test_a_stranger_gets_few_messages_however_many_are_enrolled_with_the_contact(
    client: FlaskClient, db: Session, make: Make
) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)], capacity=100)
    db.commit()
    for number in range(MESSAGES_PER_CONTACT.amount + 3):
        facts = {
            "name": f"某人{number}号",
            "phone": "13912345678",
            "email": "Stranger@example.org",
            "consent": "y",
            "privacy_version": "1",
        }
        answer = client.post(f"/training/{offering.id}/enrol", data=facts)
        assert answer.location.startswith("/tickets/")
    assert db.scalar(select(func.count()).select_from(Enrolment)) == MESSAGES_PER_CONTACT.amount + 3
    assert db.scalar(select(func.count()).select_from(Message)) == MESSAGES_PER_CONTACT.amount
    facts |= {"name": "别人", "phone": "13912345679", "email": "other@example.org"}
    client.post(f"/training/{offering.id}/enrol", data=facts)
    assert db.scalar(select(func.count()).select_from(Message)) == MESSAGES_PER_CONTACT.amount + 1
