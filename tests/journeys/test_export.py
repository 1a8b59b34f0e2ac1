"""An administrator takes a long export away: sees how far it is, then has the file. Nobody else does, and the audit knows."""

import csv
import io
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import EXPORT_LIMIT_ROWS, Site, Visit
from tests.journeys.screens import PHONE

EVER = "/reports/offerings?since=2020-01-01&until=2039-12-31"
TITLE = "参加记录（每人每班一行）"


def faults(page: Page) -> list[str]:
    """Faults that axe finds on a page at a phone's width, and whether the page scrolls sideways."""
    violations = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    return [f"{page.url}: {one['id']}" for one in violations] + [f"{page.url}: sideways"] * wide


def test_a_long_export_is_watched_fetched_and_seen_by_its_owner_alone(site: Site, visit: Visit) -> None:
    office, other = visit("city_administrator", viewport=PHONE), visit("auditor")
    office.goto(EVER)
    office.get_by_role("link", name="参加记录…").click()
    found = faults(office)
    rows = int(re.sub(r"\D", "", office.locator(".page-title .lead").inner_text()))
    assert rows > EXPORT_LIMIT_ROWS
    office.get_by_label("CSV").check()
    office.get_by_label("电话隐去中间几位").check()
    # A table that the export alone reads is held, as a longer one would be read: the page shows how far it is.
    with site.engine.begin() as holding:
        holding.exec_driver_sql("LOCK TABLE trainee IN ACCESS EXCLUSIVE MODE")
        office.get_by_role("button", name="生成文件").click()
        expect(office.get_by_text(f"已完成 0 行，共约 {rows:,} 行")).to_be_visible()
        expect(office.get_by_role("progressbar")).to_be_visible()
        expect(office.get_by_role("link", name="下载")).to_have_count(0)
        found += faults(office)
        page = office.url
        assert office.request.get(f"{page}/file", max_redirects=0).status == 302
        office.goto("/reports/exports/")
        expect(office.get_by_role("progressbar")).to_be_visible()
        office.goto(page)
    # By itself. Where the machine was slow and the worker gave up waiting for the table, its schedule begins anew.
    expect(office.get_by_role("link", name="下载")).to_be_visible(timeout=90_000)
    expect(office.get_by_text("仅本人可下载")).to_be_visible()
    found += faults(office)
    with office.expect_download() as download:
        office.get_by_role("link", name="下载").click()
    content = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content)))
    people = lines[-rows:]
    assert lines[-rows - 1][-2:] == ["姓名", "手机号"]
    assert all(re.fullmatch(r"(\d{3}\*{4}\d{4})?", line[-1]) for line in people)
    assert not re.search(r"\b1\d{10}\b", content)

    for role in ("auditor", "district_administrator"):
        stranger = other if role == "auditor" else visit(role)
        assert stranger.request.get(page).status == 404
        assert stranger.request.get(f"{page}/file").status == 404
        stranger.goto("/reports/exports/")
        expect(stranger.get_by_text("暂无导出文件")).to_be_visible()

    other.goto("/audit/?action=report.export")
    entry = other.locator("li.list-group-item").first
    expect(entry).to_contain_text(TITLE)
    expect(entry).to_contain_text("刘市级")
    expect(entry).to_contain_text("含姓名，电话隐去中间几位")
    other.goto("/audit/?action=export.download")
    expect(other.locator("li.list-group-item").first).to_contain_text("刘市级")

    office.get_by_role("button", name="立即删除").click()
    expect(office.get_by_text(TITLE)).to_have_count(0)
    assert office.request.get(page).status == 404
    assert found == []
