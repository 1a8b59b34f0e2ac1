"""Every page of every role: found by following links and from the route map, timed alone and all together.

`python -m benchmarks.pages [scale]` (0.1 unless told; `full` is the branch's size; an address measures a database where it
stands) prints the slowest pages, the routes that no link led to, and whether all keep their bounds. A page is a route with the
names of its query's arguments: of each, `EXAMPLES` addresses are measured. The reports are asked by each grouping, over periods
that the rollups hold and periods that they do not, and narrowed to a district, a sector and a host.

Each page is asked three times; where one of these took more than `CLEARLY_QUICK`, it is asked `TIMES` times, and its figure is
the 95th percentile of those. Times are those of a browser on this machine: compressed, over one kept connection.
"""

import gzip
import html
import os
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count, product
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect, Rule

from benchmarks.load import HOST
from benchmarks.measurement import Measurement
from benchmarks.signed_in import cookie
from benchmarks.stage import Ground, WebServer, gunicorn, years
from courses.reports.questions import Grouping
from lms.core.access import guard_of
from lms.core.scope import Role

ROLES = (*(role for role in Role if role is not Role.TRAINEE), Role.TRAINEE)
EXAMPLES = 2  # addresses of each page that are measured
DEPTH = 1200  # addresses that are looked at for links, of each role
TIMES = 20
CLEARLY_QUICK = 0.1  # seconds
SLOWEST = 20  # pages that are printed
ALONE, TOGETHER = 300.0, 600.0  # milliseconds
PEOPLE = 8
PEOPLE_SECONDS = 60.0
LINK = re.compile(r'(?:href|src)="(/[^"#]*)')
# Addresses that answer with what is not a page: waiting for an event, files of a day of people's data.
LEFT_OUT = frozenset({"static"})
PERIODS = (
    ("2008-01-01", "2017-12-31"), ("1980-01-01", "2100-12-31"), ("2016-01-01", "2016-12-31"), ("2015-11-17", "2017-03-09"),
    ("2026-01-01", "2026-12-31"),
)  # fmt: skip
NARROWINGS: tuple[dict[str, str], ...] = (
    {"district": "6"},
    {"sector": "school"},
    {"organisation": "社区"},
    {"as_of": "2017-06-30"},
)
REPORTS = ("reports.enrolment", "indicators.page", "reports.districts", "report_hours.page")
# An auditor sees what a city administrator sees.
ASK_REPORTS = frozenset({Role.CITY_ADMINISTRATOR, Role.DISTRICT_ADMINISTRATOR, Role.COORDINATOR})
FILES = ("reports.enrolment_export", "indicators.export")


@dataclass(frozen=True)
class Address:
    """An address of the site, the route that it leads to, and the role of who asks."""

    role: Role
    path: str
    endpoint: str
    arguments: frozenset[str]

    @property
    def page(self) -> tuple[Role, str, frozenset[str], str]:
        """The part that two addresses share which are one page with other values: numbers and texts differ, a grouping does not."""
        query = dict(parse_qsl(urlsplit(self.path).query))
        return self.role, self.endpoint, self.arguments, query.get("grouping", "")


@dataclass
class Timed:
    """An address and the seconds of its answers."""

    address: Address
    status: int
    size: int
    seconds: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """Milliseconds within which 19 of 20 answers came."""
        ordered = sorted(self.seconds)
        return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)] * 1000

    def line(self) -> str:
        """The page in the printed list."""
        role = self.address.role.value
        return f"{self.p95:8.0f} ms {self.status} {self.size / 1000:7.1f} kB  {role:<22} {self.address.path[:150]}"


