"""The roster in one sweep without a network: skills and tickets, double taps, keys, and all present with exceptions."""

import base64

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from courses.models.enrolment import open_ticket
from tests.journeys.basement import Basement
from tests.journeys.device import Phone, dump, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

DOUBLE_TAP_MS = 450  # a tap after this is one of its own
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


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
