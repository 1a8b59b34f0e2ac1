"""A district's administrator sees the district, and everything else is as if it did not exist."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit


@pytest.mark.parametrize("role", ["district_administrator", "coordinator"])
def test_elsewhere_is_not_found(site: Site, visit: Visit, role: str) -> None:
    page = visit(role)
    with site.engine.connect() as connection:
        elsewhere, meeting, person, paper = connection.execute(
            text(
                "SELECT o.id, s.id, e.trainee_id, c.id FROM offering o JOIN course_session s ON s.offering_id = o.id"
                " JOIN enrolment e ON e.offering_id = o.id JOIN certificate c ON c.enrolment_id = e.id"
                " WHERE o.district_id <> 6 AND NOT EXISTS (SELECT FROM enrolment x JOIN offering y ON y.id = x.offering_id"
                " WHERE x.trainee_id = e.trainee_id AND y.district_id = 6)"
                " AND (SELECT t.district_id FROM trainee t WHERE t.id = e.trainee_id) <> 6 LIMIT 1"
            )
        ).one()
        here = connection.scalar(text("SELECT min(id) FROM offering WHERE organisation_id = 1"))
    for address in (
        f"/offerings/{elsewhere}",
        f"/offerings/{elsewhere}/enrolments/",
        f"/sessions/{meeting}/attendance",
        f"/trainees/{person}",
        f"/certificates/{paper}",
        f"/certificates/{paper}.pdf",
    ):
        assert page.request.get(address).status == 404, address
    assert page.request.get(f"/offerings/{here}").status == 200
    page.goto("/offerings/?state=closed")
    places = page.locator("main").inner_text()
    assert "海淀区" in places
    assert "朝阳区" not in places


def test_the_report_shows_the_district_and_the_branch_beside_it(visit: Visit) -> None:
    city, district = visit("city_administrator"), visit("district_administrator")
    address = "/reports/enrolment?grouping=district"
    city.goto(address)
    district.goto(address)
    rows = district.locator("main table").first.locator("tbody tr")
    expect(rows.filter(has_text="海淀区")).to_have_count(1)
    expect(rows.filter(has_text="朝阳区")).to_have_count(0)
    # The first figure of a row is the person-times.
    branch = city.locator("tr.report-sum td").first.inner_text()
    assert re.fullmatch(r"[\d,]+", branch)
    assert district.locator("tr.report-branch td").first.inner_text() == branch
    assert district.locator("tr.report-sum td").first.inner_text() != branch
    assert district.request.get("/reports/enrolment?district=3").status == 404
