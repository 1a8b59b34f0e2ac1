"""Both languages on every main page: the switch stays, and no page of one language carries words of the other."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import PHONE

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Words of the interface that an untranslated page would show.
ENGLISH = re.compile(r"\b(Save|Search|Enrol|Offerings?|Trainees?|Certificates?|Reports?|Back|Check in|Session|Close)\b")


def interface(page: Page) -> str:
    """The words of buttons, labels, headings of tables and the bar: what the system says, not what people entered."""
    return "\n".join(
        page.locator("main :is(button, label, thead th, dt, .btn, legend, summary, h2), nav a, footer a")
        .locator("visible=true")
        .all_inner_texts()
    )


@pytest.mark.parametrize(
    ("role", "addresses"),
    [
        (None, ("/", "/training/", "/sign-in/", "/verify")),
        (
            "city_administrator",
            ("/offerings/", "/trainees/", "/certificates/", "/reports/enrolment", "/users/", "/audit/"),
        ),
        ("city_administrator", ("/organisations/", "/instructors/", "/catalogue/", "/offerings/new", "/account/")),
        ("instructor", ("/today/", "SESSION", "OFFERING")),
    ],
)
def test_each_language_is_whole(site: Site, visit: Visit, role: str | None, addresses: tuple[str, ...]) -> None:
    page = visit(role, viewport=PHONE)
    with site.engine.connect() as connection:
        session_id, offering_id = connection.execute(
            text(
                "SELECT s.id, s.offering_id FROM course_session s JOIN session_instructor t ON t.course_session_id = s.id"
                " JOIN instructor i ON i.id = t.instructor_id WHERE i.registration_number = 'BJ-SZ-0001'"
                " AND s.closed_at IS NULL ORDER BY s.starts_at LIMIT 1"
            )
        ).one()
    named = {"SESSION": f"/sessions/{session_id}/attendance", "OFFERING": f"/offerings/{offering_id}/assessment"}
    for address in (named.get(one, one) for one in addresses):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        found = ENGLISH.search(interface(page))
        assert found is None, f"{address}: {found}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for address in (named.get(one, one) for one in addresses):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "en"
        words = interface(page).replace("中文", "")
        names = {
            "/offerings/",
            "/trainees/",
            "/users/",
            "/account/",
            named["SESSION"],
            named["OFFERING"],
            "/today/",
            "/offerings/new",
        }
        if address not in names:
            assert CHINESE.search(words) is None, f"{address}: {CHINESE.search(words)}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
