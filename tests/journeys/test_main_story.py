"""The main job, end to end: schedule, enrol, check in, examine, close, certify, verify, count."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import pypdfium2
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import text

from lms.config import Settings
from tests.journeys.conftest import BUSY_LEAD, Account, Site, Visit, sign_in
from tests.journeys.screens import PHONE

ZONE = Settings.model_fields["time_zone"].default
LEAD = "lead@demo.example.org"
FIGURES = ("报名", "到课（实名）", "现场人数", "人次", "人数*", "人时", "合格", "发证")


def figures(page: Page) -> dict[str, float]:
    """The totals of today's first-responder report in Haidian, read from the page as a person reads them."""
    page.goto("/reports/enrolment?programme=FIRST_RESPONDER&district=6&grouping=district")
    names = [
        re.sub(r"\s+", "", name) for name in page.locator("main table").first.locator("thead th").all_inner_texts()
    ]
    row = page.locator("tr.report-sum").first
    cells = row.locator("th, td").all_inner_texts()
    read = dict(zip(names, cells, strict=True))
    return {name: float(read[name].replace(",", "")) for name in FIGURES}


def later(site: Site) -> datetime:
    """A full minute, in the branch's time zone, that leaves time for what comes before it."""
    with site.engine.connect() as connection:
        now = cast(datetime, connection.scalar(text(f"SELECT now() AT TIME ZONE '{ZONE}'")))
    return (now + timedelta(minutes=5)).replace(second=0, microsecond=0)


def schedule(page: Page, start: datetime) -> str:
    """Schedule and publish an elementary course that begins then. Returns the address of its page."""
    page.goto("/offerings/")
    page.get_by_role("link", name="新建培训班").click()
    page.get_by_label("课程").select_option(label="初级急救员 · 8 学时")
    page.locator("#organisation").fill("海淀区清河街道阳光社区")
    page.locator("[name=place]").first.fill("阳光社区活动室")
    row = page.locator("fieldset").first
    row.locator("input[type=date]").fill(start.strftime("%Y-%m-%d"))
    row.locator("input[type=time]").nth(0).fill(start.strftime("%H:%M"))
    row.locator("input[type=time]").nth(1).fill((start + timedelta(hours=2)).strftime("%H:%M"))
    page.locator("[name=lead]").fill(BUSY_LEAD)
    page.get_by_role("button", name="存为草稿").click()
    # Two hours are fewer than the course has: the certificates will state what was given.
    page.get_by_role("link", name="发布", exact=True).click()
    page.get_by_label(re.compile("实际学时")).check()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("已发布").first).to_be_visible()
    return urlsplit(page.url).path


def invite(site: Site, visit: Visit, office: Page) -> Page:
    """Invite the second instructor of the demo. Returns a phone on which the new account is signed in."""
    office.goto(f"/instructors/?text={BUSY_LEAD}")
    office.locator("main a[href^='/instructors/']").filter(has_text=re.compile(r"\S")).last.click()
    office.get_by_role("link", name="修改").click()
    office.locator("[name=email]").fill(LEAD)
    office.get_by_role("button", name="保存").click()
    office.get_by_role("button", name="发送邀请").click()
    expect(office.get_by_text("通过邮件发送")).to_be_visible()
    link = None
    while link is None:
        office.wait_for_timeout(200)
        link = re.search(r"http://\S+/invitations/\S+", "".join(site.mails(LEAD)[-1:]))
    teacher = visit(viewport=PHONE)
    teacher.goto(link.group(0))
    teacher.locator("[name=password]").fill("一二三 four five six")
    teacher.get_by_role("button", name="新建账号并接受").click()
    expect(teacher.get_by_text("账号已建好")).to_be_visible()
    sign_in(teacher, Account("instructor", LEAD, "一二三 four five six"))
    return teacher


