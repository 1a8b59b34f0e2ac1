"""Hours by instructor and role: what adds up, who sees what, and the sessions below each figure."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from courses.models.offerings import TeachingRole
from courses.reports import hours
from courses.reports.hours import Hours, HoursColumn
from courses.reports.questions import Filters, Question
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.offerings.test_teaching_hours import NOW, START, make_session
from tests.courses.reports.views.test_enrolment import cells, text_of

ZONE = ZoneInfo("Asia/Shanghai")
YEAR = Filters(date(2026, 1, 1), date(2026, 12, 31))
ASKED = "since=2026-01-01&until=2026-12-31&lang=en"
DAY = timedelta(days=1)
ROLES = {
    HoursColumn.LEAD: "Lead instructor",
    HoursColumn.ASSISTANT: "Assisting instructor",
    HoursColumn.EXAMINER: "Examiner",
}


@pytest.fixture
def teachers(make):
    """王: lead 4 h and 1 h in district 1, examiner 0.5 h in 2. 李: assistant 1.5 h in 2, and a plan of 4 h without check-in."""
    wang, li = make.instructor(name="王老师"), make.instructor(name="李老师", district_id=2)
    second = make.organisation(2)
    make_session(make, wang, 0)
    make_session(make, wang, 0, 60, start=START + DAY)
    make_session(make, wang, 0, 30, start=START + 2 * DAY, role=TeachingRole.EXAMINER, organisation=second)
    make_session(make, li, 0, 90, role=TeachingRole.ASSISTANT, organisation=second)
    make_session(make, li, None, start=START + 40 * DAY, role=TeachingRole.ASSISTANT, organisation=second)
    make_session(make, li, 0, start=START + 400 * DAY)
    make.db.commit()
    return wang, li


def of(make, teachers, filters=YEAR, scope=EVERYTHING, **facts):
    found = hours.report(make.db, Question(filters, scope), zone=ZONE, now=NOW, **facts)
    ours = {one.id: one.name for one in teachers}
    return {row.name: row.hours for row in found.rows if row.instructor_id in ours}, found


def test_hours_are_told_apart_by_role_and_a_plan_counts_none(make, teachers):
    rows, found = of(make, teachers)
    assert rows == {
        "王老师": Hours(lead=300, examiner=30, sessions=3),
        "李老师": Hours(assistant=90, sessions=1, missing=1, planned=240),
    }
    assert found.total == sum((row.hours for row in found.rows), Hours()) == found.branch


def test_a_district_sees_what_was_taught_there_and_the_branch_beside_it(make, teachers):
    _rows, everything = of(make, teachers)
    rows, found = of(make, teachers, scope=Scope(district_ids=frozenset({2})))
    assert rows["王老师"] == Hours(examiner=30, sessions=1)
    assert found.branch == everything.total
    assert found.total != found.branch
    asked, _found = of(make, teachers, Filters(YEAR.since, YEAR.until, district=2))
    assert asked == rows
    with pytest.raises(NotFound):
        of(make, teachers, Filters(YEAR.since, YEAR.until, district=1), Scope(district_ids=frozenset({2})))


def test_the_period_ends_at_midnight_on_the_branchs_clock(make):
    teacher = make.instructor()
    make_session(make, teacher, 0, 60, start=datetime(2026, 5, 31, 15, 30, tzinfo=UTC))
    make_session(make, teacher, 0, 60, start=datetime(2026, 5, 31, 16, 30, tzinfo=UTC) + DAY)
    rows, _found = of(make, [teacher], Filters(date(2026, 5, 1), date(2026, 5, 31)))
    assert rows[teacher.name] == Hours(lead=60, sessions=1)
    months = hours.by_month(make.db, Question(YEAR, EVERYTHING), zone=ZONE, now=NOW)
    assert {month: one.lead for month, one in months} == {"2026-05": 60, "2026-06": 60}


def test_rows_are_sorted_as_asked(make, teachers):
    for column, first in (
        (HoursColumn.TAUGHT, "王老师"),
        (HoursColumn.MISSING, "李老师"),
        (HoursColumn.NAME, "李老师"),
    ):
        rows, _found = of(make, teachers, sort_by=column)
        assert next(iter(rows)) == first, column


def test_the_sessions_below_add_up(make, teachers):
    _rows, found = of(make, teachers)
    for row in found.rows:
        below = hours.taught_sessions(make.db, row.instructor_id, Question(YEAR, EVERYTHING), zone=ZONE, now=NOW)
        assert below.total == row.hours
        assert sum(one.minutes for one in below.page.rows) == row.hours.taught
        assert sum(one.planned for one in below.page.rows) == row.hours.planned
        assert below.page.total == row.hours.sessions + row.hours.missing
    nothing = Question(Filters(date(2020, 1, 1), date(2020, 12, 31)), EVERYTHING)
    empty = hours.taught_sessions(make.db, teachers[0].id, nothing, zone=ZONE, now=NOW)
    assert (empty.name, empty.page.total, empty.total) == ("王老师", 0, Hours())


def test_the_page_leads_down_to_the_people_and_back(make, teachers, sign_in):
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = text_of(city, f"/reports/hours?{ASKED}&order=lead")
    down, *parts = re.findall(rf'href="(/reports/hours/{teachers[0].id}\?[^"]*)"', page)
    assert [part.partition("part=")[2] for part in parts] == ["taught", "lead", "examiner", "sessions"]
    row = next(row for row in cells(page) if "王老师" in row[0])
    assert row[1:] == ["5.5", "5.0", "0.0", "0.5", "3", "0", "0.0"]
    below = text_of(city, down)
    assert cells(below)[-1] == ["Total of 3 sessions", "5.5", "0.0", ""]
    [people, *_more] = re.findall(r'href="(/reports/offerings/\d+/sessions/\d+/people[^"]*)"', below)
    bottom = text_of(city, people)
    [up] = set(re.findall(r'href="(/reports/hours/\d+[^"]*)"', bottom))
    assert cells(text_of(city, up)) == cells(below)
    [top] = set(re.findall(r'href="(/reports/hours\?since[^"]*)"', bottom))
    assert cells(text_of(city, top)) == cells(page)


def test_each_figure_is_what_its_sessions_add_up_to(make, teachers, sign_in):
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = text_of(city, f"/reports/hours?{ASKED}")
    seen = set()
    for down, shown in re.findall(r'href="(/reports/hours/\d+\?[^"]*part=[^"]*)">([\d.,]+)<', page):
        part = HoursColumn(down.partition("part=")[2])
        below = text_of(city, down)
        _head, *rows, total = cells(below)
        found = {
            HoursColumn.MISSING: str(len(rows)), HoursColumn.SESSIONS: str(len(rows)), HoursColumn.PLANNED: total[2],
        }.get(part, total[1])  # fmt: skip
        assert found == shown, down
        for row in rows:
            assert (row[4] == "not checked in") == (part in {HoursColumn.MISSING, HoursColumn.PLANNED})
            assert row[3] == ROLES.get(part, row[3])
        people = re.findall(r'href="(/reports/offerings/\d+/sessions/\d+/people[^"]*)"', below)[0]
        [up, *_more] = re.findall(r'href="(/reports/hours/\d+[^"]*)"', text_of(city, people))
        assert cells(text_of(city, up)) == cells(below)
        seen.add(part)
    assert seen == set(HoursColumn) - {HoursColumn.NAME}


def test_the_page_keeps_to_its_query_budget(make, teachers, sign_in, statements):
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    # The bar of the report lists the saved views, in a statement of its own.
    for page, budget in (("hours", 7), (f"hours/{teachers[1].id}", 6)):
        statements.clear()
        text_of(browser, f"/reports/{page}?{ASKED}")
        assert len(statements) <= budget, (page, statements)


def test_files_and_the_chart_hold_the_pages_figures(make, teachers, sign_in):
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = city.get(f"/reports/hours/export/csv?{ASKED}&programme=FIRST_RESPONDER")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert next(row for row in rows if row and row[0] == "王老师")[2:] == ["5.5", "5.0", "0.0", "0.5", "3", "0", "0.0"]
    for narrow in ("", "&narrow=1"):
        drawn = ET.fromstring(city.get(f"/reports/hours/chart.svg?{ASKED}{narrow}").data)
        assert "as lead" in "".join(drawn.itertext())
    assert city.get(f"/reports/hours/export/xlsx?{ASKED}").status_code == 200
    assert "Nobody taught" in text_of(city, "/reports/hours?since=1999-01-01&until=1999-12-31&lang=en")


@pytest.mark.parametrize("query", ["since=x", "order=x&since=2030-01-01&until=2020-01-01"])
def test_a_broken_address_is_refused_in_words(make, sign_in, query):
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert city.get(f"/reports/hours?{query}").status_code == 422
    assert city.get(f"/reports/hours/export/csv?{query}").status_code == 422
    assert city.get("/reports/hours?order=x&page=x").status_code == 200


def test_another_district_finds_nothing(make, teachers, sign_in):
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=3))
    assert browser.get(f"/reports/hours/{teachers[0].id}?{ASKED}").status_code == 404
    assert browser.get(f"/reports/hours?{ASKED}&district=1").status_code == 404
    assert browser.get(f"/reports/hours/{2**63}?{ASKED}").status_code == 404
    assert "王老师" not in text_of(browser, f"/reports/hours?{ASKED}")
