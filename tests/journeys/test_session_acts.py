"""The instructor's own check-in and the headcount without a network; and a store of the browser that is lost for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement, tap
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

# The connections to IndexedDB, so that they can be ended without a word, and refused when they are opened again.
CONNECTIONS = """
  const open = IDBFactory.prototype.open;
  window.connections = [];
  IDBFactory.prototype.open = function (...given) {
    if (window.refusing) throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
    const request = open.apply(this, given);
    request.addEventListener("success", () => window.connections.push(request.result));
    return request;
  };
"""


@pytest.fixture
def phone(browser: Browser, basement: Basement, tmp_path: Path) -> Iterator[Phone]:
    """The instructor's phone, signed in."""
    made = Phone(browser.browser_type, tmp_path / "profile", basement.running.url)
    sign_in(made.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    yield made
    made.off()


def test_own_check_in_and_headcount_without_a_network(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    phone.context.set_offline(True)
    page.goto("/today/")
    own = page.locator("form[data-own]").first
    own.get_by_role("button", name="我已到场").dblclick()  # the second tap does not check out again
    expect(own).to_contain_text("到场")
    expect(own).to_contain_text("未发送")
    expect_unsent(page, 1)
    page.goto(basement.address.replace("attendance", "headcount"))
    page.locator("[name=number]").fill("100001")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("[data-entered]")).to_contain_text("100000")
    page.locator("[name=number]").fill("12")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("[data-entered]")).to_contain_text("现场人数：12 人。 · 未发送")
    phone.kill()
    phone.on()
    phone.context.set_offline(True)
    page = phone.page(basement.address)
    expect(page.locator("form[data-own]")).to_contain_text("未发送")
    expect(page.locator("form[data-own]").get_by_role("button")).to_have_text("签退")
    page.goto("/today/")
    expect(page.locator("[data-headcount-number]").first).to_have_text("12")
    expect_unsent(page, 2)
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    expect(page.locator("form[data-own]").first).not_to_contain_text("未发送")
    assert basement.count("SELECT headcount FROM course_session WHERE id = :id") == 12
    assert basement.count("SELECT count(*) FROM session_event WHERE course_session_id = :id") == 2
    arrived = "SELECT count(arrived_at) FROM session_instructor WHERE course_session_id = :id AND left_at IS NULL"
    assert basement.count(arrived) == 1


def test_a_lost_store_takes_no_mark_and_no_tick_away(basement: Basement, phone: Phone) -> None:
    phone.context.add_init_script(CONNECTIONS)
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    phone.context.set_offline(True)
    tap(page, 2)
    page.evaluate("connections.forEach((connection) => connection.close())")
    tap(page, 1)  # the connection is opened again
    expect_unsent(page, 3)
    page.evaluate("refusing = true; connections.forEach((connection) => connection.close())")
    tap(page, 1)
    expect_unsent(page, 4)
    expect(page.locator("[data-count=present]")).to_have_text(str(before + 4))
    page.evaluate("refusing = false")
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + 4
