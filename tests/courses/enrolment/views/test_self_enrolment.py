"""Enrolling oneself: a form that is sent twice, and the messages that a visitor can cause to a stranger."""

import re
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment.views.self_enrolment import MESSAGES_PER_CONTACT
from courses.models.enrolment import Enrolment
from courses.models.privacy import Consent
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


def key_in(page: str) -> str:
    """The key of the form on a page."""
    match = re.search(r'name="form_key" value="([^"]+)"', page)
    assert match is not None
    return match[1]


def test_a_form_that_is_sent_twice_shows_the_ticket_of_the_first_time(
    client: FlaskClient, db: Session, make: Make
) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)], capacity=1)
    make.enrolment(offering, make.trainee())
    db.commit()
    address = f"/training/{offering.id}/enrol"
    child = {"name": "小红", "phone": "13912345678", "birth_year": str(clock.branch_today().year - 10)}
    child |= {"guardian_name": "王芳", "guardian_phone": "13912345678", "guardian_relation": "mother"} | CONSENT
    sent = child | {"form_key": key_in(client.get(address).text)}
    first = client.post(address, data=sent)
    assert first.location.startswith("/tickets/")
    assert client.post(address, data=sent).location == first.location
    # After Back the page is loaded anew, because it is kept nowhere, and the person types the same again.
    again = sent | {"form_key": key_in(client.get(address).text)}
    assert client.post(address, data=again).location == first.location
    assert db.scalar(select(func.count()).where(Enrolment.offering_id == offering.id)) == 2
    assert db.scalar(select(func.count()).select_from(Consent)) == 1
    assert db.scalar(select(func.count()).select_from(Message)) == 1
    # The offering begins in the meantime: the ticket is shown all the same.
    offering.sessions[0].starts_at -= timedelta(days=3, minutes=1)
    offering.sessions[0].ends_at -= timedelta(days=3, minutes=1)
    db.commit()
    assert client.post(address, data=sent).location == first.location


def test_a_key_with_other_contents_or_of_another_browser_shows_no_ticket(
    app: Flask, client: FlaskClient, db: Session, make: Make
) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)], capacity=9)
    db.commit()
    address = f"/training/{offering.id}/enrol"
    sent = {"name": "王小明", "phone": "13912345678", "form_key": key_in(client.get(address).text)} | CONSENT
    first = client.post(address, data=sent)
    sibling = client.post(address, data=sent | {"name": "王小红"})
    assert sibling.location.startswith("/tickets/")
    assert sibling.location != first.location
    stranger = app.test_client()
    stranger.get(address)
    for browser, fields in (
        (stranger, sent),
        (app.test_client(), sent),
        (client, sent | {"form_key": "A" * 22}),
        (client, sent | {"email": "stranger@example.org"}),
    ):
        answer = browser.post(address, data=fields)
        assert answer.status_code == 200
        assert first.location not in answer.text
    assert stranger.post(address, data={"form_key": sent["form_key"]}).status_code == 422
    other = make.offering(starts=[clock.now() + timedelta(days=3)])
    db.commit()
    elsewhere = client.post(f"/training/{other.id}/enrol", data=sent)
    assert elsewhere.location.startswith("/tickets/")
    assert elsewhere.location != first.location


def test_a_stranger_learns_the_rule_and_nothing_of_what_another_person_holds(
    app: Flask, db: Session, make: Make
) -> None:
    course = make.new_course(refresher=True)
    make.prerequisite(course, lapsed_months=12)
    offering = make.offering(course=course, starts=[clock.now() + timedelta(days=3)])
    people = [make.trainee("李明", phone=f"+861390000100{number}") for number in range(3)]
    number = make.legacy_certificate(people[0], None).number
    make.legacy_certificate(people[1], clock.branch_today() - timedelta(days=4000))
    db.commit()
    client = app.test_client()
    assert "救护员证书，有效或过期不超过 12 个月" in client.get(f"/training/{offering.id}").text
    assert "救护员证书，有效或过期不超过 12 个月" in client.get(f"/training/{offering.id}/enrol").text
    pages = []
    for person in people:
        facts = {"name": person.name, "phone": (person.phone or "").removeprefix("+86")} | CONSENT
        answer = app.test_client().post(f"/training/{offering.id}/enrol", data=facts)
        pages.append(app.test_client().get(answer.location).text)
    enrolled = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id)).all()
    assert {row.trainee_id for row in enrolled} == {person.id for person in people}
    for page in pages:
        assert "本课程面向持证人员" in page
        assert number not in page
        assert "没有查到" not in page
        assert "过期时间过长" not in page
    lines = [set(page.splitlines()) for page in pages]
    different = (lines[0] ^ lines[1]) | (lines[0] ^ lines[2])
    assert all("/tickets/" in line or "<svg" in line or "139" in line or "csrf" in line for line in different), (
        different
    )