class Browser:
    """A kept connection of one signed-in account; each question comes from an address of its own, so that no limit is met."""

    _visitors = count()

    def __init__(self, server: WebServer, cookies: str) -> None:
        self._server = server
        self._cookies = cookies
        self._connection = HTTPConnection(HOST, server.port, timeout=120)

    def get(self, path: str) -> tuple[int, bytes, str, float]:
        """Status, body, media type and seconds of an answer."""
        visitor = next(self._visitors)
        headers = {
            "Cookie": self._cookies, "Accept-Encoding": "gzip", "Accept-Language": "zh-CN",
            "X-Forwarded-For": f"10.{visitor >> 16 & 255}.{visitor >> 8 & 255}.{visitor & 255}",
        }  # fmt: skip
        began = time.perf_counter()
        try:
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except OSError:
            self._connection.close()
            return 0, b"", "", time.perf_counter() - began
        took = time.perf_counter() - began
        location = answer.getheader("Location") or ""
        if answer.status in {301, 302, 303, 308}:
            return answer.status, f'href="{html.escape(location)}"'.encode(), "text/html", took
        return answer.status, body, answer.getheader("Content-Type") or "", took


def measure(ground: Ground) -> Sequence[Measurement]:
    """Find the pages of each role, time them alone and together."""
    environment = {**ground.environment, "TRUSTED_PROXIES": "1"}
    cookies = {role: cookie(ground.app, role) for role in ROLES}
    with gunicorn("wsgi:app", environment) as server:
        found = {role: list(_pages(ground.app, Browser(server, cookies[role]), role)) for role in ROLES}
        timed = [
            each for role in ROLES for each in _alone(Browser(server, cookies[role]), found[role])
        ]  # fmt: skip
    unreached = _unreached(ground.app, found)
    with gunicorn("wsgi:app", environment, workers=2) as server:
        together = _together(server, cookies, [each.address for each in timed if each.status == 200])
    _print(timed, unreached)
    slow = [each for each in timed if each.p95 > ALONE]
    broken = [each for each in timed if each.status >= 500 or each.status == 0]
    return [
        Measurement("pages of all roles", len(timed), ""),
        Measurement("routes that no link led to", len(unreached), ""),
        Measurement("pages that fail", len(broken), "", ceiling=0),
        Measurement(f"pages over {ALONE:.0f} ms alone, p95 of {TIMES}", len(slow), "", ceiling=0),
        Measurement("the slowest page alone, p95", max(each.p95 for each in timed), "ms", ceiling=ALONE),
        Measurement(f"all pages, {PEOPLE} at once, median", _percentile(together, 50), "ms"),
        Measurement(f"all pages, {PEOPLE} at once, p95", _percentile(together, 95), "ms", ceiling=TOGETHER),
    ]


def _pages(app: Flask, browser: Browser, role: Role) -> Iterator[Address]:
    """The addresses of a role: from links, from its routes without arguments, and the questions of the reports."""
    examples: dict[object, int] = defaultdict(int)
    questions = list(_questions(app, role)) if role in ASK_REPORTS else []
    waiting = [*_plain_routes(app, role), *questions]
    known = set(waiting)
    looked_at = 0
    while waiting and looked_at < DEPTH:
        path = waiting.pop(0)
        address = _address(app, role, path)
        if address is None or address.endpoint in LEFT_OUT:
            continue
        if path not in questions and examples[address.page] >= EXAMPLES:
            continue
        examples[address.page] += 1
        looked_at += 1
        yield address
        _status, body, media, _took = browser.get(path)
        if not media.startswith("text/html"):
            continue
        text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode(errors="replace")
        for link in LINK.findall(text):
            target = html.unescape(link)
            if target not in known:
                known.add(target)
                waiting.append(target)


def _plain_routes(app: Flask, role: Role) -> list[str]:
    """The role's routes that need no argument, the home page first."""
    return sorted(
        str(app.url_map.bind(HOST).build(rule.endpoint, {})) for rule in _routes(app, role) if not rule.arguments
    )


def _routes(app: Flask, role: Role) -> Iterator[Rule]:
    """The routes that a role may open."""
    for rule in app.url_map.iter_rules():
        guard = guard_of(app, rule.endpoint)
        may = guard is not None and (guard.anyone or guard.roles is None or role in guard.roles)
        if may and "GET" in (rule.methods or ()) and rule.endpoint not in LEFT_OUT:
            yield rule


