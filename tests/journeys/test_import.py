"""A coordinator sends a class list from Excel: bad rows are named with line and reason, the good go in without them."""

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit

# As Excel in China saves it: GBK, a phone with spaces, a wrong check character, a double, a formula.
LIST = """姓名,手机,证件类型,证件号码,出生年份,邮箱,监护人,监护人电话
钱一一,13700002001,居民身份证,{good},,,,
孙二二,137 0000 2002,,,1988,sun@example.org,,
李三三,1370000,,,,,,
周四四,13700002004,居民身份证,{bad},,,,
钱一一,13700002001,居民身份证,{good},,,,
=cmd()|' /C calc'!A0,13700002006,,,,,,
吴小小,,,,2019,,吴大大,13700002007
"""


def check_character(body: str) -> str:
    """The check character of a resident ID number (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


def test_good_rows_go_in_without_the_bad(site: Site, visit: Visit, tmp_path: Path) -> None:
    right = check_character("11010119900307773")
    content = LIST.format(good=f"11010119900307773{right}", bad=f"11010119900307773{'1' if right != '1' else '2'}")
    path = tmp_path / "名单.csv"
    path.write_bytes(content.encode("gbk"))

    office = visit("city_administrator")
    office.goto("/offerings/?state=published")
    with site.engine.connect() as connection:
        offering = connection.scalar(
            text("SELECT id FROM offering WHERE state = 'published' AND organisation_id = 2 ORDER BY id DESC LIMIT 1")
        )
        before = connection.scalar(text("SELECT count(*) FROM enrolment WHERE offering_id = :id"), {"id": offering})
    office.goto(f"/offerings/{offering}")
    office.get_by_role("link", name="导入名单").click()
    office.locator("input[type=file]").set_input_files(path)
    office.locator("form[enctype] button[type=submit]").click()

    rejected = office.locator("table").first
    for line in (4, 5, 6):
        expect(
            rejected.locator("tbody tr").filter(has=office.locator(f"td:first-child:text-is('{line}')"))
        ).to_have_count(1)
    with office.expect_download() as download:
        office.get_by_role("link", name=re.compile("下载未通过的行（CSV）")).click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_bytes().decode("utf-8-sig"))))
    assert any("李三三" in cell for row in rows for cell in row)
    assert not any(cell[:1] in set("=+-@\t\r") for row in rows for cell in row)
    good_rows = office.locator("table").last.locator("tbody tr").count()
    office.locator("form[action$='/apply'] button").click()
    with site.engine.connect() as connection:
        after = connection.scalar(text("SELECT count(*) FROM enrolment WHERE offering_id = :id"), {"id": offering})
        kept = connection.scalar(
            text("SELECT count(*) FROM enrolment_import WHERE content IS NOT NULL AND applied_at IS NOT NULL")
        )
    assert after - before == good_rows
    assert good_rows >= 3
    assert kept == 0
    office.goto(f"/offerings/{offering}/enrolments/")
    expect(office.get_by_text("孙二二").first).to_be_visible()
    expect(office.get_by_text("李三三")).to_have_count(0)


def test_a_file_that_is_no_list_is_refused_with_words(site: Site, visit: Visit, tmp_path: Path) -> None:
    office = visit("city_administrator")
    with site.engine.connect() as connection:
        offering = connection.scalar(text("SELECT id FROM offering WHERE state = 'published' ORDER BY id DESC LIMIT 1"))
    path = tmp_path / "photo.xlsx"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(4000))
    office.goto(f"/offerings/{offering}/enrolments/import")
    office.locator("input[type=file]").set_input_files(path)
    office.locator("form[enctype] button[type=submit]").click()
    expect(office.locator("[role=alert], .invalid-feedback").first).to_be_visible()
    expect(office).to_have_url(re.compile("/import$"))
