"""Pages of the register of instructors."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors.models import Instructor
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def test_registered_and_qualified_through_the_pages(make: Make, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    facts = {
        "name": "郑红",
        "registration_number": "BJ-1",
        "district_id": "1",
        "level": "senior",
        "phone": "13800138000",
    }
    assert browser.post("/instructors/new", data=facts | {"district_id": "2"}).status_code == 422
    assert browser.post("/instructors/new", data=facts).status_code == 302
    assert browser.post("/instructors/new", data=facts).status_code == 422
    person = db.scalars(select(Instructor)).one()
    page = f"/instructors/{person.id}"
    period = {"programme": "RESCUE", "valid_from": "2026-01-01", "valid_until": "2099-01-01"}
    assert browser.post(f"{page}/qualifications", data=period).status_code == 302
    assert browser.post(f"{page}/qualifications", data=period).status_code == 422
    assert "郑红" in browser.get("/instructors/?programme=RESCUE&validity=valid").text
    assert "郑红" not in browser.get("/instructors/?programme=INSTRUCTOR").text
    assert browser.post(f"{page}/edit", data=facts | {"level": "junior"}).status_code == 302
    assert "郑红" not in browser.get("/instructors/").text
    assert "郑红" in browser.get("/instructors/?state=left").text
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "instructor.change")).one()
    assert entry.before == {"level": "senior", "active": True}


def test_the_list_costs_few_statements(make: Make, sign_in: SignIn, db: Session, statements: list[str]) -> None:
    for _ in range(12):
        make.instructor()
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    statements.clear()
    assert browser.get("/instructors/").status_code == 200
    assert len(statements) <= 9
