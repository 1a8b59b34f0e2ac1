"""The bar of the reports: it goes along from tab to tab, says what is not used, and old addresses keep working."""

import re
from collections.abc import Callable
from datetime import date, datetime
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.reports.views.test_enrolment import text_of
from tests.courses.worlds import BEIJING, Plan, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
NOW = datetime(2026, 5, 3, 12, tzinfo=BEIJING)


@pytest.fixture
def city(db: Session, make: Make, sign_in: SignIn) -> FlaskClient:
    World(db).close(Plan(date(2017, 3, 1), (300,), (), False, 1, "RESCUE"))
    db.commit()
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def tabs(page: str) -> dict[str, str]:
    return {label: address for address, label in re.findall(r'report-grouping"[^>]*href="([^"]*)">([^<]*)<', page)}


def chips(page: str) -> list[str]:
    return [address for address in re.findall(r'class="bar-chip" href="([^"]*)"', page)]


def test_the_bar_goes_along_from_tab_to_tab(city: FlaskClient) -> None:
    asked = "period=last_quarter&programme=RESCUE&sector=school&as_of=2026-04-02&grouping=sector"
    with clock.at(NOW):
        addresses = tabs(text_of(city, f"/reports/enrolment?{asked}&lang=en"))
        assert len(addresses) == 10
        for label, address in addresses.items():
            query = set(address.partition("?")[2].split("&"))
            assert query >= set(asked.split("&")), label
            page = city.get(address + "&lang=en", follow_redirects=True).get_data(as_text=True)
            page = unescape(page)
            assert set(tabs(page)["Enrolment report"].partition("?")[2].split("&")) >= set(asked.split("&")), label
            unused = re.search(r"Not used by this report[^<]*", page)
            assert (unused is not None) == (label in {"Hours taught", "Targets", "Population"}), label
        hours = text_of(city, addresses["Hours taught"] + "&lang=en")
    assert "kept for the others: As recorded on" in hours
    assert "Last quarter" in hours


def test_a_chip_takes_one_filter_away(city: FlaskClient) -> None:
    page = text_of(city, "/reports/enrolment?period=2017&programme=RESCUE&district=1&organisation=红&lang=en")
    addresses = chips(page)
    assert len(addresses) == 3
    assert all(address.startswith("/reports/enrolment?period=2017") for address in addresses)
    assert sum("programme=RESCUE" in address for address in addresses) == 2
    assert chips(text_of(city, "/reports/enrolment")) == []


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", "2026-01-01 – 2026-12-31"),
        ("period=all", "2017-01-01 – 2026-12-31"),
        ("period=2017Q1", "2017-01-01 – 2017-03-31"),
        ("period=last_12_months", "2025-05-01 – 2026-04-30"),
        ("since=2017-03-01&until=2017-03-31&grouping=month", "2017-03-01 – 2017-03-31"),
        ("since=2017-03-01", "2017-03-01 – 2026-12-31"),
        ("until=2017-03-31", "2017-01-01 – 2017-03-31"),
        ("since=2017-03-01&until=2017-03-31&period=all", "2017-03-01 – 2017-03-31"),
    ],
)
def test_the_period_of_an_address(city: FlaskClient, query: str, days: str) -> None:
    with clock.at(NOW):
        assert days in text_of(city, f"/reports/enrolment?{query}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("period=1950", "There are no figures of this period. They go from 2017 to 2026."),
        ("period=x", "Choose a period from the list."),
        ("since=2017-05-01&until=2017-03-31", "The period ends before it begins."),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words(city: FlaskClient, query: str, message: str) -> None:
    with clock.at(NOW):
        for page in ("enrolment", "districts", "hours", "indicators/"):
            answer = city.get(f"/reports/{page}?{query}&lang=en")
            assert answer.status_code == 422
            assert message in answer.get_data(as_text=True)


def test_a_host_is_chosen_and_named(city: FlaskClient, db: Session, make: Make) -> None:
    host = make.organisation(1)
    host.name_zh = "红星小学"
    db.commit()
    page = text_of(city, "/reports/hosts?report=hours&period=2017&sector=school&organisation=红星")
    [address] = {link for link in re.findall(r'href="(/reports/hours\?[^"]*host=\d+[^"]*)"', page)}
    assert address == f"/reports/hours?period=2017&sector=school&host={host.id}"
    chosen = text_of(city, address)
    assert "红星小学" in chosen
    assert "/reports/hours?period=2017&sector=school" in chips(chosen)


def test_views_are_saved_opened_and_said_to_be_outdated(city: FlaskClient, make: Make, sign_in: SignIn) -> None:
    filters = {"period": "2017", "programme": "RESCUE", "district": "1"}
    saved = city.post("/reports/views/", data={"name": "东城", "report": "enrolment", **filters})
    assert saved.headers["Location"] == "/reports/enrolment?period=2017&programme=RESCUE&district=1"
    menu = text_of(city, saved.headers["Location"])
    [view] = set(re.findall(r'href="(/reports/views/[\w-]{20,})"', menu))
    assert city.get(view).headers["Location"] == saved.headers["Location"]
    assert city.post(f"{view}/change", data={"name": "共享", "audience": "branch"}).status_code == 302
    other = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    page = other.get(f"{view}?lang=en")
    assert page.status_code == 422
    assert "outside of your reach" in page.get_data(as_text=True)
    for path in ("change", "delete"):
        assert other.post(f"{view}/{path}", data={"name": "x", "audience": "nobody"}).status_code == 404
    for refused in ({"report": "x"}, {"report": "enrolment", "district": "99"}, {"report": "enrolment", "period": "x"}):
        assert city.post("/reports/views/", data={"name": "坏", **refused}).status_code in {404, 422}
    assert city.post(f"{view}/delete").status_code == 302
    assert city.get(view).status_code == 404


def test_a_coordinator_reads_the_figures_of_the_own_organisations_alone(
    db: Session, make: Make, sign_in: SignIn
) -> None:
    world = World(db)
    own = world.close(Plan(date(2025, 3, 1), (30,), (), False, 1, "RESCUE"))
    other = world.close(Plan(date(2025, 3, 1), (500,), (), False, 1, "RESCUE"))
    if other.organisation_id == own.organisation_id:
        other.organisation_id = make.organisation(1).id
    db.commit()
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=own.organisation_id))
    for grouping in ("month", "host", "district"):
        for page in ("enrolment", "indicators/", "hours"):
            text = text_of(coordinator, f"/reports/{page}?period=2025&grouping={grouping}&lang=en")
            assert "530" not in text
            assert "Whole branch" not in text
            assert page == "hours" or ">30<" in text
    assert coordinator.get(f"/reports/offerings/{other.id}/sessions?period=2025").status_code == 404
    assert coordinator.get(f"/reports/enrolment?host={other.organisation_id}").status_code == 404
    assert coordinator.get("/reports/enrolment?district=1").status_code == 404
    assert "500" not in text_of(coordinator, "/reports/offerings/export/csv?period=2025")
    assert "500" not in text_of(coordinator, "/reports/enrolment/export/csv?period=2025")
    assert "/reports/enrolment" in text_of(coordinator, "/offerings/")
