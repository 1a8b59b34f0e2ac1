"""A device and its unsent events at a sign-out, a disconnection, a new password, and as a file: nothing is lost."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement, tap
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, dump, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")


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
