"""The first page of each role."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from certificates.verification import alarms
from courses.counting import person_time
from courses.models.offerings import OfferingState
from lms.accounts.models import User
from lms.config import Settings
from lms.core import audit, clock
from lms.core.scope import Role
from tests.factories import Make


def test_a_visitor_finds_training_and_verification(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "/training/" in page
    assert "/verify" in page


@pytest.mark.parametrize(
    ("role", "start"),
    [(Role.INSTRUCTOR, "/today/"), (Role.TRAINEE, "/my-training/")],
)
def test_each_role_has_its_start(make: Make, sign_in: Callable[[User], FlaskClient], role: Role, start: str) -> None:
    assert sign_in(make.user(role)).get("/").location == start


def test_an_administrator_sees_the_figures_of_the_district_alone(
    make: Make, settings: Settings, sign_in: Callable[[User], FlaskClient]
) -> None:
    for district_id, heads in ((1, 321), (2, 4567)):
        offering = make.offering(organisation=make.organisation(district_id))
        offering.sessions[0].headcount = heads
        offering.state, offering.closed_at = OfferingState.CLOSED, clock.now()
        offering.counted_on = clock.today(settings.zone)
        make.db.flush()
        person_time.record_closing(make.db, offering, settings.zone)
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR)).get("/").text
    assert "321" in district
    assert "4,567" not in district
    assert "4,888" in sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/").text
    assert "/offerings/new" not in sign_in(make.user(Role.AUDITOR)).get("/").text
    assert "/offerings/new" in sign_in(make.user(Role.COORDINATOR)).get("/").text


def test_the_city_sees_the_alarms_about_its_signing_keys(make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    audit.record(make.db, alarms.ACTION, "payload:00", after={"key": 1})
    make.db.commit()
    city, district = (sign_in(make.user(role)) for role in (Role.CITY_ADMINISTRATOR, Role.DISTRICT_ADMINISTRATOR))
    page = city.get("/?lang=en").text
    assert "code with our signature that is not in our records was verified in the last 30 days" in page
    assert "certificate.alarm" in page
    assert "our signature" not in district.get("/?lang=en").text
