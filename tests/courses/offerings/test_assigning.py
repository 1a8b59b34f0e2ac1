"""Assigning an instructor to several offerings: an exact preview that changes nothing, then each offering by itself."""

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.offerings import Offering, SessionInstructor, TeachingRole
from courses.offerings import assigning, staffing
from instructors.models import Instructor
from lms.accounts.models import User
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
BEIJING = ZoneInfo("Asia/Shanghai")


def offering_in(make: Make, days: int, **facts: object) -> Offering:
    start = clock.now().replace(microsecond=0) + timedelta(days=days)
    return make.offering(starts=[start], hours=3, **facts)  # type: ignore[arg-type]


def taught(db: Session, instructor: Instructor) -> int:
    return db.scalar(select(func.count()).where(SessionInstructor.instructor_id == instructor.id)) or 0


def test_the_preview_finds_each_obstacle_and_changes_nothing(db: Session, make: Make) -> None:
    instructor = make.instructor()
    instructor.qualifications[0].valid_until = date(2099, 12, 31)
    free, same_time, past = offering_in(make, 5), offering_in(make, 5), offering_in(make, -5)
    elsewhere = offering_in(make, 9, organisation=make.organisation(2))
    own = Scope(district_ids=frozenset({1}))
    ids = [free.id, same_time.id, past.id, elsewhere.id]
    rows = assigning.preview(db, ids, instructor.id, TeachingRole.LEAD, scope=own, zone=BEIJING)
    assert [(row.offering.id, row.sessions, row.refusal and row.refusal.code) for row in rows] == [
        (free.id, 1, None), (same_time.id, 0, "instructor_busy"), (past.id, 0, "nothing_to_assign"),
    ]  # fmt: skip
    assert taught(db, instructor) == 0
    assigning.assign(db, ids, instructor.id, TeachingRole.LEAD, scope=own, zone=BEIJING)
    db.expire_all()
    assert (free.lead_instructor_id, taught(db, instructor)) == (instructor.id, 1)
    assert past.lead_instructor_id != instructor.id
    again = assigning.assign(db, [free.id], instructor.id, TeachingRole.ASSISTANT, scope=own, zone=BEIJING)
    assert again[0].refusal is not None
    with pytest.raises(DomainError, match="at least one"):
        assigning.assign(db, [elsewhere.id], instructor.id, TeachingRole.LEAD, scope=own, zone=BEIJING)


def test_an_assistant_comes_in_addition_and_an_unqualified_lead_is_refused(db: Session, make: Make) -> None:
    offering, instructor = offering_in(make, 5), make.instructor("RESCUE")
    lead = offering.lead_instructor_id
    [refused] = assigning.preview(db, [offering.id], instructor.id, TeachingRole.LEAD, scope=EVERYTHING, zone=BEIJING)
    assert refused.refusal is not None
    assert refused.refusal.code == "lead_not_qualified"
    assigning.assign(db, [offering.id], instructor.id, TeachingRole.ASSISTANT, scope=EVERYTHING, zone=BEIJING)
    db.expire_all()
    assert (offering.lead_instructor_id, taught(db, instructor)) == (lead, 1)


def test_the_page_shows_what_would_change_before_it_assigns(db: Session, make: Make, sign_in: SignIn) -> None:
    offering, instructor = offering_in(make, 5), make.instructor()
    db.commit()
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    assert f'form="several" name="offering" value="{offering.id}"' in browser.get("/offerings/").text
    assert browser.get("/offerings/assign").location == "/offerings/"
    form = {"offering": [str(offering.id)], "instructor": staffing.label(instructor), "role": "lead"}
    page = browser.post("/offerings/assign?lang=en", data=form).text
    assert f'value="{instructor.id}:lead"' in page
    assert "1 session" in page
    assert taught(db, instructor) == 0
    other = browser.post("/offerings/assign", data=form | {"role": "assistant", "assign": f"{instructor.id}:lead"})
    assert other.status_code == 200
    assert taught(db, instructor) == 0
    answer = browser.post("/offerings/assign", data=form | {"assign": f"{instructor.id}:lead"})
    assert answer.status_code == 302
    assert taught(db, instructor) == 1
    assert browser.post("/offerings/assign", data=form | {"instructor": "nobody"}).status_code == 422
