"""An organisation's page: who sees it, and what stands on it."""

from collections.abc import Callable
from datetime import date

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core.scope import Role
from tests.courses.reports.asking import PRESENT
from tests.courses.worlds import Plan, World
from tests.factories import Make


def test_the_page_of_an_organisation(db: Session, make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    held = World(db).close(Plan(date(2025, 3, 1), (30,), (PRESENT,), False, 1))
    host, stranger = held.organisation, make.organisation(1)
    host.contact_name, host.contact_phone = "王干事", "+861012345678"
    db.commit()
    coordinator = make.user(Role.COORDINATOR, organisation_id=host.id)
    path = f"/organisations/{host.id}/overview"
    readers = [
        coordinator, make.user(Role.CITY_ADMINISTRATOR), make.user(Role.AUDITOR),
        make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1),
    ]  # fmt: skip
    for user in readers:
        answer = sign_in(user).get(path + "?lang=en")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "王干事" in page
        assert coordinator.name in page
        assert ">31<" in page
        assert f"host={host.id}" in page
    assert sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2)).get(path).status_code == 404
    browser = sign_in(coordinator)
    assert browser.get("/organisations/own").headers["Location"] == path
    assert browser.get(f"/organisations/{stranger.id}/overview").status_code == 404
    empty = sign_in(readers[1]).get(f"/organisations/{stranger.id}/overview?lang=en").get_data(as_text=True)
    assert "This organisation has no offerings yet." in empty
