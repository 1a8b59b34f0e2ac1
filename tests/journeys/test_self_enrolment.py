"""A visitor on a phone: finds an offering, enrols in a minute, keeps the ticket, gives the place back."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import PHONE


def test_enrol_keep_the_ticket_and_cancel(site: Site, visit: Visit) -> None:
    page = visit(viewport=PHONE)
    page.goto("/")
    page.get_by_role("link", name="查找公开培训").click()
    page.locator("main details > summary").first.click()
    page.locator("select[name=programme]").select_option("FIRST_RESPONDER")
    page.get_by_role("button", name="查询").click()
    page.get_by_role("link", name=re.compile("查看详情并报名")).last.click()
    page.get_by_role("link", name="报名").first.click()
    address = page.url

    # Nothing typed is lost when something is wrong, and what is wrong is said where it is.
    page.locator("[name=name]").fill("欧阳 文静")
    page.locator("[name=phone]").fill("1380013")
    page.get_by_role("button", name="报名").click()
    expect(page.locator("#phone-error")).to_contain_text("11位手机号")
    expect(page.locator("[name=name]")).to_have_value("欧阳 文静")
    expect(page.locator("#consent-error")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.locator("[name=phone]").fill("137 0000 1001")
    page.locator("[name=email]").fill("wenjing@example.org")
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="报名").click()
    expect(page).to_have_url(re.compile("/tickets/[A-Za-z0-9_-]{22}$"))
    ticket = page.url
    expect(page.locator("main")).to_contain_text("欧阳 文静")
    expect(page.locator("main")).to_contain_text("137****1001")
    calendar = page.request.get(f"{ticket}/calendar.ics")
    assert calendar.text().startswith("BEGIN:VCALENDAR")
    assert page.request.get(ticket).headers["cache-control"] == "no-store"

    # Whoever knows name and phone gets no second ticket and learns nothing of the first.
    stranger = visit(viewport=PHONE)
    stranger.goto(address)
    stranger.locator("[name=name]").fill("欧阳文静")
    stranger.locator("[name=phone]").fill("13700001001")
    stranger.locator("[name=consent]").check()
    stranger.get_by_role("button", name="报名").click()
    expect(stranger.locator("main")).to_be_visible()
    assert "/tickets/" not in stranger.url
    assert ticket.rpartition("/")[2] not in stranger.content()

    page.goto(f"{ticket}/cancel")
    page.locator("main form button[type=submit]").first.click()
    page.goto(ticket)
    expect(page.locator("main")).to_contain_text("已取消")
    expect(page.locator(".ticket-code")).to_have_count(0)


def test_the_whole_way_works_without_scripts(visit: Visit) -> None:
    page = visit(viewport=PHONE, java_script_enabled=False)
    page.goto("/training/")
    page.get_by_role("link", name=re.compile("查看详情并报名")).first.click()
    page.get_by_role("link", name="报名").first.click()
    page.locator("[name=name]").fill("田无本")
    page.locator("[name=phone]").fill("13700001002")
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="报名").click()
    expect(page).to_have_url(re.compile("/tickets/"))
    expect(page.locator(".ticket-code svg")).to_be_visible()
