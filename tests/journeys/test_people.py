"""Changes of a person: staff at the desk prove a phone and hand over an account; a coordinator proposes and the city decides."""

import re

from playwright.sync_api import expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import PHONE

PASSWORD = "vier Hasen hoppeln heim"


def test_staff_at_the_desk_open_an_account_for_a_person(site: Site, visit: Visit) -> None:
    with site.engine.connect() as connection:
        offering = connection.scalar(
            text(
                "SELECT offering.id FROM offering JOIN course_session ON course_session.offering_id = offering.id"
                " WHERE district_id = 6 AND state = 'published' AND starts_at > now() ORDER BY starts_at LIMIT 1"
            )
        )
    desk = visit("district_administrator")
    desk.goto(f"/offerings/{offering}/enrolments/new")
    desk.locator("form.panel [name=name]").fill("周到场")
    desk.locator("form.panel [name=phone]").fill("137 0000 2001")
    desk.locator("form.panel").get_by_role("button", name="报名").click()
    desk.get_by_role("link", name="周到场", exact=True).click()
    expect(desk.locator("main")).to_contain_text("未验证")

    desk.get_by_role("link", name="当面验证联系方式").click()
    desk.get_by_label(re.compile("手机号")).check()
    desk.get_by_role("button", name="已验证").click()
    expect(desk.locator("#seen-error")).to_be_visible()
    desk.locator("[name=seen]").check()
    desk.get_by_role("button", name="已验证").click()
    expect(desk.locator("main")).to_contain_text("本人在场")
    desk.get_by_role("button", name="显示开通账号的二维码").click()
    expect(desk.locator(".ticket-code svg")).to_be_visible()
    link = desk.get_by_label("链接", exact=True).input_value()

    person = visit(viewport=PHONE)
    person.goto(link)
    for field in person.locator("main input[type=password]").all():
        field.fill(PASSWORD)
    person.locator("main form button[type=submit]").first.click()
    expect(person.locator("main")).not_to_contain_text("已使用")
    person.goto("/sign-in/")
    person.locator("main input:not([type=hidden]):not([type=password]):not([type=checkbox])").first.fill("13700002001")
    person.locator("main input[type=password]").fill(PASSWORD)
    person.locator("main form button[type=submit]").first.click()
    person.goto("/my-training/")
    expect(person.locator("article")).to_have_count(1)
    assert visit(viewport=PHONE).request.get(link).status == 410


def test_a_coordinator_proposes_what_the_city_decides(site: Site, visit: Visit) -> None:
    with site.engine.connect() as connection:
        person = connection.scalar(
            text(
                "SELECT trainee_id FROM enrolment e JOIN offering o ON o.id = e.offering_id WHERE o.organisation_id = 1"
                " AND EXISTS (SELECT FROM enrolment x JOIN offering y ON y.id = x.offering_id"
                " WHERE x.trainee_id = e.trainee_id AND y.organisation_id <> 1) ORDER BY 1 LIMIT 1"
            )
        )
    host = visit("coordinator", viewport=PHONE)
    host.goto(f"/trainees/{person}")
    expect(host.locator("main")).to_contain_text("只能提出变更申请")
    host.get_by_role("link", name="申请变更").click()
    host.locator("[name=email]").fill("moved@example.org")
    host.locator("[name=reason]").fill("学员在课上告知更换邮箱")
    host.get_by_role("button", name="提交变更申请").click()
    expect(host.locator("main")).to_contain_text("待处理")
    expect(host.locator("main")).to_contain_text("m***@example.org")
    expect(host.get_by_role("button", name="采纳并修改档案")).to_have_count(0)
    proposal = host.url
    assert host.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    city = visit("city_administrator")
    city.goto("/trainees/")
    city.get_by_role("link", name=re.compile("变更申请")).click()
    city.locator("tbody a").first.click()
    city.get_by_role("button", name="采纳并修改档案").click()
    expect(city.locator("main")).to_contain_text("已采纳")
    host.goto(proposal)
    expect(host.locator("main")).to_contain_text("已采纳")
    expect(host.locator("main")).to_contain_text("由市级或学员所属区决定")
