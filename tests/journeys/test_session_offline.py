"""A session with no signal: the server really stopped, the browser really killed, and everything arrives once."""

import base64
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from courses.attendance.devices.search_hashes import SearchKey
from courses.models.enrolment import open_ticket
from lms.core.masks import mask_name
from lms.core.name_order import initials
from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, PEOPLE, Basement, tap
from tests.journeys.conftest import PHONE, Account, sign_in
from tests.journeys.device import Phone, dump, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

TAPS = 200
SECONDS_TO_SEND = 10
DOUBLE_TAP_MS = 450  # a tap after this is one of its own
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
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# The roster is read before the events arrive, and comes back after they were answered.
LATE_ROSTER = """
  const real = window.fetch;
  const [read, answered] = [Promise.withResolvers(), Promise.withResolvers()];
  window.fetch = async (address, options) => {
    if (String(address).endsWith("/check-ins")) await read.promise;
    const response = await real(address, options);
    if (String(address).endsWith("/check-ins")) setTimeout(answered.resolve, 300);
    if (String(address).endsWith("/roster")) {
      read.resolve();
      await answered.promise;
    }
    return response;
  };
"""


def find_people(page: Page, basement: Basement) -> None:
    """Search without a network: the whole name, its initials and the last four digits find exactly those people."""
    search, found = page.locator("[data-search]"), page.locator(".person:not([hidden])")
    letters = [initials(name) for name in basement.names]
    for number in (0, 57, 239):
        for query, count in (
            (basement.names[number], 1),
            (letters[number].lower(), letters.count(letters[number])),
            (basement.phones[number][-4:], 1),
        ):
            search.fill(query)
            expect(found).to_have_count(count)
        expect(found.locator(".person-name").first).to_have_text(mask_name(basement.names[number]))
    for query in ("9999", "5", "*", "欧阳", basement.names[0][:2]):
        search.fill(query)
        expect(found).to_have_count(0)
    search.fill("王")
    expect(found).to_have_count(sum(name.startswith("王") for name in basement.names))
    # Those who look alike are told apart.
    hints = found.locator(".person-tap .person-tail", has_text="··")
    names = found.locator(".person-tap .person-name").all_inner_texts()
    told = list(zip(names, hints.all_inner_texts(), strict=True))
    assert len(set(told)) == len(told) > len(set(names))
    search.fill("")
    expect(found).to_have_count(PEOPLE)


def confirm_nobody(kept: str, basement: Basement) -> None:
    """Whoever has all that the device keeps, and a name, learns no tail by trying each: the key cannot be taken along."""
    stores = json.loads(kept)["databases"]["check-in"]
    hashes = {each for roster in stores["rosters"] for person in roster["people"] for each in person["find"]}
    assert [fact["search"] for fact in stores["facts"] if "search" in fact] == ["CryptoKey"]
    (device,) = stores["devices"]
    key = SearchKey.of_device(device["device"])
    assert {key.hash(phone[-4:]) for phone in basement.phones} <= hashes
    known = [device["token"], *(roster["search"] for roster in stores["rosters"])]
    guesses = [basement.names[0], initials(basement.names[0]), *(f"{number:04}" for number in range(10_000))]
    secrets = [
        SearchKey(b""),
        *(SearchKey(text.encode()) for text in known),
        SearchKey(urlsafe_b64decode(known[0] + "=")),
    ]
    assert not hashes & {secret.hash(guess) for secret in secrets for guess in guesses}
    assert base64.b64encode(key.value).decode() not in kept


