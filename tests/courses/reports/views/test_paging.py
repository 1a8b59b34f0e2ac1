"""Long reports are shown a page at a time and searched; the total, the files and the ways back know of it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.reports.views import paging
from lms.accounts.models import User
from lms.core.scope import Role
from tests.courses.reports.views.test_enrolment import cells, text_of
from tests.courses.reports.views.test_sessions import links
from tests.courses.worlds import Plan, World
from tests.factories import Make

YEAR = "since=2025-01-01&until=2025-12-31&lang=en"
HOSTS = 7


@pytest.fixture
def city(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    """Seven hosts with 10, 20 … 70 person-times, three to a page."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 3)
    world = World(db)
    for number in range(1, HOSTS + 1):
        offering = world.close(Plan(date(2025, number, 1), (10 * number,), (), False, 1, "RESCUE"))
        offering.organisation.name_zh, offering.organisation.name_en = f"第{number}小学", f"School {number}"
    db.commit()
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


@pytest.mark.parametrize("path", ["/reports/enrolment", "/reports/indicators/"])
def test_pages_together_hold_each_row_once(city: FlaskClient, path: str) -> None:
    seen = []
    for page in (1, 2, 3):
        text = text_of(city, f"{path}?{YEAR}&grouping=host&page={page}")
        _head, *rows, total = cells(text)
        assert total[:2] == ["Total", "280"]
        assert f"of {HOSTS}. The total and the files cover all rows: {HOSTS}." in text
        seen += [int(row[1]) for row in rows]
    assert seen == [70, 60, 50, 40, 30, 20, 10]
    for beyond in ("99", "-1", "x"):
        assert city.get(f"{path}?{YEAR}&grouping=host&page={beyond}").status_code == 200


@pytest.mark.parametrize("path", ["/reports/enrolment", "/reports/indicators/"])
@pytest.mark.parametrize("find", ["school 2", "第2小"])
def test_a_row_is_found_by_a_part_of_its_name(city: FlaskClient, path: str, find: str) -> None:
    text = text_of(city, f"{path}?{YEAR}&grouping=host&find={find}")
    rows = cells(text)
    assert rows[1][:2] == ["School 2", "20"]
    assert rows[-1][:2] == ["Total", "280"]
    assert [row[0] for row in rows[2:-1]] in ([], ["Total of the search result"])
    assert "School 3" not in text
    assert "No row has" in text_of(city, f"{path}?{YEAR}&grouping=host&find=nobody")


def test_what_was_found_is_added_up(city: FlaskClient) -> None:
    rows = cells(text_of(city, f"/reports/enrolment?{YEAR}&grouping=host&find=SCHOOL"))
    assert [row[1] for row in rows[1:]] == ["70", "60", "50", "280", "280"]


@pytest.mark.parametrize("path", ["/reports/enrolment", "/reports/indicators/"])
def test_the_way_back_leads_to_the_same_page_of_rows(city: FlaskClient, path: str) -> None:
    for looked_at in ("page=2", "find=School+5", "find=School&page=3"):
        page = text_of(city, f"{path}?{YEAR}&grouping=host&{looked_at}")
        below = text_of(city, links(page, r"/reports/offerings\?")[0])
        meetings = text_of(city, links(below, r"/reports/offerings/\d+/sessions")[0])
        for text in (below, meetings):
            [up] = links(text, rf"{path}\?")[:1]
            assert cells(text_of(city, up)) == cells(page)


def test_few_rows_are_neither_searched_nor_cut(city: FlaskClient) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping=month&find=nobody")
    assert [row[1] for row in cells(page)[1:]] == ["10", "20", "30", "40", "50", "60", "70", "280"]
    assert 'name="find"' not in page


def test_the_file_holds_every_row(city: FlaskClient) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping=host&page=2&find=School+2")
    file, plain = links(page, "/reports/enrolment/export/csv")
    rows = list(csv.reader(io.StringIO(city.get(file).data.decode("utf-8-sig"))))
    assert [row[1] for row in rows[-HOSTS - 1 :]] == ["70", "60", "50", "40", "30", "20", "10", "280"]
    alone = list(csv.reader(io.StringIO(city.get(plain).data.decode("utf-8-sig"))))
    assert [row[1] for row in alone[1:]] == ["70", "60", "50", "40", "30", "20", "10"]


def test_instructors_are_found_by_name_and_number(make: Make, city: FlaskClient) -> None:
    page = text_of(city, f"/reports/hours?{YEAR}")
    numbers = re.findall(r'class="report-note">([^<]+)<', page)
    rows = cells(text_of(city, f"/reports/hours?{YEAR}&order=missing&find={numbers[0]}"))
    assert len(rows) == 3
    assert numbers[0] in rows[1][0]
    assert rows[-1][0] == f"Total of {HOSTS} instructors"
