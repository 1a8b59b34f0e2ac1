"""The page that moves a person to another class, and the former ticket, which leads to the new one."""

from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make


def test_two_taps_move_a_person_and_the_old_ticket_leads_to_the_new(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], client: FlaskClient
) -> None:
    course, host = make.new_course(), make.organisation()
    starts = [clock.now() + timedelta(days=3)]
    former = make.offering(course=course, organisation=host, starts=starts)
    target = make.offering(course=course, organisation=host, starts=[starts[0] + timedelta(days=7)])
    hidden = make.offering(course=course, organisation=make.organisation(2), starts=starts)
    enrolment = make.enrolment(former, make.trainee("王五"))
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=host.id))
    db.commit()
    address = f"/offerings/{former.id}/enrolments/{enrolment.id}/move"
    assert address in coordinator.get(f"/offerings/{former.id}/enrolments/").text
    page = coordinator.get(address).text
    assert f'value="{target.id}"' in page
    assert f'value="{hidden.id}"' not in page
    assert coordinator.post(address, data={"offering_id": hidden.id}).status_code == 404
    assert coordinator.post(address, data={"offering_id": former.id}).status_code == 422
    assert coordinator.post(address, data={"offering_id": "x"}).status_code == 422
    answer = coordinator.post(address, data={"offering_id": target.id})
    assert answer.location == f"/offerings/{target.id}/enrolments/"
    assert coordinator.post(address, data={"offering_id": target.id}).status_code == 422, "a second tap moves nobody"
    moved = db.scalars(select(Enrolment).where(Enrolment.offering_id == target.id)).one()
    former_ticket = client.get(f"/tickets/{enrolment.ticket}").text
    assert f"/tickets/{moved.ticket}" in former_ticket
    assert "ticket-code" not in former_ticket, "nobody shows the former code by mistake"
    assert "ticket-code" in client.get(f"/tickets/{moved.ticket}").text