def _questions(app: Flask, role: Role) -> Iterator[str]:
    """The reports by each grouping: over each period, and over all time with each narrowing; and their files."""
    allowed = {rule.endpoint for rule in _routes(app, role)}
    url = app.url_map.bind(HOST)
    questions = [(period, {}) for period in PERIODS] + [(PERIODS[1], narrowing) for narrowing in NARROWINGS]
    for endpoint in REPORTS:
        for grouping, ((since, until), narrowing) in product(Grouping, questions if endpoint in allowed else ()):
            query = {"since": since, "until": until, "grouping": grouping.value, **narrowing}
            yield f"{url.build(endpoint, {})}?{urlencode(query)}"
    for endpoint, grouping in product(FILES, (Grouping.HOST, Grouping.INSTRUCTOR, Grouping.MONTH)):
        if endpoint in allowed:
            query = {"since": PERIODS[0][0], "until": PERIODS[0][1], "grouping": grouping.value}
            yield f"{url.build(endpoint, {'form': 'xlsx'})}?{urlencode(query)}"


def _address(app: Flask, role: Role, path: str) -> Address | None:
    """The address with its route; None for what is no page of ours."""
    parts = urlsplit(path)
    try:
        endpoint, _values = app.url_map.bind(HOST).match(parts.path, "GET")
    except (HTTPException, RequestRedirect):
        return None
    return Address(role, path, endpoint, frozenset(name for name, _value in parse_qsl(parts.query)))


def _alone(browser: Browser, addresses: Sequence[Address]) -> Iterator[Timed]:
    for address in addresses:
        timed = Timed(address, 0, 0)
        browser.get(address.path)  # what a process makes once is made
        while len(timed.seconds) < (3 if max(timed.seconds, default=0) < CLEARLY_QUICK else TIMES):
            status, body, _media, took = browser.get(address.path)
            timed.status, timed.size = status, len(body)
            timed.seconds.append(took)
        yield timed


def _together(server: WebServer, cookies: dict[Role, str], addresses: Sequence[Address]) -> list[float]:
    """Milliseconds of the answers to people who each open pages of all roles by chance, as soon as one is answered."""
    until = time.perf_counter() + PEOPLE_SECONDS

    def person(number: int) -> list[float]:
        chance = random.Random(number)  # the same walk in each run
        browsers = {role: Browser(server, cookies[role]) for role in cookies}
        taken = []
        while time.perf_counter() < until:
            address = chance.choice(addresses)
            taken.append(browsers[address.role].get(address.path)[3] * 1000)
        return taken

    with ThreadPoolExecutor(PEOPLE) as people:
        return [took for each in people.map(person, range(PEOPLE)) for took in each]


def _unreached(app: Flask, found: dict[Role, list[Address]]) -> list[str]:
    """The routes with arguments to which no page of any role led."""
    reached = {address.endpoint for addresses in found.values() for address in addresses}
    return sorted({rule.rule for role in ROLES for rule in _routes(app, role) if rule.endpoint not in reached})


def _percentile(milliseconds: Sequence[float], percent: int) -> float:
    return sorted(milliseconds)[min(len(milliseconds) - 1, len(milliseconds) * percent // 100)]


def _print(timed: Sequence[Timed], unreached: Sequence[str]) -> None:
    for each in sorted(timed, key=lambda each: -each.p95)[:SLOWEST]:
        print(each.line())
    for each in timed:
        if each.status >= 400 or each.status == 0:
            print(f"answered {each.status}: {each.address.role.value} {each.address.path}")
    print(f"no link leads to: {', '.join(unreached) or 'none'}")
    largest = [
        f"{each.size / 1000:.0f} kB {each.address.path[:80]}" for each in sorted(timed, key=lambda each: -each.size)[:5]
    ]
    print(f"largest as sent: {'; '.join(largest)}")


def main(scale: str) -> int:
    """Measure; the exit code."""
    with years(scale) as ground:
        found = measure(ground)
    for each in found:
        print(each.line(), flush=True)
    return 1 if any(not each.reached for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BENCH_SCALE") or "0.1"))
