"""Every number of the reports is followed down to the people of a session, whatever was asked, and back up.

Nothing is known here of what a page should show: a cell must be the sum of what its link leads to, or a rate of it, and a
number without a link must be one of the few that have nothing below them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from html import unescape
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters, targets
from courses.counting.quarters import Quarter
from courses.models.enrolment import EnrolmentState
from courses.reports.questions import TIME_GROUPINGS, Grouping
from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.scope import Role
from lms.organisations.models import Sector
from tests.conftest import FIELD_KEY
from tests.courses.reports.views.test_sessions import COLUMNS
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World
from tests.factories import Make

DONE, FAILED, AWAY = EnrolmentState.COMPLETED, EnrolmentState.FAILED, EnrolmentState.INCOMPLETE
YEARS = "since=2024-01-01&until=2025-12-31"
CLOSED_AT = datetime(2025, 12, 28, 12, tzinfo=BEIJING)
CORRECTED_AT = datetime(2026, 1, 5, 12, tzinfo=BEIJING)
PART_OF_NAME = "第一小学"


def people(*present: int, last: int = 0, away: tuple[int, ...] = ()) -> tuple[Person, ...]:
    """People of the cast, each present at the sessions 0 to `last`. The first of them fails the course."""
    return tuple(
        Person(who, DONE if who != present[0] else FAILED, tuple(Presence(n, 5 * who, None) for n in range(last + 1)))
        for who in present
    ) + tuple(Person(who, AWAY, ()) for who in away)


PLANS = (
    Plan(date(2024, 3, 2), (0, 10), people(0, 1, 2, last=1, away=(7,)), False, 1),
    Plan(date(2024, 11, 30), (120,), people(3), False, 2, "RESCUE"),
    Plan(date(2025, 1, 31), (0, 0), people(1, 2, 4, last=1), False, 1),
    Plan(date(2025, 3, 20), (0,), people(0, 1, away=(6,)), True, 1),
    Plan(date(2025, 4, 1), (250, 200), (), False, 2, "RESCUE"),
    Plan(date(2025, 6, 20), (35,), people(4, 5), False, 3),
    Plan(date(2025, 9, 9), (0,), people(1, 5), True, 3),
)
ASKED = (
    "",
    "district=1",
    "programme=RESCUE",
    "sector=school",
    "refresher=0",
    "refresher=1",
    "as_of=2025-12-31",
    f"organisation={PART_OF_NAME}",
    "since=2025-01-31&until=2025-06-20",  # not of whole months: the ledger's lines answer, not the kept sums
    "since=2026-01-01&until=2026-03-31",  # corrections and late certificates alone
    "district=3&programme=FIRST_RESPONDER&refresher=1&since=2025-09-01&until=2025-09-30",
)


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    """The connection of all tests of this module, which change nothing that a report shows; rolled back at the end."""
    with engine.connect() as opened:
        transaction = opened.begin()
        yield opened
        transaction.rollback()


@pytest.fixture(scope="module")
def held(connection: Connection, _application: Flask) -> dict[str, str]:
    """Two years of training, some of it corrected after its quarter was frozen, a host and a lead with two offerings each.

    Returns the store of the pages that the city's administrator has read: each is asked for once, by whichever test.
    """
    crypto.configure(FIELD_KEY)
    with Session(connection, join_transaction_mode="create_savepoint") as db:
        hold(db, Make(db))
    return {}


def hold(db: Session, make: Make) -> None:
    world = World(db)
    with clock.at(CLOSED_AT):
        offerings = [world.hold(plan) for plan in PLANS]
        offerings[2].organisation_id, offerings[2].lead_instructor_id = (
            offerings[0].organisation_id,
            offerings[0].lead_instructor_id,
        )
        offerings[4].lead_instructor_id = None
        offerings[1].organisation.sector = Sector.SCHOOL
        offerings[1].organisation.name_zh = f"东城区{PART_OF_NAME}"
        db.flush()
        for offering in offerings:
            person_time.record_closing(db, offering, BEIJING)
        person_time.record_certificates(db, offerings[0].id, 2, date(2024, 3, 10))
        person_time.record_certificates(db, offerings[2].id, 1, date(2025, 2, 10))
        person_time.record_certificates(db, offerings[3].id, 1, date(2025, 4, 2))
        person_time.record_certificates(db, offerings[6].id, 1, date(2025, 9, 9))
    with clock.at(CORRECTED_AT):
        quarters.freeze(db, Quarter(2025, 2), BEIJING)
        world.fill(offerings[5], Plan(date(2025, 6, 20), (20,), people(4, 5, 6), False, 3))
        person_time.record_correction(db, offerings[5], "补交签到表", BEIJING)
        world.fill(offerings[6], Plan(date(2025, 9, 9), (3,), people(1), True, 3))
        person_time.record_correction(db, offerings[6], "重复签到", BEIJING)
        person_time.record_certificates(db, offerings[2].id, 1, date(2026, 1, 6))
    targets.save(db, 2025, {("RESCUE", 2): 500, ("FIRST_RESPONDER", 1): 8, ("RESCUE", 9): 30}, {})
    soon = make.offering(starts=[clock.now() + timedelta(days=5)], organisation=make.organisation(7))
    make.enrolment(soon, make.trainee(), state=EnrolmentState.WAITLISTED)
    db.commit()


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its words, and its links with their own words."""

    text: str
    links: tuple[tuple[str, str], ...]