def test_from_schedule_to_report(site: Site, visit: Visit) -> None:
    office = visit("city_administrator")
    before = figures(office)
    offering = schedule(office, later(site))
    number = int(re.findall(r"\d+", offering)[-1])

    # A visitor enrols on a phone and keeps the ticket.
    visitor = visit(viewport=PHONE)
    visitor.goto("/training/")
    visitor.goto(f"/training/{number}")
    visitor.get_by_role("link", name="报名").first.click()
    visitor.locator("[name=name]").fill("龙䶮")
    visitor.locator("[name=phone]").fill("13700000001")
    visitor.locator("[name=consent]").check()
    visitor.get_by_role("button", name="报名").click()
    expect(visitor).to_have_url(re.compile("/tickets/"))
    ticket = visitor.url
    shown = zxingcpp.read_barcodes(Image.open(io.BytesIO(visitor.locator(".ticket-code").screenshot())))
    assert [code.text for code in shown] == [ticket]

    # The office enrols somebody else.
    office.goto(offering)
    office.get_by_role("link", name="为学员报名").click()
    new = office.locator("form.panel").last
    new.locator("[name=name]").fill("欧阳小河")
    new.locator("[name=phone]").fill("13700000002")
    new.get_by_role("button", name="报名").click()
    expect(office.get_by_text("欧阳小河").first).to_be_visible()

    # The lead has no account yet: the office invites, the mail comes, the instructor makes one.
    teacher = invite(site, visit, office)
    teacher.goto("/today/")
    card = teacher.locator("article, section, li").filter(has_text="阳光社区活动室").last
    card.get_by_role("button", name="我已到场").click()
    teacher.goto("/today/")
    teacher.locator("article, section, li").filter(has_text="阳光社区活动室").last.get_by_role(
        "link", name="学员签到"
    ).click()
    expect(teacher.locator("[data-count=missing]")).to_have_text("2")
    for name in ("龙䶮", "欧阳小河"):
        teacher.locator(f".person[data-name='{name}'] .person-tap").click()
    expect(teacher.locator("[data-count=present]")).to_have_text("2")
    expect(teacher.locator("[data-outbox-mark]")).to_be_hidden()
    roster = teacher.url
    teacher.get_by_role("link", name="现场报名").click()
    teacher.get_by_role("link", name="现在填手机号登记").click()
    teacher.locator("[name=name]").fill("阿依古丽·买买提")
    teacher.locator("[name=phone]").fill("13700000003")
    teacher.get_by_role("button", name="添加并签到").click()
    expect(teacher.locator("[data-count=present]")).to_have_text("3")
    teacher.locator(".roster-menu summary").click()
    teacher.get_by_role("link", name=re.compile("现场人数")).click()
    teacher.locator("[name=number]").fill("5")
    teacher.get_by_role("button", name="保存").click()

    # Results: two pass, the walk-in has none.
    for name in ("龙䶮", "欧阳小河"):
        teacher.goto(f"/offerings/{number}/assessment")
        teacher.get_by_role("link", name=re.compile(name)).click()
        teacher.locator("[name=theory_score]").fill("88")
        teacher.locator("[data-all-passed]").click()
        teacher.locator("[name=examiner]").select_option(index=1)
        teacher.get_by_role("button", name="保存", exact=True).click()

    # Closing names who cannot be certified and why, then asks once.
    _begin(site, number)
    teacher.goto(roster)
    teacher.locator(".roster-menu summary").click()
    teacher.get_by_role("link", name="结课").click()
    expect(teacher.locator(".short-list")).to_contain_text("阿依古丽·买买提")
    expect(teacher.locator(".short-list")).not_to_contain_text("龙䶮")
    teacher.get_by_label(re.compile("仍要现在结课")).check()
    expect(teacher.get_by_label(re.compile("实际学时"))).to_be_checked()
    teacher.get_by_role("button", name=re.compile("颁发 ?2 ?张证书|2")).last.click()
    expect(teacher.locator("main")).to_contain_text("已结")

    # The worker issues; the holder finds the certificate on the ticket page and downloads it.
    for _ in range(60):
        visitor.goto(ticket)
        if visitor.get_by_role("link", name="下载证书（PDF）").count():
            break
        visitor.wait_for_timeout(500)
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="下载证书（PDF）").click()
    document = pypdfium2.PdfDocument(download.value.path())
    assert len(document) == 1
    words = document[0].get_textpage().get_text_bounded()
    assert "龙䶮" in words
    (code,) = zxingcpp.read_barcodes(document[0].render(scale=150 / 72).to_pil())
    document.close()
    assert urlsplit(code.text).path.startswith("/v/")

    # Anybody scans it.
    stranger = visit(viewport=PHONE)
    stranger.goto(code.text)
    expect(stranger.locator("h1")).to_contain_text("有效")
    expect(stranger.locator("main")).to_contain_text("龙*")
    expect(stranger.locator("main")).not_to_contain_text("龙䶮")

    # The report moved by exactly what happened.
    after = figures(office)
    assert {name: round(after[name] - before[name], 1) for name in FIGURES} == {
        "报名": 3,
        "到课（实名）": 3,
        "现场人数": 5,
        "人次": 8,
        "人数*": 3,
        "人时": 6.0,
        "合格": 2,
        "发证": 2,
    }
    exported = office.request.get(
        "/reports/enrolment/export/csv?programme=FIRST_RESPONDER&district=6&grouping=district"
    )
    assert exported.body().startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(exported.body().decode("utf-8-sig"))))
    assert any(f"{after['人次']:.0f}" in line for line in lines)
    assert "no difference" in site.flask("person-time", "check")


def _begin(site: Site, number: int) -> None:
    """Move the offering's session to now by the database's clock, as long as it was planned. Nobody waits for its start."""
    with site.engine.begin() as connection:
        moved = connection.execute(
            text(
                "UPDATE course_session SET starts_at = now(), ends_at = now() + (ends_at - starts_at) "
                "WHERE offering_id = :offering AND starts_at > now()"
            ),
            {"offering": number},
        )
    assert moved.rowcount == 1
