"""The indicators' numbers lead to what they are made of, and their pictures say what the table says."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.counting import person_time, targets
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering, OfferingState
from courses.reports import indicators, valid_certificates
from courses.reports.labels.indicators import percent
from courses.reports.questions import Grouping
from courses.reports.valid_certificates import ValidCertificates
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.reports.asking import ask
from tests.courses.reports.views.test_enrolment import cells, text_of
from tests.courses.reports.views.test_sessions import COLUMNS, REFRESHER, TALK, TWO_DAYS, number
from tests.courses.worlds import BEIJING, Plan, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
YEAR = "since=2025-01-01&until=2025-12-31"
BY_DISTRICT = ask(grouping=Grouping.DISTRICT)


@pytest.fixture
def held(db: Session, make: Make) -> list[Offering]:
    """A course with a first certificate and a refresher with one in district 1, a talk in 2, and a talk in 1 a year earlier."""
    world = World(db)
    earlier = Plan(date(2024, 4, 1), (120,), (), False, 1, "RESCUE")
    found = [world.close(plan) for plan in (TWO_DAYS, REFRESHER, TALK, earlier)]
    for offering in found[:2]:
        person_time.record_certificates(db, offering.id, 1, date(2025, 4, 5))
    targets.save(db, 2025, {("RESCUE", 2): 200, ("FIRST_RESPONDER", 1): 86}, {})
    db.commit()
    return found


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def rows(page: str) -> list[str]:
    table = re.search(r"<table.*?</table>", page, re.DOTALL)
    assert table is not None
    return re.findall(r"<tr.*?</tr>", table[0], re.DOTALL)


@pytest.mark.parametrize("grouping", ["district", "programme", "quarter", "host"])
def test_a_number_is_what_stands_below_it(city: FlaskClient, held: list[Offering], grouping: str) -> None:
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping={grouping}&lang=en")
    seen = set()
    for place, label in ((1, "person_times"), (2, "person_times"), (8, "certificates"), (9, "certificates")):
        for row in rows(page)[1:]:
            cell = re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)[place]
            for down, shown in re.findall(r'href="(/reports/offerings\?[^"]*)">([\d,]+)<', cell):
                assert f"column={label}" in down
                head, *_rows, total = cells(text_of(city, down))
                assert total[head.index(COLUMNS[label])] == shown, (place, down)
                seen.add(place)
    assert seen == {1, 2, 8, 9}


def test_sessions_are_counted_below(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping=district&lang=en")
    found = re.findall(r'href="(/reports/offerings\?[^"]*column=offerings[^"]*)">(\d+)<', page)
    assert [number(shown) for _down, shown in found] == [3, 1, 4]
    for down, shown in found:
        assert cells(text_of(city, down))[-1][-1] == shown


def test_the_year_before_leads_back_to_this_year(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping=quarter&lang=en")
    [down, *_more] = re.findall(r'href="(/reports/offerings\?[^"]*indicators-later[^"]*)">120<', page)
    below = text_of(city, down)
    [up] = re.findall(r'href="(/reports/indicators/\?[^"]*)"', below)
    assert cells(text_of(city, up)) == cells(page)


def test_people_and_sums_lead_down_too(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping=district&lang=en")
    for down, shown in re.findall(r'href="(/reports/people\?[^"]*)">(\d+)<', page):
        assert f"{shown} distinct trainees" in text_of(city, down)


def test_waiting_lists_lead_to_their_offerings(db: Session, make: Make, city: FlaskClient) -> None:
    soon = clock.now() + timedelta(days=5)
    for district, people in ((1, 2), (1, 1), (2, 3)):
        offering = make.offering(starts=[soon], organisation=make.organisation(district), state=OfferingState.PUBLISHED)
        for _ in range(people):
            make.enrolment(offering, make.trainee(), state=EnrolmentState.WAITLISTED)
    db.commit()
    page = text_of(city, f"/reports/waiting?{YEAR}&grouping=district&key=1&via=indicators&lang=en")
    assert [row[1] for row in cells(page)[1:]] == ["2", "1", "3"]


def test_pictures_say_what_the_table_says(db: Session, city: FlaskClient, held: list[Offering]) -> None:
    report = indicators.report(db, BY_DISTRICT, zone=BEIJING)
    pass_rates, no_show_rates = indicators.rates(db, BY_DISTRICT)
    assert [rate.share for rate in pass_rates] == [row.pass_rate for row in report.rows]
    assert [rate.share for rate in no_show_rates] == [row.no_show for row in report.rows]
    for of_page, of_chart in ((report.pass_rates, pass_rates), (report.no_show_rates, no_show_rates)):
        assert [(rate.part, rate.whole) for rate in of_page] == [(rate.part, rate.whole) for rate in of_chart]
    completions = indicators.completions(db, BY_DISTRICT)
    assert [rate.share for rate in completions] == [row.completion for row in report.rows] == [0.5, 1.5]
    assert [rate.share for rate in report.completions] == [0.5, 1.5]
    for grouping in ("district", "quarter", "host"):
        for name in ("rates", "completion"):
            for narrow in ("", "&narrow=1"):
                answer = city.get(f"/reports/indicators/{name}.svg?{YEAR}&grouping={grouping}{narrow}&lang=en")
                drawn = ET.fromstring(answer.data)
                assert answer.mimetype == "image/svg+xml"
                assert "script" not in answer.headers["Content-Security-Policy"]
                assert not [one for one in drawn.iter() if one.tag.endswith("script")]
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping=district&lang=en")
    assert "Completion: 119.9% together, from 50.0%" in page
    assert "Pass rate: 66.7% together" in page


@pytest.mark.parametrize(("kind", "person_times"), [("0", "342"), ("1", "1"), ("", "343")])
def test_refreshers_can_be_asked_for_alone(
    city: FlaskClient, held: list[Offering], kind: str, person_times: str
) -> None:
    for grouping in ("month", "district", "host"):
        page = text_of(city, f"/reports/enrolment?{YEAR}&grouping={grouping}&refresher={kind}&lang=en")
        assert cells(page)[-1][1] == person_times
    assert "First training or refresher" in page


def test_another_district_is_not_there(make: Make, sign_in: SignIn, held: list[Offering]) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    for page in ("waiting", "indicators/rates.svg", "indicators/completion.svg"):
        assert browser.get(f"/reports/{page}?{YEAR}&district=1").status_code == 404
        assert browser.get(f"/reports/{page}?{YEAR}").status_code == 200
        assert browser.get(f"/reports/{page}?since=x").status_code == 422


def test_a_district_sees_the_branch_beside_it(
    make: Make, sign_in: SignIn, city: FlaskClient, held: list[Offering]
) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    branch = cells(text_of(city, f"/reports/indicators/?{YEAR}&lang=en"))[-1]
    rows = cells(text_of(browser, f"/reports/indicators/?{YEAR}&lang=en"))
    assert rows[-2][:2] == ["Total", "300"]
    assert rows[-1][0] == "Whole branch"
    for place in (1, 6, 10, 11, 13):  # person-times, people, pass rate, no-show, class size
        assert rows[-1][place] == branch[place]
    targets_of = cells(text_of(browser, "/reports/targets/2025?lang=en"))
    assert targets_of[-2][-1] == "300 / 200 150%"
    assert targets_of[-1][-1] == "343 / 286 120%"
    assert "Whole branch" not in text_of(city, "/reports/targets/2025?lang=en")


def test_sums_of_the_targets_lead_down_and_back(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, "/reports/targets/2025?lang=en")
    found = re.findall(r'href="(/reports/offerings\?[^"]*)">([\d,]+)<', page)
    assert sorted(number(shown) for _down, shown in found) == [43, 43, 43, 300, 300, 300, 343]
    for down, shown in found:
        below = text_of(city, down)
        assert cells(below)[-1][1] == shown
        assert 'href="/reports/targets/2025"' in below


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.123, "12.3%"), (1.5, "150.0%"), (0.0046, "0.46%"), (0.00003, "<0.01%"), (0.0, "0.0%"), (None, "–")],
)
def test_a_small_share_is_not_nothing(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_the_file_holds_the_pages_figures(city: FlaskClient, held: list[Offering]) -> None:
    for grouping in ("district", "month", "host"):
        page = cells(text_of(city, f"/reports/indicators/?{YEAR}&grouping={grouping}&lang=en"))
        answer = city.get(f"/reports/indicators/export/csv?{YEAR}&grouping={grouping}&lang=en")
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))[-len(page) :]
        assert [row[1] for row in rows[1:]] == [row[1] for row in page[1:]]
        assert [row[13] for row in rows[1:]] == [row[12] for row in page[1:]]  # sessions
        shares = [row[11] or "–" for row in rows[1:]]
        assert shares == [row[10] for row in page[1:]]  # pass rate
    for form in ("xlsx", "parquet"):
        assert city.get(f"/reports/indicators/export/{form}?{YEAR}").status_code == 200


def test_the_page_and_the_file_show_the_certificates_valid_today(
    city: FlaskClient, held: list[Offering], monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = ValidCertificates({1: 1234, 2: 6}, legacy=5)
    monkeypatch.setattr(valid_certificates, "_counters", [lambda _db, _day, _scope: valid])
    page = text_of(city, f"/reports/indicators/?{YEAR}&grouping=district&lang=en")
    assert '<p class="report-figure">1,245</p>' in page
    assert "of which 5 legacy" in page
    assert [row[-1] for row in cells(page)] == ["Certificates valid today", "1,234", "6", "1,240"]
    answer = city.get(f"/reports/indicators/export/csv?{YEAR}&grouping=district&lang=en")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[-1] for row in rows[-3:]] == ["1234", "6", "1240"]