def plain(markup: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", markup)).split())


@cache
def tables(page: str) -> list[list[list[Cell]]]:
    return [
        [
            [
                Cell(plain(cell), tuple((unescape(href), plain(text)) for href, text in LINK.findall(cell)))
                for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
            ]
            for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        ]
        for table in re.findall(r"<table.*?</table>", page, re.DOTALL)
    ]


LINK = re.compile(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
NUMBER = re.compile(r"[-+]?[\d,]+(?:\.\d+)?%?")
SKETCH = re.compile(r'<nav class="report-up.*?</nav>', re.DOTALL)


def value(text: str) -> float:
    return float(text.strip("%+").replace(",", ""))


@dataclass
class Crawler:
    """Follows links once each, and remembers what they led to."""

    browser: FlaskClient
    pages: dict[str, str] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)

    def page(self, address: str) -> str:
        if address not in self.pages:
            answer = self.browser.get(address + ("&" if "?" in address else "?") + "lang=en")
            assert answer.status_code == 200, address
            self.pages[address] = answer.get_data(as_text=True)
        return self.pages[address]

    def report(self, address: str) -> Iterator[tuple[str, Cell]]:
        """The linked numbers of a report's first table, each checked, with the heading it stands under."""
        head, *rows = tables(self.page(address))[0]
        for row in rows:
            for heading, cell in zip(head[1:], row[1:], strict=True):
                for href, shown in cell.links:
                    if NUMBER.match(shown):
                        self.number(address, heading.text, href, NUMBER.match(shown)[0])  # type: ignore[index]
                        yield heading.text, cell

    def number(self, top: str, heading: str, href: str, shown: str) -> None:
        """A number is what its link leads to, and from there one gets back to where it stood."""
        path, query = urlsplit(href).path, parse_qs(urlsplit(href).query)
        if path == "/reports/waiting":
            _head, *rows, total = tables(self.page(href))[0]
            assert sum(value(row[1].text) for row in rows) == value(total[1].text) == value(shown), href
        elif path == "/reports/people":
            self.people(href, int(value(shown)))
        elif path == "/reports/offerings":
            self.offerings(href, heading, query.get("column", [""])[0], shown)
        else:
            assert path.startswith(("/reports/targets/", "/reports/population/")), href
            return
        self.back(href, top)
        self.followed.add(path)

    def offerings(self, href: str, heading: str, column: str, shown: str) -> None:
        [(head, *rows, total)] = tables(self.page(href))
        places = {cell.text: place for place, cell in enumerate(head)}
        for number in range(1, len(head)):
            added = sum(value(row[number].text) for row in rows)
            assert abs(added - value(total[number].text)) < 0.051 * len(rows), (href, head[number].text)
        figures = {name: value(total[places[label]].text) for name, label in COLUMNS.items()}
        if heading in RATES:
            assert not column, href
            below = RATES[heading](figures)
        else:
            below = value(total[places["Sessions" if heading == "Sessions" else COLUMNS[column]]].text)
        assert abs(below - value(shown)) < 0.051, (href, heading, shown)
        # Which figure one came from changes nothing further down, so one of them is followed to the end.
        for row in rows if column == "person_times" else ():
            [(meetings, _name)] = row[0].links
            self.sessions(meetings, {cell.text: row[n].text for n, cell in enumerate(head)}, back_to=href)

    def sessions(self, href: str, expected: dict[str, str], *, back_to: str) -> None:
        if href in self.followed:
            return
        self.followed.add(href)
        meetings, lines = tables(self.page(href))
        head, *_lines, reported = lines
        for cell, figure in list(zip(head, reported, strict=True))[1:]:
            assert figure.text == expected[cell.text], (href, cell.text)
        head, *rows, presences, _offering = meetings
        at = [cell.text for cell in head].index("Present by name")
        assert sum(value(row[at].text) for row in rows) == value(presences[at].text)
        for row in rows:
            if urlsplit(row[0].links[0][0]).path in self.followed:
                continue
            self.followed.add(urlsplit(row[0].links[0][0]).path)
            below = tables(self.page(row[0].links[0][0]))
            found = len(below[0]) - 2 if below else 0
            assert found == value(row[at].text), row[0].links
            self.back(row[0].links[0][0], href, back_to)
        self.back(href, back_to)

    def people(self, href: str, shown: int) -> None:
        head, *rows = tables(self.page(href))[0]
        assert len(rows) == shown == len({(row[0].text, row[1].text) for row in rows}), href
        assert head[0].text == "Name"

    def back(self, page: str, *tops: str) -> None:
        """The ways back of a page lead, among others, to these: the same tables, so the same question."""
        trail = SKETCH.search(self.page(page))
        assert trail is not None, page
        ups = [unescape(href) for href, _text in LINK.findall(trail[0])]
        shown = [tables(self.page(up)) for up in ups]
        for top in tops:
            assert tables(self.page(top)) in shown, (page, top, ups)


RATES: dict[str, Callable[[dict[str, float]], float]] = {
    "Pass rate": lambda one: 100 * one["passed"] / one["named"],
    "No-show": lambda one: 100 * (one["enrolled"] - one["named"]) / one["enrolled"],
    "Class size": lambda one: one["person_times"] / one["offerings"],
}
# Numbers that are made of the numbers beside them, or have their own pages and no offerings below.
MADE_OF_OTHERS = {"Difference", "Completion", "Certificates valid today"}


def demand_ways(address: str, page: str) -> None:
    """Each number that is not 0 leads down, but those of the whole branch and of what others are made of."""
    head, *rows = tables(page)[0]
    for row in rows:
        if row[0].text == "Whole branch":
            continue
        for heading, cell in zip(head[1:], row[1:], strict=True):
            if heading.text in MADE_OF_OTHERS or not NUMBER.fullmatch(cell.text) or value(cell.text) == 0:
                continue
            assert cell.links, (address, row[0].text, heading.text)


@pytest.fixture
def city(make: Make, sign_in: Callable[[User], FlaskClient], held: dict[str, str]) -> Crawler:
    return Crawler(sign_in(make.user(Role.CITY_ADMINISTRATOR)), held)


def question(asked: str) -> str:
    return asked if "since=" in asked else f"{YEARS}&{asked}".strip("&")


@pytest.mark.parametrize("grouping", list(Grouping))
def test_every_number_of_the_enrolment_report(city: Crawler, grouping: Grouping) -> None:
    address = f"/reports/enrolment?{YEARS}&grouping={grouping.value}"
    demand_ways(address, city.page(address))
    assert {heading for heading, _cell in city.report(address)} == {*COLUMNS.values(), "People *"}


@pytest.mark.parametrize(("asked", "grouping"), list(zip(ASKED[1:], cycle(Grouping), strict=False)))
def test_every_number_whatever_is_asked(city: Crawler, asked: str, grouping: Grouping) -> None:
    address = f"/reports/enrolment?{question(asked)}&grouping={grouping.value}"
    demand_ways(address, city.page(address))
    assert list(city.report(address))


@pytest.mark.parametrize(
    ("asked", "grouping"), [("", "district"), ("", "quarter"), ("&district=3", "programme"), ("&refresher=1", "host")]
)
def test_every_number_of_the_indicators(city: Crawler, grouping: str, asked: str) -> None:
    address = f"/reports/indicators/?since=2025-01-01&until=2025-12-31&grouping={grouping}{asked}"
    demand_ways(address, city.page(address))
    seen = {heading for heading, _cell in city.report(address)}
    assert {"Person-times", "People *", *RATES, "Sessions"} <= seen
    assert {"The year before", "Refreshed", "Newly certified"} <= seen or asked


@pytest.mark.parametrize(
    ("asked", "grouping"),
    [("", "month"), ("&district=1", "quarter"), ("&programme=RESCUE", "year"), ("&as_of=2025-12-31", "quarter")],
)
def test_every_number_of_districts_by_month(city: Crawler, asked: str, grouping: str) -> None:
    address = f"/reports/districts?{YEARS}&grouping={grouping}{asked}"
    demand_ways(address, city.page(address))
    assert list(city.report(address))


@pytest.mark.parametrize("grouping", list(Grouping))
def test_rows_of_the_indicators_add_up_to_their_total(city: Crawler, grouping: Grouping) -> None:
    """So do rows that have a target, a year before or a waiting list and no figures of this year."""
    page = city.page(f"/reports/indicators/?since=2025-03-01&until=2025-12-31&grouping={grouping.value}")
    head, *rows, total = tables(page)[0]
    for place, heading in enumerate(head):
        adds_up = {"Person-times", "The year before", "Newly certified", "Refreshed", "Sessions", "Waiting now"}
        if grouping is Grouping.DISTRICT:
            adds_up |= {"Target"}
        if heading.text in adds_up and (heading.text != "Waiting now" or grouping not in TIME_GROUPINGS):
            numbers = [value(row[place].text) for row in rows if NUMBER.fullmatch(row[place].text)]
            assert sum(numbers) == value(total[place].text), heading.text
            assert value(total[place].text) > 0 or heading.text == "Newly certified", heading.text


def test_every_number_of_the_targets(city: Crawler) -> None:
    for year in (2024, 2025):
        address = f"/reports/targets/{year}"
        assert list(city.report(address))


def test_what_adds_up_adds_up_to_the_total_and_people_do_not(city: Crawler) -> None:
    for grouping, asked in zip(cycle(Grouping), ASKED * 2, strict=False):
        page = city.page(f"/reports/enrolment?{question(asked)}&grouping={grouping.value}")
        head, *rows, total = [row for row in tables(page)[0] if row[0].text != "Whole branch"]
        for place, heading in list(enumerate(head))[1:]:
            added, whole = sum(value(row[place].text) for row in rows), value(total[place].text)
            if heading.text == "People *":
                assert added >= whole, (grouping, asked)
            else:
                assert abs(added - whole) < 0.051 * len(rows), (grouping, asked, heading.text)


@pytest.mark.usefixtures("held")
def test_a_district_follows_its_own_numbers(make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    crawler = Crawler(sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=3)))
    for path in ("enrolment", "indicators/", "districts"):
        address = f"/reports/{path}?since=2025-01-01&until=2025-12-31&grouping=quarter"
        demand_ways(address, crawler.page(address))
        assert list(crawler.report(address))
