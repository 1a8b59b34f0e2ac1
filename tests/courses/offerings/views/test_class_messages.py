"""The page by which staff write to a class: preview, sending once, and the ticket that shows the message."""

from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.class_messages import ClassMessage
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make


def test_a_coordinator_previews_then_sends_once_and_the_ticket_shows_it(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], client: FlaskClient
) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)])
    enrolment = make.enrolment(offering, make.trainee("王五"), email="a@example.org")
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=offering.organisation_id))
    db.commit()
    address = f"/offerings/{offering.id}/message"
    assert address in coordinator.get(f"/offerings/{offering.id}/enrolments/").text
    key = coordinator.get(address).text.split('name="form_key" value="')[1].split('"')[0]
    sent = {"to": "enrolled", "text": "请穿<裤子>。\n带水", "form_key": key}
    preview = coordinator.post(address, data=sent)
    assert preview.status_code == 200
    assert "王五" in preview.text
    assert db.scalar(select(func.count()).select_from(ClassMessage)) == 0
    assert "请穿&lt;裤子&gt;。\n带水</textarea>" in coordinator.post(address, data=sent | {"confirmed": "change"}).text
    assert db.scalar(select(func.count()).select_from(ClassMessage)) == 0
    for _ in range(2):
        assert coordinator.post(address, data=sent | {"confirmed": "yes"}).location == address
    assert db.scalar(select(func.count()).select_from(ClassMessage)) == 1
    assert "请穿&lt;裤子&gt;。" in client.get(f"/tickets/{enrolment.ticket}").text
    assert coordinator.post(address, data={"to": "present:1", "text": "好"}).status_code == 422
    assert coordinator.post(address, data={"to": "enrolled", "text": " "}).status_code == 422


def test_an_assistant_and_another_host_may_not_write(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient]
) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=3)])
    db.commit()
    other = sign_in(make.user(Role.COORDINATOR, organisation_id=make.organisation().id))
    assert other.get(f"/offerings/{offering.id}/message").status_code == 404