@pytest.fixture
def phone(browser: Browser, basement: Basement, tmp_path: Path) -> Iterator[Phone]:
    """The instructor's phone, signed in."""
    made = Phone(browser.browser_type, tmp_path / "profile", basement.running.url)
    sign_in(made.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    yield made
    made.off()


def test_a_session_without_the_server_survives_a_killed_browser(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    expect_ready(page)
    before, events = basement.present, basement.events

    basement.running.stop()
    tap(page, TAPS // 2)
    expect_unsent(page, TAPS // 2)
    page.reload()
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    expect(page.locator("[data-count=present]")).to_have_text(str(before + TAPS // 2))
    tap(page, TAPS - TAPS // 2)
    phone.kill()
    phone.on()
    page = phone.page(basement.address)
    expect(page.locator("[data-count=present]")).to_have_text(str(before + TAPS))
    expect_unsent(page, TAPS)

    find_people(page, basement)
    kept = dump(page)
    assert [one for one in (*basement.names, *basement.phones, *basement.id_numbers) if one in kept] == []
    assert page.locator(".person-name", has_text="王*伟").count() > 0
    confirm_nobody(kept, basement)

    basement.running.start()
    began = monotonic()
    expect_unsent(page, 0, SECONDS_TO_SEND)
    assert monotonic() - began <= SECONDS_TO_SEND
    assert (basement.present, basement.events) == (before + TAPS, events + TAPS)


def test_what_is_undone_left_walked_in_or_scanned_without_a_network(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    page.context.set_offline(True)
    page.reload()
    tap(page, 2)
    rows = page.locator(".person[data-present=yes]:has([data-wait]:visible)")
    expect(rows).to_have_count(2)
    rows.nth(0).locator("[data-undo]").click()
    page.locator("dialog[open] button[value=undo]").click()
    expect(page.locator("[data-count=present]")).to_have_text(str(before + 1))
    page.locator(".person[data-present=yes]:has([data-wait]:visible)").last.locator("[data-undo]").click()
    page.locator("dialog[open] button[value=leave]").click()
    page.locator("[data-walk-in]").click()
    page.locator("#walk-in-name").fill("路过的人")
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator(".person", has_text="路过的人")).to_be_visible()
    expect_unsent(page, 5)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + 1
    assert basement.count(
        "SELECT count(*) FROM attendance_event u JOIN attendance_event a ON a.id = u.undoes AND a.kind = 'arrive'"
        " WHERE u.course_session_id = :id AND u.kind = 'undo'"
    )
    assert basement.count("SELECT count(*) FROM attendance WHERE course_session_id = :id AND left_at IS NOT NULL") == 1
    assert basement.count(
        "SELECT count(*) FROM attendance_event WHERE course_session_id = :id AND walk_in_id IS NOT NULL"
        " AND review IS NOT NULL"
    )


def test_a_roster_that_was_read_before_the_taps_arrived_takes_none_of_them_back(
    basement: Basement, phone: Phone
) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    phone.context.set_offline(True)
    tap(page, 2)
    again = phone.context.new_page()
    again.add_init_script(LATE_ROSTER)
    for other in [one for one in phone.context.pages if one != again]:
        other.close()  # the network comes back, and each tab would send
    phone.context.set_offline(False)
    again.goto(basement.address)
    expect_ready(again)
    expect_unsent(again, 0)
    assert again.locator("[data-count=present]").inner_text() == str(before + 2)

    # Nor does the one that this device keeps for when there is no network, whatever was answered since it came.
    tap(again, 1)
    expect_unsent(again, 0)
    phone.context.set_offline(True)
    again.reload()
    expect(again.locator("[data-kept]")).not_to_be_empty()
    expect(again.locator("[data-count=present]")).to_have_text(str(before + 3))
    assert basement.present == before + 3


def test_two_tabs_send_what_happened_once(basement: Basement, phone: Phone) -> None:
    one, other = phone.page(basement.address), phone.page(basement.address)
    expect_ready(one)
    before, events = basement.present, basement.events
    phone.context.set_offline(True)
    one.bring_to_front()
    tap(one, 2)
    expect_unsent(other, 2)
    other.bring_to_front()
    expect(other.locator("[data-count=present]")).to_have_text(str(before + 2))
    tap(other, 2)
    expect_unsent(one, 4)
    phone.context.set_offline(False)
    for page in (one, other):
        page.evaluate("dispatchEvent(new Event('online'))")
    for page in (one, other):
        expect_unsent(page, 0)
        expect(page.locator("[data-count=present]")).to_have_text(str(before + 4))
    assert (basement.present, basement.events) == (before + 4, events + 4)


def test_signing_out_with_unsent_events_warns_and_keeps_them(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    page.context.route("**/api/v1/check-ins", lambda route: route.abort())
    tap(page, 1)
    page.goto("/account/")
    expect_unsent(page, 1)
    leave = page.locator("form[action$='/sign-out'] button")
    leave.click()
    expect(page.locator("[data-outbox-leave]")).to_contain_text("1 条未发送")
    page.locator("[data-outbox-stay]").click()
    expect(page.locator("[data-outbox-leave]")).to_be_hidden()
    leave.click()
    page.locator("[data-outbox-go]").click()
    expect(page.get_by_text("您已退出登录")).to_be_visible()

    # Nobody is signed in, no name is left on the device, and the event goes out in the instructor's name all the same.
    page.goto("/sign-in/")
    expect_unsent(page, 1)
    assert '"rosters": []' in dump(page)
    page.context.unroute("**/api/v1/check-ins")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + 1


def test_a_disconnected_device_keeps_its_events_until_it_is_connected_again(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    phone.context.set_offline(True)
    tap(page, 1)
    with basement.engine.begin() as connection:
        connection.execute(text("UPDATE device SET revoked_at = now() WHERE revoked_at IS NULL"))
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator("[data-outbox-mark]").click()
    connect = page.locator("[data-outbox-connect]")
    expect(connect).to_be_visible()
    expect_unsent(page, 1)
    assert basement.present == before
    connect.click()
    expect_unsent(page, 0)
    assert basement.present == before + 1


def test_a_new_password_disconnects_all_phones_and_loses_no_check_in(
    basement: Basement, phone: Phone, browser: Browser, tmp_path: Path
) -> None:
    """The phone in which it is changed connects again by itself; another one when its owner signs in there."""
    other = Phone(browser.browser_type, tmp_path / "other", basement.running.url)
    sign_in(other.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    pages = {device: device.page(basement.address) for device in (phone, other)}
    before = basement.present
    for device, page in pages.items():
        expect_ready(page)
        device.context.route("**/api/v1/check-ins", lambda route: route.abort())
        tap(page, 1)
        expect_unsent(page, 1)

    changing = phone.context.new_page()
    changing.goto("/account/")
    changing.locator("#present_password").fill(PASSWORD)
    changing.locator("#password").fill("another horse of mine")
    changing.locator("form[action$='/password'] button").click()
    expect(changing.get_by_text("密码已修改")).to_be_visible()
    for device, page in pages.items():
        device.context.unroute("**/api/v1/check-ins")
        page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(pages[phone], 0)
    assert basement.present >= before + 1

    page = pages[other]
    page.locator("[data-outbox-mark]").click()
    expect(page.locator("[data-outbox-connect], [data-outbox-sign-in]").locator("visible=true")).to_be_visible()
    expect_unsent(page, 1)
    page.goto("/sign-in/")
    page.locator("#identifier").fill(LOGIN)
    page.locator("#password").fill("another horse of mine")
    page.locator("main form button[type=submit]").click()
    page.goto(basement.address)
    expect_unsent(page, 0)
    other.off()
    changing.goto("/account/")
    changing.locator("#present_password").fill("another horse of mine")
    changing.locator("#password").fill(PASSWORD)
    changing.locator("form[action$='/password'] button").click()
    expect(changing.get_by_text("密码已修改")).to_be_visible()


def test_unsent_events_can_be_saved_as_a_file_and_refusals_are_shown_until_read(
    basement: Basement, phone: Phone
) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    phone.context.set_offline(True)
    tap(page, 1)
    page.locator("[data-outbox-mark]").click()
    with page.expect_download() as saved:
        page.locator("[data-outbox-save]").click()
    content = saved.value.path().read_text()
    assert '"told_at"' in content
    # A person of no training: the server refuses, the device tells.
    page.evaluate(
        """async (session) => {
          const address = [...document.scripts].find((one) => one.src.endsWith("/roster.js")).src;
          const outbox = await import(address.replace("roster.js", "outbox.js"));
          await outbox.put({ event: { session, enrolment: 987654321, kind: "arrive", method: "tap" } });
        }""",
        basement.session_id,
    )
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    refused = page.locator("[data-outbox-refused] li")
    expect(refused).to_have_count(1)
    refused.get_by_role("button").click()
    expect(refused).to_have_count(0)
    expect_unsent(page, 0)


def examine_without_a_network(basement: Basement, page: Page, enrolment_id: int) -> None:
    """Enter a failed theory score on the grid of results, start a retest with a double tap, and enter its score."""
    with basement.engine.connect() as connection:
        offering_id = connection.scalar(
            text("SELECT offering_id FROM enrolment WHERE id = :enrolment"), {"enrolment": enrolment_id}
        )
    row = page.locator(f"tr[data-enrolment='{enrolment_id}']")
    score = row.locator("[data-theory]")
    page.goto(f"{basement.running.url}/offerings/{offering_id}/assessment")
    expect(row.locator("[data-skill] input:checked").first).to_have_value("passed")
    score.fill("30")
    score.press("Enter")
    expect(row.locator("[data-state]")).to_have_text("未发送")
    row.locator("[data-retest]").dblclick()
    expect(row.locator("[data-attempt]")).to_have_text("第 2 次")
    page.reload()
    expect(row.locator("[data-earlier]")).to_contain_text("30")
    score.fill("80")
    score.press("Enter")
    expect_unsent(page, 7)


def test_skills_and_tickets_are_taken_without_a_network(basement: Basement, phone: Phone) -> None:
    with basement.engine.connect() as connection:
        enrolment_id, *sealed = connection.execute(
            text(
                "SELECT e.id, e.ticket_hash, e.ticket_sealed FROM enrolment e LEFT JOIN attendance a ON a.enrolment_id = e.id"
                " WHERE a.enrolment_id IS NULL ORDER BY e.id DESC LIMIT 1"
            )
        ).one()
    ticket = open_ticket(*sealed)
    # Headless Chromium reads no QR codes: what it would have read stands in its place.
    phone.context.add_init_script(
        """window.BarcodeDetector = class {
             static async getSupportedFormats() { return ["qr_code"]; }
             async detect() { return [{ rawValue: window.name }]; }
           };"""
    )
    page = phone.page(basement.address)
    expect_ready(page)
    phone.context.set_offline(True)
    page.reload()
    page.locator("[data-scan]").click()
    said = page.locator("[data-scan-result]")
    for shown, words in (
        (f"{basement.running.url}/tickets/{ticket}", "已签到"),
        ("x" * 22, "留待审核"),
        ("https://example.org/menu", "不是本系统的"),
    ):
        page.evaluate("(text) => { window.name = text; }", shown)
        page.locator("[data-photo-input]").set_input_files(
            {"name": "ticket.png", "mimeType": "image/png", "buffer": PIXEL}
        )
        expect(said).to_contain_text(words)
    page.locator("dialog[open] [data-dismiss]").click()
    assert ticket not in dump(page)

    row = page.locator(f"[data-enrolment='{enrolment_id}']")
    row.locator("[data-undo]").click()
    page.locator("[data-skills]").click()
    page.locator("dialog[open] .btn-skill-passed").first.click()
    expect(page.locator("dialog[open] input").first).to_be_checked()
    page.locator("dialog[open] .btn-skill-not").last.click()
    expect_unsent(page, 4)
    examine_without_a_network(basement, page, enrolment_id)
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    expect(page.locator(f"tr[data-enrolment='{enrolment_id}'] [data-state]")).to_have_text("已保存")
    assert basement.count(
        "SELECT count(*) FROM attendance WHERE course_session_id = :id AND enrolment_id = :enrolment",
        enrolment=enrolment_id,
    )
    assert basement.count(
        "SELECT count(*) FROM attendance_event WHERE course_session_id = :id AND review = 'unknown_ticket'"
    )
    with basement.engine.connect() as connection:
        passed = connection.execute(
            text("SELECT passed FROM skill_event WHERE enrolment_id = :enrolment ORDER BY skill_id"),
            {"enrolment": enrolment_id},
        ).scalars()
        assert list(passed) == [True, False]
        scores = connection.execute(
            text("SELECT theory_score FROM assessment WHERE enrolment_id = :enrolment ORDER BY attempt"),
            {"enrolment": enrolment_id},
        ).scalars()
        assert list(scores) == [30, 80]


def test_double_taps_and_keys_check_in_one_person_and_keep_the_focus(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    page.context.set_offline(True)
    before = basement.present
    present, focused = page.locator("[data-count=present]"), page.locator(":focus")
    row = page.locator(".person[data-present=no]:visible").nth(1)
    tapped, name = page.locator(f"#{row.get_attribute('id')}"), row.get_attribute("data-name")
    # The button for changes comes where the finger is: the second tap must not open its dialog.
    row.locator(".person-do").hover()  # the stories before this one have checked in all who stand above the fold
    button = row.locator(".person-do").bounding_box()
    assert button is not None
    page.mouse.dblclick(button["x"] + 5, button["y"] + 5)
    expect(tapped).to_have_attribute("data-present", "yes")
    expect(page.locator("[data-announce]")).to_have_text(f"{name}已签到。")
    expect(focused).to_have_attribute("data-undo", "")
    expect(page.locator("dialog[open]")).to_have_count(0)

    # A key that is held down while a name is searched for checks in one person; the focus goes to the next one.
    missing = page.locator(".person[data-present=no]:visible")
    other = missing.nth(2).get_attribute("data-name") or ""
    page.locator("[data-search]").fill(other[:2])
    missing.first.locator(".person-tap").focus()
    for _ in range(5):
        page.keyboard.press("Enter")
    expect(present).to_have_text(str(before + 2))
    expect(focused).to_have_class("person-tap")
    expect(page.locator("[data-search]")).to_have_value("")

    # A dialog gives the focus back; after an undo it stands on the person.
    page.wait_for_timeout(DOUBLE_TAP_MS)
    tapped.locator("[data-undo]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(focused).to_have_attribute("data-undo", "")
    page.wait_for_timeout(DOUBLE_TAP_MS)
    page.keyboard.press("Enter")
    page.locator("dialog[open] button[value=undo]").click()
    expect(focused).to_have_class("person-tap")
    expect(present).to_have_text(str(before + 1))
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + 1


def test_all_present_leaves_out_who_is_unticked_and_can_be_taken_back(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before, events = basement.present, basement.events
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("[data-count=all]")).not_to_have_text("0")
    for exceptions in (1, 2):
        page.locator("[data-everyone]").click()
        boxes = page.locator("dialog[open] [data-everyone-list] input")
        number = boxes.count() - exceptions
        for place in range(exceptions):
            boxes.nth(place).uncheck()
        expect(page.locator("[data-everyone-mark]")).to_have_text(f"将 {number} 人记为已到")
        page.wait_for_timeout(DOUBLE_TAP_MS)
        page.locator("[data-everyone-mark]").dblclick()
        expect(page.locator("[data-count=present]")).to_have_text(str(before + number))
        page.wait_for_timeout(DOUBLE_TAP_MS)
        page.locator("[data-everyone-undo]").click()
        expect(page.locator("[data-count=present]")).to_have_text(str(before))
        page.locator("[data-everyone-after] [data-dismiss]").click()
        expect(page.locator("[data-everyone]")).to_be_focused()
        page.wait_for_timeout(DOUBLE_TAP_MS)
        page.context.set_offline(False)  # the second time each event is sent at once
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before
    assert basement.events == events + 2 * (2 * number + 1)


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
