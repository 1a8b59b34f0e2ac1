"""From a number down to the people of one session and back up: what stands below adds up to what stands above."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.reports.views.test_enrolment import cells, text_of
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
YEAR = "since=2025-01-01&until=2025-12-31"
DONE, FAILED = EnrolmentState.COMPLETED, EnrolmentState.FAILED
TWO_DAYS = Plan(
    date(2025, 3, 1),
    (40, 30),
    (
        Person(0, DONE, (Presence(0, 0, None), Presence(1, 0, 120))),
        Person(1, FAILED, (Presence(0, 60, None),)),
        Person(2, EnrolmentState.INCOMPLETE, ()),
    ),
    False,
    1,
)
REFRESHER = Plan(date(2025, 3, 20), (0,), (Person(0, DONE, (Presence(0, 0, None),)),), True, 1)
TALK = Plan(date(2025, 5, 1), (300,), (), False, 2, "RESCUE")


@pytest.fixture
def held(db: Session, make: Make) -> list[Offering]:
    """A course of two days and a refresher in district 1, and a talk in district 2."""
    world = World(db)
    found = [world.close(plan) for plan in (TWO_DAYS, REFRESHER, TALK)]
    person_time.record_certificates(db, found[0].id, 1, date(2025, 3, 5))
    db.commit()
    return found


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def links(page: str, path: str) -> list[str]:
    """The addresses of a page that begin so, each once, in its order."""
    return list(dict.fromkeys(re.findall(rf'href="({path}[^"]*)"', page)))


def tables(page: str) -> Iterator[list[list[str]]]:
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        yield cells(table)


def number(text: str) -> float:
    return float(text.replace(",", ""))


@pytest.mark.parametrize("grouping", ["month", "programme", "district", "course", "host", "sector", "year"])
def test_each_number_is_the_sum_of_what_lies_below_it(city: FlaskClient, held: list[Offering], grouping: str) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping={grouping}&lang=en")
    table = re.search(r"<table.*?</table>", page, re.DOTALL)
    assert table is not None
    downs = re.findall(r'href="(/reports/offerings\?[^"]*)">([\d,.]+)<', table[0])
    assert len(downs) >= 16
    for down, shown in downs:
        column = re.search(r"column=(\w+)", down)
        assert column is not None
        offerings = text_of(city, down)
        head, *rows, total = cells(offerings)
        place = next(n for n, name in enumerate(head) if name == COLUMNS[column[1]])
        assert total[place] == shown, down
        assert sum(number(row[place]) for row in rows) == number(shown), down
        below = links(offerings, r"/reports/offerings/\d+/sessions")
        assert len(below) == len(rows)
        for row, meetings in zip(rows, below, strict=True):
            if column[1] not in SHOWN_BELOW:
                continue
            _sessions, lines = tables(text_of(city, meetings))
            at = lines[0].index(COLUMNS[column[1]])
            assert lines[-1][at] == row[place], meetings


COLUMNS = {
    "person_times": "Person-times", "named": "Attended (named)", "counted": "Headcount", "minutes": "Person-hours",
    "enrolled": "Enrolled", "passed": "Passed", "certificates": "Certificates issued",
    "refresher": "of which refresher", "offerings": "Offerings closed",
}  # fmt: skip
SHOWN_BELOW = set(COLUMNS) - {"refresher", "offerings"}


def test_sessions_add_up_to_the_offering_and_people_to_the_session(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, f"/reports/offerings/{held[0].id}/sessions?{YEAR}&grouping=district&key=1&lang=en")
    sessions, lines = tables(page)
    assert [row[1:4] for row in sessions[1:]] == [
        ["2", "40", "5.0"], ["1", "30", "2.0"], ["3", "–", "7.0"], ["2", "40", "7.0"],
    ]  # fmt: skip
    assert lines[-1] == ["In this report", "42", "2", "40", "7.0", "3", "1", "1"]
    assert "Lead instructor" in sessions[1][4]
    first, second = links(page, rf"/reports/offerings/{held[0].id}/sessions/\d+/people")
    people = cells(text_of(city, first))
    assert sorted(row[4] for row in people[1:-1]) == ["2.0", "3.0"]
    assert people[-1] == ["2 present", "5.0"]
    assert cells(text_of(city, second))[-1] == ["1 present", "2.0"]


def test_the_way_back_asks_the_same(city: FlaskClient, held: list[Offering]) -> None:
    page = text_of(city, f"/reports/enrolment?{YEAR}&grouping=district&programme=FIRST_RESPONDER&lang=en")
    asked = [next(link for link in links(page, r"/reports/offerings\?") if "column=named" in link)]
    seen = [page, text_of(city, asked[0])]
    for path in (r"/reports/offerings/\d+/sessions\?", r"/reports/offerings/\d+/sessions/\d+/people\?"):
        asked.append(links(seen[-1], path)[0])
        seen.append(text_of(city, asked[-1]))
    nav = re.search(r'class="report-up.*?</nav>', seen[-1], re.DOTALL)
    assert nav is not None
    for up, there in zip(re.findall(r'href="([^"]*)"', nav[0]), seen, strict=False):
        assert cells(text_of(city, up)) == cells(there)


def test_districts_lead_down_from_their_sums_and_back_to_the_whole_table(
    city: FlaskClient, held: list[Offering]
) -> None:
    page = text_of(city, f"/reports/districts?{YEAR}&grouping=month&lang=en")
    downs = re.findall(r'href="(/reports/offerings\?[^"]*)">([\d,]+)<', page)
    assert sorted(number(shown) for _down, shown in downs) == [43, 43, 43, 300, 300, 300, 343]
    for down, shown in downs:
        below = text_of(city, down)
        assert cells(below)[-1][1] == shown
        [up] = links(below, r"/reports/districts")[:1]
        assert cells(text_of(city, up)) == cells(page)
    own = text_of(city, f"/reports/districts?{YEAR}&district=1&lang=en")
    below = text_of(city, links(own, r"/reports/offerings\?")[0])
    assert cells(text_of(city, links(below, r"/reports/districts")[0])) == cells(own)


def test_what_was_known_on_a_day_holds_on_the_way_down(db: Session, city: FlaskClient, held: list[Offering]) -> None:
    later = clock.now() + timedelta(days=3)
    more = Plan(TWO_DAYS.first, (50, 30), TWO_DAYS.people, False, 1)
    with clock.at(later):
        World(db).fill(held[0], more)
        person_time.record_correction(db, held[0], "补交签到表", BEIJING)
    db.commit()
    then = clock.day_of(later - timedelta(days=1), BEIJING).isoformat()
    for query, expected in ((YEAR, "52"), (f"{YEAR}&as_of={then}", "42")):
        page = text_of(city, f"/reports/offerings/{held[0].id}/sessions?{query}&lang=en")
        _sessions, lines = tables(page)
        assert lines[-1][1] == expected
        assert ("outside this report's period" in page) == ("as_of" in query)


def test_another_district_finds_nothing(make: Make, sign_in: SignIn, held: list[Offering]) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    meeting = held[0].sessions[0].id
    assert browser.get(f"/reports/offerings/{held[0].id}/sessions?{YEAR}").status_code == 404
    assert browser.get(f"/reports/offerings/{held[0].id}/sessions/{meeting}/people?{YEAR}").status_code == 404
    assert browser.get(f"/reports/offerings/{held[2].id}/sessions/{meeting}/people?{YEAR}").status_code == 404
    assert browser.get(f"/reports/offerings/{held[2].id}/sessions?{YEAR}").status_code == 200
    assert browser.get(f"/reports/offerings/{2**63}/sessions?{YEAR}").status_code == 404


def test_somebody_elses_session_is_not_found(city: FlaskClient, held: list[Offering]) -> None:
    meeting = held[1].sessions[0].id
    assert city.get(f"/reports/offerings/{held[0].id}/sessions/{meeting}/people?{YEAR}").status_code == 404
    assert city.get(f"/reports/offerings/{held[1].id}/sessions/{meeting}/people?{YEAR}").status_code == 200
