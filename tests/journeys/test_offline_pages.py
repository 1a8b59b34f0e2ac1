"""The pages around the roster without a network: Today, what needs a network, and what axe finds on them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, PEOPLE, Basement, tap
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, dump, expect_ready, expect_unsent
from tests.journeys.screens import PHONE

pytestmark = pytest.mark.xdist_group("basement")

# How many people stand whole between what sticks to the upper and the lower edge, and how high the upper one is.
PEOPLE_IN_SIGHT = """() => {
  const [head, bar] = [".roster-head", ".roster-bar"].map((name) => document.querySelector(name).getBoundingClientRect());
  const rows = [...document.querySelectorAll(".person")].map((row) => row.getBoundingClientRect());
  return [rows.filter((row) => row.height && row.top >= head.bottom - 1 && row.bottom <= bar.top + 1).length, head.height];
}"""
# As high as the head gets: half of the class is here, and the instructor came and went.
HIGHEST_HEAD = """() => {
  document.querySelectorAll("[data-count=missing], [data-count=present]").forEach((place) => { place.textContent = "120"; });
  const own = document.querySelector(".roster-own");
  const was = own.dataset.textWas.replace("{from}", "10:00").replace("{until}", "12:00");
  own.querySelector("[data-own-text]").textContent = was;
  [own, own.querySelector("button")].forEach((part) => { part.hidden = false; });
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_today_leads_to_the_roster_and_back_without_a_network(basement: Basement, phone: Phone, language: str) -> None:
    """Today was opened once; the roster never was. Links that need a network say so, and a killed browser changes nothing."""
    page = phone.page(f"/today/?lang={language}")
    expect_ready(page)
    told = phone.context.new_cdp_session(page)
    assert told.send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
    assert told.send("Page.getAppManifest")["errors"] == []
    before = basement.present
    phone.context.set_offline(True)
    page.goto("/today/")
    card = page.locator(f"[data-session='{basement.session_id}']")
    expect(card.locator("[data-present]")).to_have_text(str(before))
    expect(card.locator("[data-enrolled]")).to_have_text(str(PEOPLE))
    expect(card.locator("[data-state=running]")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-Hans")
    assert Axe().run(page).response["violations"] == []
    card.locator("[data-roster-link]").click()
    tap(page, 2)
    page.locator(".brand").click()
    expect(card.locator("[data-present]")).to_have_text(str(before + 2))

    expect(card.locator("[data-link]:visible")).to_have_count(3)
    for address in ("/account/", f"/sessions/{basement.session_id}/code", "/offerings/?q=x", "/certificates/1.pdf"):
        page.goto(address)
        expect(page.locator("[data-needs-network]")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    phone.kill()
    phone.on()
    phone.context.set_offline(True)
    page = phone.page("/account/")
    card = page.locator(f"[data-session='{basement.session_id}']")
    page.locator("[data-needs-network] .btn-primary").click()
    expect(card.locator("[data-present]")).to_have_text(str(before + 2))
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    expect(page.locator("[data-offline]")).to_be_hidden()
    expect(card.locator("[data-present]")).to_have_text(str(before + 2))
    sign_in(page, Account("instructor", LOGIN, PASSWORD))  # the killed browser had not written its cookie
    page.goto("/today/")
    expect_ready(page)
    page.goto("/account/")
    page.locator("form[action$='/sign-out'] button").click()
    page.wait_for_url(lambda address: "/account" not in address)
    assert '"rosters": []' in dump(page)
    phone.context.set_offline(True)
    page.goto("/today/")
    expect(page.locator("[data-kept]")).not_to_be_empty()
    expect(card).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_on_the_page_without_a_network(basement: Basement, phone: Phone, language: str) -> None:
    page = phone.page(f"{basement.address}?lang={language}")
    expect_ready(page)
    phone.context.set_offline(True)
    page.goto(basement.address)
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-Hans")
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    axe = Axe()
    assert axe.run(page).response["violations"] == []
    page.emulate_media(color_scheme="dark")
    assert axe.run(page).response["violations"] == []
    page.emulate_media(color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for width, height, people in ((360, 640, 5), (640, 360, 2)):
        page.set_viewport_size({"width": width, "height": height})
        for highest in (False, True):
            if highest:
                page.evaluate(HIGHEST_HEAD)
            shown, head = page.evaluate(PEOPLE_IN_SIGHT)
            assert shown >= people
            assert head <= height / 3
    page.set_viewport_size(PHONE)
    page.reload()
    tap(page, 1)
    for opens, closes in (
        (page.locator("[data-outbox-mark]"), "[data-outbox-close]"),
        (page.locator(".person[data-present=yes] [data-undo]").first, "[data-dismiss]"),
        (page.locator("[data-walk-in]").first, "[data-dismiss]"),
        (page.locator("[data-everyone]"), "[data-everyone-form] [data-dismiss]"),
        (page.locator("[data-scan]"), "[data-dismiss]"),
    ):
        opens.click()
        assert axe.run(page).response["violations"] == []
        page.locator(f"dialog[open] {closes}").click()
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_on_results_headcount_and_closing_without_a_network(
    basement: Basement, phone: Phone, language: str
) -> None:
    """Light and dark, upright and turned; each field and button is reached by the keyboard."""
    page = phone.page(f"/today/?lang={language}")
    expect_ready(page)
    phone.context.set_offline(True)
    offering = basement.count("SELECT offering_id FROM course_session WHERE id = :id")
    session = f"/sessions/{basement.session_id}"
    axe, faults = Axe(), []
    for address in (f"/offerings/{offering}/assessment", f"{session}/headcount", f"{session}/close"):
        page.goto(address)
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator("main button:visible, main input:visible").first).to_be_attached()
        for scheme, width, height in (("light", 360, 640), ("dark", 640, 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            faults += [f"{address} {scheme}: {one['id']}" for one in axe.run(page).response["violations"]]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        reached = page.evaluate("document.activeElement.tagName")
        for _ in range(12):
            page.keyboard.press("Tab")
            reached += " " + page.evaluate("document.activeElement.tagName + (document.activeElement.type ?? '')")
        assert "INPUT" in reached or "BUTTON" in reached, (address, reached)
    assert faults == []
    phone.context.set_offline(False)


def test_a_form_that_needs_a_network_stays_with_what_was_entered(basement: Basement, phone: Phone) -> None:
    page = phone.page(f"{basement.address}/walk-in")
    page.locator("main [name=name]").fill("王小明")
    phone.context.set_offline(True)
    page.locator("main [name=name]").press("Enter")
    notice = page.locator("dialog[open]")
    expect(notice).to_contain_text("内容尚未发送")
    notice.get_by_role("button").click()
    expect(page.locator("main [name=name]")).to_have_value("王小明")
    phone.context.set_offline(False)


def test_without_a_service_worker_nothing_is_lost(basement: Basement, phone: Phone) -> None:
    phone.context.add_init_script("delete Navigator.prototype.serviceWorker; delete Navigator.prototype.locks;")
    page = phone.page(basement.address)
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    before, events = basement.present, basement.events
    phone.context.set_offline(True)
    tap(page, 2)
    page.close()
    phone.context.set_offline(False)
    page = phone.page(basement.address)
    expect_unsent(page, 0)
    expect(page.locator("[data-count=present]")).to_have_text(str(before + 2))
    assert (basement.present, basement.events) == (before + 2, events + 2)
