"""The report's pages: who may open them, what they cost, how one gets down and back up, and what is exported."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.counting import person_time, population, targets
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import STAFF_READERS, Role
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
YEAR = "since=2025-01-01&until=2025-12-31"
PAGES = ("enrolment", "enrolment/chart.svg", "offerings", "people", "in-progress")
PAIR = (
    Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),)),
    Person(1, EnrolmentState.FAILED, (Presence(0, 0, None),)),
)


@pytest.fixture
def year(db: Session, make: Make) -> list[Offering]:
    """A talk in district 1 and a course in district 2, both closed in 2025."""
    world = World(db)
    held = [
        world.close(Plan(date(2025, 3, 1), (300,), (), False, 1, "RESCUE")),
        world.close(Plan(date(2025, 6, 1), (0,), PAIR, False, 2)),
    ]
    person_time.record_certificates(db, held[1].id, 1, date(2025, 6, 2))
    db.commit()
    return held


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


@pytest.fixture
def first_district(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))


def text_of(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return unescape(answer.get_data(as_text=True))


def cells(page: str) -> list[list[str]]:
    """The rows of the first table of a page, as plain text."""
    table = re.search(r"<table.*?</table>", page, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr.*?</tr>", table[0], re.DOTALL)
    return [
        [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("grouping", ["month", "programme", "district", "course", "instructor", "host"])
def test_every_page_opens_for_every_grouping(city: FlaskClient, year: list[Offering], page: str, grouping: str) -> None:
    assert city.get(f"/reports/{page}?{YEAR}&grouping={grouping}").status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_staff_and_auditors_read_reports(role: Role, make: Make, sign_in: SignIn) -> None:
    allowed = role in STAFF_READERS
    browser = sign_in(make.user(role))
    for page in (*PAGES, "enrolment/export/csv", "offerings/export/xlsx"):
        assert browser.get(f"/reports/{page}").status_code == (200 if allowed else 403)


def test_the_page_shows_the_figures_the_rule_and_the_branch(city: FlaskClient, year: list[Offering]) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping=programme&lang=en")
    head, rescue, responder, total = cells(page)
    assert head[1:] == [
        "Person-times", "Attended (named)", "Headcount", "of which refresher", "People *", "Person-hours", "Enrolled",
        "Passed", "Certificates issued", "Offerings closed",
    ]  # fmt: skip
    assert rescue == ["Emergency rescue training", "300", "0", "300", "0", "0", "0", "0", "0", "0", "1"]
    assert responder == ["First-responder training", "2", "2", "0", "0", "2", "6.0", "2", "1", "1", "1"]
    assert total == ["Total", "302", "2", "300", "0", "2", "6.0", "2", "1", "1", "2"]
    assert "A course of two days is 1, a retest adds 0" in page
    assert "两天的课程计 1 人次" in text_of(city, f"/reports/enrolment?{YEAR}&lang=zh")


def test_a_number_leads_down_to_its_people_and_back(city: FlaskClient, year: list[Offering]) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping=district&lang=en")
    [down] = {
        link
        for link in re.findall(r'href="(/reports/offerings\?[^"]*)"', page)
        if "column=passed" in link and "key=2" in link
    }
    below = text_of(city, down)
    assert [row[1:] for row in cells(below)[1:]] == [["2", "2", "0", "0", "6.0", "2", "1", "1", "1"]] * 2
    [meetings] = set(re.findall(r'href="(/reports/offerings/\d+/sessions[^"]*)"', below))
    assert meetings.startswith(f"/reports/offerings/{year[1].id}/sessions?")
    [people] = set(re.findall(r'href="(/reports/offerings/\d+/people[^"]*)"', text_of(city, meetings)))
    bottom = text_of(city, people)
    assert [row[3:5] for row in cells(bottom)[1:3]] == [["1", "3.0"]] * 2
    assert cells(bottom)[3] == ["2 present", "2", "6.0", ""]
    assert "138****" in bottom
    up = re.search(r'href="(/reports/offerings\?[^"]*)"', bottom)
    assert up is not None
    assert cells(text_of(city, up[1])) == cells(below)
    top = re.search(r'href="(/reports/enrolment\?[^"]*)"', bottom)
    assert top is not None
    assert cells(text_of(city, top[1])) == cells(page)


def test_a_district_sees_its_rows_and_the_branchs_total(first_district: FlaskClient, year: list[Offering]) -> None:
    page = text_of(first_district, f"/reports/enrolment?{YEAR}&grouping=host&lang=en")
    rows = cells(page)
    assert len(rows) == 4  # head, its one host, total, branch
    assert rows[2][1] == "300"
    assert rows[3][0] == "Whole branch"
    assert rows[3][1] == "302"
    assert "People counted" in text_of(first_district, f"/reports/people?{YEAR}&lang=en")


@pytest.mark.parametrize("page", [*PAGES, "enrolment/export/csv", "offerings/export/xlsx"])
def test_another_district_is_not_there(first_district: FlaskClient, year: list[Offering], page: str) -> None:
    assert first_district.get(f"/reports/{page}?{YEAR}&district=2").status_code == 404
    assert first_district.get(f"/reports/{page}?{YEAR}&host={year[1].organisation_id}").status_code == 404
    assert first_district.get(f"/reports/{page}?{YEAR}&host={year[0].organisation_id}").status_code == 200
    assert first_district.get(f"/reports/offerings/{year[1].id}/people?{YEAR}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["since=x", "since=2025-05-01&until=2025-01-01", "grouping=x", "programme=NONE", "course=x", "district=x",
     "since=0001-01-01", "until=9999-12-31", "district=٣", "host=x"],
)  # fmt: skip
def test_a_broken_address_is_refused_in_words(city: FlaskClient, query: str) -> None:
    assert city.get(f"/reports/enrolment?{query}").status_code == 422
    assert city.get(f"/reports/offerings?{query}").status_code == 422


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999999999999", "column=x", "key=x"])
def test_a_strange_drill_down_finds_nothing_and_does_not_fall(
    city: FlaskClient, year: list[Offering], query: str
) -> None:
    assert city.get(f"/reports/offerings?{YEAR}&{query}").status_code in {200, 422}
    assert city.get(f"/reports/people?{YEAR}&{query}").status_code in {200, 422}


def test_an_empty_period_says_so(city: FlaskClient) -> None:
    assert "Nothing was counted" in text_of(city, "/reports/enrolment?since=1999-01-01&until=1999-12-31&lang=en")


def test_the_page_keeps_to_its_query_budget(
    first_district: FlaskClient, year: list[Offering], statements: list[str]
) -> None:
    text_of(first_district, f"/reports/enrolment?{YEAR}&grouping=host")  # people are counted anew, with memory for it
    assert len(statements) <= 11, "\n".join(one[:90].replace("\n", " ") for one in statements)


def test_the_ways_down_keep_to_their_budget(city: FlaskClient, year: list[Offering], statements: list[str]) -> None:
    course = year[1].id
    for page in ("offerings", "people", f"offerings/{course}/sessions", f"offerings/{course}/people"):
        statements.clear()
        text_of(city, f"/reports/{page}?{YEAR}&grouping=district&key=2")
        assert len(statements) <= 10, (page, statements)


def test_the_chart_is_a_picture_without_script(db: Session, city: FlaskClient, year: list[Offering]) -> None:
    targets.save(db, 2025, {("FIRST_RESPONDER", 1): 1200}, {})
    db.commit()
    nothing = "since=1999-01-01&until=1999-02-01"
    for query in (YEAR, f"{YEAR}&narrow=1", f"{YEAR}&grouping=host", nothing):
        answer = city.get(f"/reports/enrolment/chart.svg?{query}&lang=zh")
        assert answer.mimetype == "image/svg+xml"
        assert "script" not in answer.headers["Content-Security-Policy"]
        drawn = ET.fromstring(answer.data)
        tags = [element.tag.rpartition("}")[2] for element in drawn.iter()]
        assert "script" not in tags
        assert tags[1:3] == ["title", "desc"]
        links = [value for one in drawn.iter() for name, value in one.attrib.items() if name.endswith("href")]
        assert all(link.startswith("#") for link in links)
    by_host = city.get(f"/reports/enrolment/chart.svg?{YEAR}&grouping=host&lang=zh").get_data(as_text=True)
    assert "到课（实名）" in by_host
    by_month = city.get(f"/reports/enrolment/chart.svg?{YEAR}&lang=zh").get_data(as_text=True)
    assert ">2025</text>" in by_month
    assert ">12月</text>" in by_month
    assert "目标按期平均：100" in by_month


def test_exports_hold_the_pages_figures_the_question_and_the_rule(
    db: Session, city: FlaskClient, year: list[Offering]
) -> None:
    answer = city.get(f"/reports/enrolment/export/csv?{YEAR}&grouping=programme&lang=zh")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert "enrolment-2025-01-01-2025-12-31.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[-1] == ["合计", "302", "2", "300", "0", "2", "6.0", "2", "1", "1", "2"]
    above = [cell for row in rows[:15] for cell in row]
    assert "2025-01-01 – 2025-12-31" in above
    assert any("补考不另计" in cell for cell in above)
    assert "生成时间" in above

    answer = city.get(f"/reports/offerings/export/xlsx?{YEAR}&grouping=district&key=2&column=passed&lang=zh")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    course = next(row for row in rows if row[0] == year[1].id)
    assert course[1] == date(2025, 6, 1)
    assert course[8:] == [2, 2, 0, 0, 6, 2, 1, 1, 1]
    assert rows[-1][8:] == course[8:]

    notes = db.scalars(select(AuditEntry).where(AuditEntry.action == "report.export").order_by(AuditEntry.id)).all()
    assert [(note.subject, note.after["format"], note.after["rows"]) for note in notes if note.after] == [
        ("report:enrolment", "csv", 2),
        ("report:offerings", "xlsx", 1),
    ]
    assert all(note.user_id for note in notes)


def test_a_host_cannot_put_a_formula_into_an_export(db: Session, city: FlaskClient, year: list[Offering]) -> None:
    year[0].organisation.name_zh = '=HYPERLINK("http://x","y")'
    db.commit()
    answer = city.get(f"/reports/enrolment/export/csv?{YEAR}&grouping=host&lang=zh")
    assert "'=HYPERLINK" in answer.data.decode("utf-8-sig")


def test_districts_by_month_lead_down_and_keep_to_ones_own(
    city: FlaskClient, first_district: FlaskClient, year: list[Offering]
) -> None:
    page = text_of(city, f"/reports/districts?{YEAR}&grouping=quarter")
    assert "heat-6" in page
    [down] = re.findall(r'href="(/reports/offerings\?[^"]*district=1&key=[^"]*)"', page)
    assert "300" in text_of(city, unescape(down))
    mine = text_of(first_district, f"/reports/districts?{YEAR}&grouping=month")
    assert "2025-03" in mine
    assert "2025-06" not in mine
    assert "302" in mine  # the whole branch, beside the district's own
    assert "302" in text_of(first_district, f"/reports/indicators/?{YEAR}")
    sheet = text_of(city, f"/reports/districts/export/csv?{YEAR}&grouping=year")
    assert "东城区,2025,300" in sheet


def test_adjustments_are_named_on_the_page(db: Session, city: FlaskClient) -> None:
    from courses.counting import quarters
    from courses.counting.quarters import Quarter
    from lms.core import clock
    from tests.courses.worlds import BEIJING

    world = World(db)
    offering = world.close(Plan(date(2025, 3, 1), (10,), PAIR, False, 1))
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    world.fill(offering, Plan(date(2025, 3, 1), (30,), PAIR, False, 1))
    person_time.record_correction(db, offering, "补交签到表", BEIJING)
    db.commit()
    today = clock.today(BEIJING).isoformat()
    page = text_of(city, f"/reports/enrolment?since={today}&until={today}&lang=en")
    assert "补交签到表" in page
    assert "in person-times: +20" in page
    assert "2025-03-01" in page


def test_the_districts_per_inhabitant_and_their_map(
    db: Session, city: FlaskClient, first_district: FlaskClient, year: list[Offering]
) -> None:
    population.save(db, 2025, {1: 20_000, 2: 10_000}, "yearbook")
    db.commit()
    query = f"{YEAR}&lang=en"
    page = text_of(city, f"/reports/districts?{query}&per_inhabitants=1")
    assert "per 10,000 registered inhabitants: from 2.0" in page
    assert {">150.0</a>", ">2.0</a>"} <= set(re.findall(r">[0-9.]+</a>", page))
    drawn = [one.text for one in ET.fromstring(city.get(f"/reports/districts/map.svg?{query}").data).iter()]
    assert {"150.0", "300", "2.0"} <= set(drawn)
    assert drawn.count("population unknown") == 14
    own = [one.text for one in ET.fromstring(first_district.get(f"/reports/districts/map.svg?{query}").data).iter()]
    assert "150.0" in own
    assert "2.0" not in own
    assert "districts/map.svg" not in text_of(first_district, f"/reports/districts?{query}")
    assert first_district.get(f"/reports/districts/map.svg?{query}&district=2").status_code == 404
    assert city.get("/reports/districts/map.svg?since=x").status_code == 422


def test_the_targets_have_the_picture_of_the_indicators(db: Session, city: FlaskClient, year: list[Offering]) -> None:
    targets.save(db, 2025, {("FIRST_RESPONDER", 1): 1000}, {})
    db.commit()
    page = text_of(city, "/reports/targets/2025?lang=en")
    [address] = re.findall(r'<img src="([^"]*completion[^"]*)"', page)
    assert "300 / 1,000 · 30%" in city.get(unescape(address)).get_data(as_text=True)
    assert "completion.svg" not in text_of(city, "/reports/targets/2019?lang=en")
