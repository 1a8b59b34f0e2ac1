"""axe on the main pages, at phone and desk width: nothing serious. On the reports: nothing at all."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import DESK, PHONE

SERIOUS = {"serious", "critical"}
KINDS = 110  # the walk below finds at least so many kinds of pages
ROLES = {
    "city_administrator": ("/", "/account/", "/personal-data/"),
    "instructor": ("/today/",),
    "trainee": ("/my-training/",),
    None: ("/", "/training/", "/verify", "/verify/offline", "/verify/list", "/sign-in/"),
}
# Walks the pages that links lead to, one of each kind, within one document: each is fetched and laid out in its place with its
# own style sheets. Says which are wider than the window, at 100 % and at 200 % text, and which texts are hard to read.
WALK = """async ({ starts, seen }) => {
  const root = document.documentElement;
  const families = /([/](exports|imports)[/]new[/]|[/]retention[/]|[/]programmes[/]).+/;
  const kind = (address) => address.replace(/[?#].*/, "").replace(/[/][\\d-]+(Q\\d)?(?=[/]|$)/g, "/N")
    .replace(/[/](tickets|v|s|i)[/][^/]+/, "/$1/T").replace(families, "$1");
  const files = /[.]\\w+([?]|$)|export[/]|template|download|archive|card|picture|badge|sheet|pdf/;
  const isPage = (address) => /^[/](?![/])/.test(address) && !files.test(address) && !/sign-out|lang=|[/]api[/]/.test(address);
  const dress = async (page) => {
    const links = (of) => [...of.querySelectorAll("link[rel=stylesheet]")];
    const former = links(document);
    if (former.map((link) => link.href).join() === links(page).map((link) => link.href).join()) return;
    await Promise.all(links(page).map((link) => new Promise((resolve) => {
      const copy = document.createElement("link");
      copy.rel = "stylesheet";
      copy.onload = resolve;
      copy.href = link.href;
      document.head.append(copy);
    })));
    former.forEach((link) => link.remove());
  };
  const found = { kinds: [], faults: [] };
  const ahead = [...starts];
  while (ahead.length) {
    const address = ahead.shift();
    if (found.kinds.includes(kind(address)) || (seen.includes(kind(address)) && !starts.includes(address))) continue;
    const response = await fetch(address);
    found.kinds.push(kind(address));
    if (response.status >= 500) found.faults.push(`${address}: ${response.status}`);
    if (!/html/.test(response.headers.get("content-type"))) continue;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    await dress(page);
    document.body.replaceWith(document.adoptNode(page.body));
    for (const size of ["", "32px"]) {
      root.style.fontSize = size;
      if (root.scrollWidth > innerWidth) found.faults.push(`${address} ${size}: ${root.scrollWidth} px wide`);
    }
    root.style.fontSize = "";
    const links = [...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href"));
    ahead.push(...links.filter(isPage));
    // The rows of a list are of the same colours.
    document.querySelectorAll("tbody, ul, select").forEach((list) => [...list.children].slice(4).forEach((row) => row.remove()));
    const { violations } = await axe.run(document.body, { runOnly: ["color-contrast"], resultTypes: ["violations"] });
    for (const { nodes } of violations) for (const { target } of nodes) found.faults.push(`${address}: ${target} is hard to read`);
  }
  return found;
}"""


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
        paper, closed, certified, *sealed = connection.execute(
            text(
                "SELECT c.id, e.offering_id, e.id, e.ticket_hash, e.ticket_sealed"
                " FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id ORDER BY c.id LIMIT 1"
            )
        ).one()
        ticket = site.ticket(*sealed)
        coming = connection.scalar(
            text(
                "SELECT o.id FROM offering o JOIN course_session s ON s.offering_id = o.id WHERE s.starts_at > now() LIMIT 1"
            )
        )
    pages = {
        None: ("/", "/training/", "/training/month", "/training/ask", f"/training/{coming}",
            f"/training/{coming}/enrol", f"/tickets/{ticket}",
            f"/tickets/{ticket}/account", "/verify", "/sign-in/", "/my-certificate/", "/my-certificate/without-phone"),
        "instructor": ("/today/", f"/sessions/{session_id}/attendance", f"/offerings/{offering_id}/assessment",
            f"/sessions/{session_id}/close"),
        "city_administrator": (
            "/", "/reports/enrolment", "/offerings/", f"/offerings/{offering_id}", "/offerings/new", "/messages/to-call",
            "/trainees/", "/trainees/proposals/", "/trainees/reads", "/certificates/",
            f"/certificates/{paper}", f"/certificates/offering/{closed}/codes",
            f"/certificates/offering/{closed}/codes/{certified}", "/users/", "/audit/", f"/offerings/{offering_id}/enrolments/",
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
    year = first("/reports/targets/", r"/reports/targets/\d+\?")
    present = first(sessions, r"/reports/offerings/\d+/sessions/\d+/people")
    everybody = first(sessions, r"/reports/offerings/\d+/people")
    pages = [
        "/reports/enrolment", "/reports/districts", "/reports/indicators/", "/reports/hours", "/reports/waiting",
        "/reports/quarters/", "/reports/quarters/2025Q4/freeze",
        "/reports/offerings?column=offerings", "/reports/people", "/reports/in-progress", "/reports/population/",
        "/reports/opening-balances/", "/reports/by-mail", "/reports/exports/", "/reports/exports/new/participations",
        "/reports/enrolment?grouping=host&find=e", "/reports/hours?find=BJ", "/reports/hosts", "/reports/views/",
        "/organisations/1/overview",
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


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_first_figure_of_a_report_stands_high_and_its_bar_opens_by_keys(visit: Visit, size: dict[str, int]) -> None:
    """The first total ends within the first 250 px, whatever is set, in both languages."""
    page = visit("city_administrator", viewport=size)
    filters = "period=2025&programme=FIRST_RESPONDER&district=6&sector=school&refresher=0"
    for report in ("enrolment", "districts", "indicators/", "hours"):
        for query in ("period=all", filters):
            for language in ("zh", "en"):
                page.goto(f"/reports/{report}?{query}&lang={language}")
                box = page.locator(".report-figure").first.bounding_box() if query != filters else None
                bar = page.locator(".report-bar").bounding_box()
                assert bar is not None
                assert bar["y"] + bar["height"] <= 220, page.url
                assert box is None or box["y"] + box["height"] <= 250, page.url
                assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
    period = page.locator(".bar-menu").first
    period.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(period.get_by_role("link", name="All time")).to_be_visible()
    page.keyboard.press("Escape")
    expect(period.get_by_role("link", name="All time")).to_be_hidden()
    expect(period.locator("summary")).to_be_focused()
    page.keyboard.press("Space")
    period.get_by_role("link", name="All time").click()
    expect(page).to_have_url(re.compile(r"period=all.*district=6|district=6.*period=all"))


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


def test_no_page_is_wider_than_a_small_screen_and_dark_ones_can_be_read(visit: Visit) -> None:
    """Every kind of page that a link leads to, at 320 px, with text of 100 % and of 200 %, in dark colours."""
    kinds: list[str] = []
    faults: list[str] = []
    for role, starts in ROLES.items():
        page = visit(role, viewport={"width": 320, "height": 640}, color_scheme="dark")
        page.goto("/")
        page.evaluate(Axe().axe_script)
        found = page.evaluate(WALK, {"starts": starts, "seen": kinds})
        kinds += found["kinds"]
        faults += found["faults"]
    assert faults == []
    assert len(kinds) > KINDS, kinds
