"""axe on the main pages, at phone and desk width: nothing serious. On the reports: nothing at all."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import text

from tests.journeys.conftest import DESK, PHONE, Site, Visit

SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize(
    ("role", "viewport"),
    [
        (None, PHONE),
        ("instructor", PHONE),
        ("city_administrator", DESK),
        ("city_administrator", PHONE),
        ("trainee", PHONE),
    ],
)
def test_axe_finds_nothing_serious(site: Site, visit: Visit, role: str | None, viewport: dict[str, int]) -> None:
    with site.engine.connect() as connection:
        session_id, offering_id = connection.execute(
            text(
                "SELECT s.id, s.offering_id FROM course_session s JOIN session_instructor t ON t.course_session_id = s.id"
                " JOIN instructor i ON i.id = t.instructor_id WHERE i.registration_number = 'BJ-SZ-0001'"
                " AND s.closed_at IS NULL ORDER BY s.starts_at DESC LIMIT 1"
            )
        ).one()
        paper, *sealed = connection.execute(
            text(
                "SELECT c.id, e.ticket_hash, e.ticket_sealed FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id"
                " ORDER BY c.id LIMIT 1"
            )
        ).one()
        ticket = site.ticket(*sealed)
        coming = connection.scalar(
            text(
                "SELECT o.id FROM offering o JOIN course_session s ON s.offering_id = o.id WHERE s.starts_at > now() LIMIT 1"
            )
        )
    pages = {
        None: ("/", "/training/", f"/training/{coming}", f"/training/{coming}/enrol", f"/tickets/{ticket}",
            f"/tickets/{ticket}/account", "/verify", "/sign-in/"),
        "instructor": ("/today/", f"/sessions/{session_id}/attendance", f"/offerings/{offering_id}/assessment",
            f"/sessions/{session_id}/close"),
        "city_administrator": (
            "/", "/reports/enrolment", "/offerings/", f"/offerings/{offering_id}", "/offerings/new", "/messages/to-call",
            "/trainees/", "/trainees/proposals/", "/trainees/reads", "/certificates/",
            f"/certificates/{paper}", "/users/", "/audit/", f"/offerings/{offering_id}/enrolments/",
        ),
        "trainee": ("/my-training/", "/account/", "/account/contacts"),
    }  # fmt: skip
    page = visit(role, viewport=viewport)
    axe = Axe()
    found = []
    for address in pages[role]:
        page.goto(address)
        violations = axe.run(page).response["violations"]
        found += [
            f"{address}: {violation['id']} {node['target']}"
            for violation in violations
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]
    assert found == []


def test_axe_finds_nothing_in_the_reports(site: Site, visit: Visit) -> None:
    page = visit("city_administrator", viewport=PHONE)

    def first(address: str, path: str) -> str:
        """The first address of that kind on a page."""
        page.goto(address)
        links = page.eval_on_selector_all("a", "found => found.map(one => one.getAttribute('href'))")
        return next(link for link in links if re.match(path, link or ""))

    sessions = first("/reports/offerings", r"/reports/offerings/\d+/sessions\?")
    year = first("/reports/targets/", r"/reports/targets/\d+$")
    present = first(sessions, r"/reports/offerings/\d+/sessions/\d+/people")
    everybody = first(sessions, r"/reports/offerings/\d+/people")
    pages = [
        "/reports/enrolment", "/reports/districts", "/reports/indicators/", "/reports/hours", "/reports/waiting",
        "/reports/quarters/", "/reports/quarters/2025Q4/freeze",
        "/reports/offerings?column=offerings", "/reports/people", "/reports/in-progress", "/reports/population/",
        "/reports/opening-balances/", "/reports/by-mail", "/reports/exports/", "/reports/exports/new/participations",
        "/reports/enrolment?grouping=host&find=e", "/reports/hours?find=BJ",
        year, sessions, present, everybody, first("/reports/hours", r"/reports/hours/\d+"),
        first("/reports/people", "/reports/exports/new/people"), first(present, "/reports/exports/new/attendances"),
        first(everybody, "/reports/exports/new/enrolments"),
    ]  # fmt: skip
    axe = Axe()
    found = []
    for address in pages:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        violations = axe.run(page).response["violations"]
        found += [f"{address}: {one['id']} {node['target']}" for one in violations for node in one["nodes"]]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    assert found == []


def test_tabs_and_the_way_back_of_reports_take_one_line_on_a_phone(visit: Visit) -> None:
    page = visit("city_administrator", viewport=PHONE)
    page.goto("/reports/exports/?lang=en")
    for name in (".report-grouping[aria-current]", ".site-nav .nav-link.active"):
        current = page.locator(name).bounding_box()
        assert current is not None
        assert 0 <= current["x"] <= PHONE["width"] - current["width"], name
    page.goto("/reports/offerings?lang=en&via=districts")
    page.click("main tbody a")
    page.get_by_role("link", name="Everyone in this offering").click()
    trail = page.locator(".report-up").bounding_box()
    assert trail is not None
    assert page.locator(".report-up li").count() == 3
    assert trail["height"] < 60
