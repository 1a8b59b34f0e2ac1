"""An administrator brings an old training in from a spreadsheet, has the bad rows as a file, sees it counted, and takes it back."""

import csv
import io
import re
from pathlib import Path

import xlsxwriter
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import PHONE

YEAR = "/reports/enrolment?since=2009-01-01&until=2009-12-31"
HEADINGS = ("课程", "区", "主办单位", "日期", "开始时间", "结束时间", "谁来了", "手机", "来没来", "结果")
RIGHT, WRONG = "2009-05-09", "2009-05-16"
PEOPLE = (
    (RIGHT, "郑一", "13700003001"),
    (WRONG, "郑二", "137000"),
    (RIGHT, "郑三", "13700003003"),
    (WRONG, "", "13700003004"),
    (RIGHT, "郑五", "13700003005"),
)


def spreadsheet(site: Site, path: Path) -> Path:
    with site.engine.connect() as connection:
        course = connection.scalar(text("SELECT code FROM course ORDER BY id LIMIT 1"))
        district, host = connection.execute(
            text(
                "SELECT d.name_zh, o.name_zh FROM organisation o JOIN district d ON d.id = o.district_id"
                " WHERE o.active ORDER BY o.id LIMIT 1"
            )
        ).one()
    with xlsxwriter.Workbook(path) as book:
        for sheet, people in (("另一班", PEOPLE[:1]), ("旧班", PEOPLE)):
            page = book.add_worksheet(sheet)
            page.write_row(0, 0, HEADINGS)
            for line, (day, name, phone) in enumerate(people, 1):
                present = "迟到" if line == 1 else "√"
                page.write_row(line, 0, (course, district, host, day, "09:00", "12:00", name, phone, present, "合格"))
    return path


def faults(page: Page) -> list[str]:
    """Faults that axe finds on a page at a phone's width, and whether the page scrolls sideways."""
    violations = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    return [f"{page.url}: {one['id']}" for one in violations] + [f"{page.url}: sideways"] * wide


def test_an_old_training_comes_in_is_counted_and_goes_again(site: Site, visit: Visit, tmp_path: Path) -> None:
    office = visit("city_administrator", viewport=PHONE)
    office.goto("/imports/")
    found = faults(office)
    office.get_by_role("link", name="导入文件").click()
    found += faults(office)
    office.get_by_role("link", name="历史培训").first.click()
    found += faults(office)
    office.locator("input[type=file]").set_input_files(spreadsheet(site, tmp_path / "旧班.xlsx"))
    office.get_by_role("button", name="上传文件").click()
    expect(office.get_by_text("137****001").first).to_be_visible()
    found += faults(office)
    office.get_by_role("radio", name="旧班").check()
    office.get_by_role("button", name="读取这张工作表").click()
    expect(office.get_by_text("其他工作表：另一班")).to_be_visible()
    expect(office.get_by_text("谁来了、来没来")).to_be_visible()
    found += faults(office)
    office.get_by_label("出勤课次").select_option(label="来没来")
    office.get_by_label("“迟到”的含义").select_option(value="all")
    found += faults(office)

    office.get_by_label("姓名").select_option(label="谁来了")
    office.get_by_role("button", name="检查文件").click()
    expect(office.get_by_role("button", name="导入 3 行")).to_be_visible()
    found += faults(office)
    with office.expect_download() as download:
        office.get_by_role("link", name="待更正的行（CSV）").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_bytes().decode("utf-8-sig"))))
    assert [row[10] for row in rows[-2:]] == ["3", "5"]
    assert all(row[11] for row in rows[-2:])
    page = office.url

    office.get_by_role("button", name="导入 3 行").click()
    expect(office.get_by_role("link", name="撤销整次导入")).to_be_visible()
    office.goto(YEAR)
    expect(office.locator(".report-figure").first).to_have_text("3")
    office.goto(page)
    office.get_by_role("link", name="撤销整次导入").click()
    found += faults(office)
    office.get_by_label("原因").fill("发错了文件")
    office.get_by_role("button", name=re.compile("撤销导入")).click()
    expect(office.get_by_text("已撤销", exact=True)).to_be_visible()
    office.goto(YEAR)
    expect(office.locator(".report-figure").first).to_have_text("0")
    assert found == []
