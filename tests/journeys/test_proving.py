"""Proving a contact in a real browser: by a code that comes by SMS, and by a link that a mail scanner opened before."""

import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Account, Site, Visit, sign_in
from tests.journeys.screens import PHONE

NUMBER = "13700009101"
PASSWORD = "秋天的银杏 four five"


def awaited(page: Page, read: Callable[[], list[str]], count: int = 1) -> str:
    """The newest of what is read, as soon as there are so many."""
    for _ in range(150):
        found = read()
        if len(found) >= count:
            return found[-1]
        page.wait_for_timeout(200)
    raise AssertionError("nothing came")


def test_a_code_by_sms_opens_the_record_to_its_owner(site: Site, visit: Visit) -> None:
    page = visit(viewport=PHONE)
    page.goto("/training/")
    page.get_by_role("link", name=re.compile("查看详情并报名")).first.click()
    page.get_by_role("link", name="报名").first.click()
    page.locator("[name=name]").fill("上官银杏")
    page.locator("[name=phone]").fill(NUMBER)
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="报名").click()
    expect(page).to_have_url(re.compile("/tickets/[A-Za-z0-9_-]{22}$"))

    page.get_by_role("link", name="注册账号，查看全部培训").click()
    expect(page.locator("main")).to_contain_text("137****9101")
    expect(page.locator("[type=password]")).to_have_count(0)
    page.get_by_role("button", name="发送验证码").click()
    expect(page).to_have_url(re.compile("/prove/[0-9a-f]{32}$"))
    assert NUMBER not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert Axe().run(page).response["violations"] == []
    code = awaited(page, lambda: site.codes(NUMBER))

    # A wrong code is said so, and the right one is taken afterwards.
    page.locator("[name=code]").fill(f"{(int(code) + 1) % 10**6:06d}")
    page.get_by_role("button", name="确认").click()
    expect(page.locator("#code-error")).to_contain_text("还可以再试 4 次")
    page.locator("[name=code]").fill(code)
    page.get_by_role("button", name="确认").click()
    expect(page).to_have_url(re.compile("/tickets/.*/account$"))
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="创建账号").click()
    page.locator("[name=identifier]").fill(NUMBER)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.goto("/my-training/")
    expect(page.locator("main article")).to_have_count(1)
    page.goto("/account/contacts")
    expect(page.locator("main")).to_contain_text("已验证")


def test_a_link_by_mail_counts_when_it_is_tapped_and_not_when_a_scanner_opens_it(
    site: Site, visit: Visit, tmp_path: Path
) -> None:
    address = "zhou.scan@example.org"
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    who = ("--name", "周扫描", "--phone", "13700009102", "--role", "trainee")
    site.flask("user", "create", *who, "--password-file", str(secret))
    page = visit(viewport=PHONE)
    sign_in(page, Account("trainee", "13700009102", PASSWORD))
    page.goto("/account/contacts")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    form = page.locator("form[action$='/contacts/email']")
    form.locator("[name=email]").fill(address)
    form.get_by_role("button", name="发送验证码").click()
    expect(page).to_have_url(re.compile("/prove/[0-9a-f]{32}$"))

    def links() -> list[str]:
        return [link for text in site.mails(address) for link in re.findall(r"http://\S+/prove/link/\S+", text)]

    link = awaited(page, links)
    scanner = visit()
    assert scanner.request.head(link).status == 200
    assert scanner.request.get(link).status == 200
    scanner.goto(link)  # with scripts, as some scanners do
    scanner.wait_for_timeout(500)
    page.goto("/account/contacts")
    expect(page.locator("main")).not_to_contain_text(address)

    mail_app = visit(viewport=PHONE)
    mail_app.goto(link)
    expect(mail_app.locator("main")).to_contain_text("z***@example.org")
    assert mail_app.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert Axe().run(mail_app).response["violations"] == []
    mail_app.get_by_role("button", name="是我的邮箱，确认").click()
    expect(mail_app.get_by_text("已验证").first).to_be_visible()
    page.goto("/account/contacts")
    expect(page.locator("main")).to_contain_text(address)
    mail_app.goto(link)
    expect(mail_app.get_by_role("button", name="是我的邮箱，确认")).to_have_count(0)
