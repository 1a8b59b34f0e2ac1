"""Cancelling several enrolments: a preview that says who stays and why, then row by row with one reason."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.enrolment import cancelling
from courses.models.enrolment import EnrolmentState
from lms.accounts.models import User
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.worlds import attend
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def test_those_who_came_stay_and_nobody_of_another_class_is_touched(db: Session, make: Make) -> None:
    offering, other = make.offering(), make.offering()
    going, present, gone = (make.enrolment(offering) for _ in range(3))
    elsewhere = make.enrolment(other)
    attend(db, present, offering.sessions[0])
    ids = [going.id, present.id, elsewhere.id, 10**9]
    audit.act_as(db, make.user(Role.CITY_ADMINISTRATOR).id)
    rows = cancelling.preview(db, offering.id, ids, EVERYTHING)
    assert {row.enrolment.id: row.refusal is None for row in rows} == {going.id: True, present.id: False}
    done = cancelling.cancel(db, offering.id, [*ids, going.id], "停课", EVERYTHING)
    assert [row.refusal for row in done if row.enrolment.id == going.id] == [None]
    states = [(row.state, row.cancel_reason) for row in (going, present, gone, elsewhere)]
    assert states[0] == (EnrolmentState.CANCELLED, "停课")
    assert all(state is EnrolmentState.ENROLLED for state, _reason in states[1:])
    assert db.query(AuditEntry).filter(AuditEntry.action == "enrolment.cancel").count() == 1
    with pytest.raises(DomainError, match="at least one"):
        cancelling.preview(db, offering.id, [elsewhere.id], EVERYTHING)
    with pytest.raises(NotFound):
        cancelling.cancel(db, offering.id, ids, "停课", Scope(district_ids=frozenset({2})))


def test_the_chosen_are_named_before_and_a_reason_is_asked_for(db: Session, make: Make, sign_in: SignIn) -> None:
    offering = make.offering()
    enrolments = [make.enrolment(offering) for _ in range(2)]
    db.commit()
    browser = sign_in(make.user(Role.COORDINATOR, organisation_id=offering.organisation_id))
    start = f"/offerings/{offering.id}/enrolments"
    assert f'form="several" name="enrolment" value="{enrolments[0].id}"' in browser.get(f"{start}/").text
    query = "&".join(f"enrolment={row.id}" for row in enrolments)
    page = browser.get(f"{start}/cancel?{query}").text
    assert all(row.trainee.name in page for row in enrolments)
    data = {"enrolment": [str(row.id) for row in enrolments], "reason": ""}
    assert browser.post(f"{start}/cancel", data=data).status_code == 422
    assert browser.post(f"{start}/cancel", data=data | {"reason": "停课"}).status_code == 302
    db.expire_all()
    assert {row.state for row in enrolments} == {EnrolmentState.CANCELLED}
    assert browser.post(f"{start}/cancel", data=data | {"reason": "停课"}).status_code == 302  # a double tap
    assert browser.get(f"{start}/cancel").location == f"{start}/"
    assert browser.get(f"{start}/cancel?enrolment=x&enrolment=99999999999999999999").location == f"{start}/"
