"""The ticket's page in the waiting list: an offer is answered by one tap, and people who come together wait together."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import places, waiting_list
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentGroup, EnrolmentSource
from courses.models.offerings import Offering
from lms.core import clock
from tests.factories import Make

DAY = timedelta(days=1)


@pytest.fixture
def offering(db: Session, make: Make) -> Offering:
    """An offering with two places, both taken."""
    row = make.offering(capacity=2, starts=[clock.now() + 30 * DAY])
    for _ in range(2):
        places.enrol(db, row.id, make.trainee(), source=EnrolmentSource.STAFF)
    db.commit()
    return row


def waiting(db: Session, make: Make, offering: Offering) -> Enrolment:
    given = TraineeFacts("学员", phone=make.phone())
    return places.enrol(db, offering.id, make.trainee(), source=EnrolmentSource.STAFF, given=given)


def free(db: Session, offering: Offering) -> None:
    seated = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id, Enrolment.state == "enrolled"))
    places.cancel(db, next(iter(seated)), "有事")
    db.commit()


def test_an_offer_is_answered_on_the_page(client: FlaskClient, db: Session, make: Make, offering: Offering) -> None:
    first, second = waiting(db, make, offering), waiting(db, make, offering)
    free(db, offering)
    page = f"/tickets/{first.ticket}"
    assert 'value="accept"' in client.get(page).text
    assert 'value="accept"' not in client.get(f"/tickets/{second.ticket}").text
    assert first.state == "waitlisted"
    for answer in ("", "perhaps"):
        assert client.post(f"{page}/offer", data={"answer": answer}).status_code == 302
    for _ in range(2):
        assert client.post(f"{page}/offer", data={"answer": "accept"}).location == page
    db.expire_all()
    assert first.state == "enrolled"
    assert 'value="accept"' not in client.get(page).text
    free(db, offering)
    assert client.post(f"/tickets/{second.ticket}/offer", data={"answer": "decline"}).status_code == 302
    db.expire_all()
    assert second.state == "cancelled"
    assert client.post("/tickets/unknown/offer", data={"answer": "accept"}).status_code == 404


def test_a_late_answer_is_told_that_the_offer_ended(
    client: FlaskClient, db: Session, make: Make, offering: Offering
) -> None:
    row = waiting(db, make, offering)
    free(db, offering)
    row.offered_until = clock.now() - timedelta(minutes=1)
    db.commit()
    page = f"/tickets/{row.ticket}"
    assert "The offer ended on" in client.get(f"{page}?lang=en").text
    answer = client.post(f"{page}/offer", data={"answer": "accept"}, follow_redirects=True)
    assert "no longer held for you" in answer.text
    db.expire_all()
    assert row.state == "waitlisted"
    waiting_list.leave(db, row, "逾期")
    row.offered_until = clock.now() - timedelta(minutes=1)
    db.commit()
    assert "Enrol again" in client.get(f"{page}?lang=en").text


def test_a_family_waits_together_and_consents_to_be_split(
    client: FlaskClient, db: Session, make: Make, offering: Offering
) -> None:
    mother = places.enrol_oneself(db, offering.id, TraineeFacts("王芳", phone=make.phone())).enrolment
    db.commit()
    page = f"/tickets/{mother.ticket}"
    form = client.get(f"{page}/together").text
    assert "王芳" in form
    version = form.split('name="privacy_version" value="')[1].split('"')[0]
    facts = {"name": "李明", "phone": mother.phone, "birth_year": "1990", "consent": "y", "privacy_version": version}
    sent = client.post(f"{page}/together", data=facts)
    assert sent.status_code == 302, sent.text
    group = db.scalars(select(EnrolmentGroup)).one()
    assert (group.contact_id, group.may_split) == (mother.id, False)
    child_page = sent.location
    assert 'name="may_split"' in form
    assert 'name="may_split"' not in client.get(f"{child_page}/together").text
    assert client.post(f"{child_page}/together", data=facts | {"name": "李红", "may_split": "y"}).status_code == 302
    db.expire_all()
    assert not group.may_split, "whoever enrolled the group decides"
    free(db, offering)
    assert client.post(f"{child_page}/group", data={"split": "part"}).status_code == 404
    assert 'value="part"' not in client.get(child_page).text
    assert 'value="part"' in client.get(page).text
    free(db, offering)
    db.expire_all()
    assert not mother.is_offered
    assert client.post(f"{page}/group", data={"split": "part"}).status_code == 302
    db.expire_all()
    assert (group.may_split, mother.is_offered) == (True, True)
