"""A whole class of two sessions with the server stopped from the first tap until the end, and the same class with a network.

Of both the outcomes must be the same: the state of each enrolment, the person-times, the certificates and who holds them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from courses.assessment import retests, skill_results, theory_marks
from courses.assessment.retests import RetestInput
from courses.assessment.skill_results import SkillInput
from courses.assessment.theory_marks import TheoryInput
from courses.attendance import recording, roster
from courses.attendance.check_ins import AttendanceInput
from courses.closing import closing
from lms.accounts import passwords
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.factories import PASSWORD, Make
from tests.journeys.basement import Basement, tap
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

LOGIN = "whole@example.org"
NAMES = ("王一", "李二", "张三", "刘四", "陈五")
ABSENT = 3  # at the second session
# Of each person by place: theory, skills; then, where there is a retest, theory and skills of the retest.
Marks = tuple[int | None, bool | None, bool | None]
FIRST: tuple[Marks, ...] = ((80, True, True), (40, True, True), (90, True, False), (85, True, True), (75, False, True))
RETEST: dict[int, Marks] = {1: (85, None, None), 4: (None, True, None)}
CERTIFIED = {"王一", "李二", "陈五"}


@dataclass
class Twins:
    """Two equal classes: sessions, enrolments by place, and skills of each. `offline`: whose instructor has the phone."""

    offline: "Class"
    online: "Class"


@dataclass
class Class:
    """The ids of one class."""

    offering: int
    sessions: list[int]
    enrolments: list[int]
    skills: list[int]
    user: int


@pytest.fixture
def twins(basement: Basement) -> Twins:
    """Both classes, both sessions of each just over."""
    with Session(basement.engine) as db:
        make = Make(db)
        course = make.new_course(skills=2, pass_mark=60, hours=0.5)
        made = []
        for login in (LOGIN, "twin@example.org"):
            user = make.user(Role.INSTRUCTOR, name="赵老师", email=login, password_hash=passwords.seal(PASSWORD))
            now = clock.now()
            starts = [now - timedelta(minutes=58), now - timedelta(minutes=28)]
            offering = make.offering(course=course, lead=make.instructor(user=user), starts=starts, hours=25 / 60)
            enrolments = [make.enrolment(offering, make.trainee(name)).id for name in NAMES]
            sessions, skills = [row.id for row in offering.sessions], [row.id for row in course.skills]
            made.append(Class(offering.id, sessions, enrolments, skills, user.id))
        db.commit()
    return Twins(*made)


@pytest.fixture
def phone(browser: Browser, basement: Basement, twins: Twins, tmp_path: Path) -> Iterator[Phone]:
    """The phone of the instructor of the class without a network, signed in."""
    assert twins.offline.user
    made = Phone(browser.browser_type, tmp_path / "profile", basement.running.url)
    sign_in(made.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    yield made
    made.off()


def test_a_whole_class_without_the_server_ends_like_one_with_it(basement: Basement, phone: Phone, twins: Twins) -> None:
    with_a_network(basement, twins.online)
    own = twins.offline
    first, second = own.sessions
    expect_ready(phone.page("/today/"))

    basement.running.stop()
    page = phone.page("/today/")
    page.locator(f"[data-session='{first}'] [data-roster-link]").click()
    tap(page, len(NAMES))
    page.goto(f"/offerings/{own.offering}/assessment")
    for number, (_theory, first_skill, second_skill) in enumerate(FIRST):
        enter(page, own, number, None, (first_skill, second_skill))
    expect_unsent(page, 3 * len(NAMES))
    phone.kill()

    phone.on()
    page = phone.page(f"/sessions/{second}/attendance")
    for number, name in enumerate(NAMES):
        if number != ABSENT:
            page.locator(f"[data-enrolment='{own.enrolments[number]}'] .person-tap").click()
            expect(page.locator(f"[data-enrolment='{own.enrolments[number]}']")).to_have_attribute(
                "data-present", "yes"
            )
        assert name not in page.locator("[data-people]").inner_text()
    page.goto(f"/offerings/{own.offering}/assessment")
    for number, (theory, _first, _second) in enumerate(FIRST):
        enter(page, own, number, theory, [])
    expect_unsent(page, 5 * len(NAMES) - 1)
    for done, (number, (theory, first_skill, second_skill)) in enumerate(RETEST.items()):
        row(page, own, number).locator("[data-retest]").click()
        expect_unsent(page, 5 * len(NAMES) + 2 * done)
        enter(page, own, number, theory, (first_skill, second_skill))
    expect_unsent(page, 5 * len(NAMES) - 1 + 2 * len(RETEST))

    page.goto(f"/sessions/{first}/close")
    expect(page.locator("[data-figure=present]")).to_have_text(str(len(NAMES)))
    expect(page.locator("[data-not-last]")).to_be_visible()
    ask(page)
    phone.kill()

    phone.on()
    page = phone.page(f"/sessions/{first}/close")
    expect(page.locator("[data-asked-text]")).to_be_visible()
    page.goto(f"/sessions/{second}/close")
    expect(page.locator("[data-figure=certified]")).to_have_text(str(len(CERTIFIED)))
    expect(page.locator("[data-short] > li")).to_have_count(len(NAMES) - len(CERTIFIED))
    ask(page)

    basement.running.start()
    expect_unsent(page, 0, 30)
    expect(page.locator("[data-arrived]")).to_be_visible()
    assert outcomes(basement, own)["states"] == {(name, "enrolled", False) for name in NAMES}  # nothing is closed yet
    open_today(page)
    panels = page.locator(".closing-request")
    expect(panels).to_have_count(2)
    expect(panels.locator(".short-tally", has_text="判定不同")).to_have_count(0)
    panels.first.get_by_role("button", name="确认结课").click()
    open_today(page)
    expect(panels).to_have_count(1)
    expect(panels.locator("tr.differs")).to_have_count(0)
    panels.get_by_role("button", name=f"发证 {len(CERTIFIED)} 份").click()
    expect(page.get_by_text("已结班").first).to_be_visible()

    offline, online = outcomes(basement, own), outcomes(basement, twins.online)
    assert offline == online
    assert {name for name, _state, due in offline["states"] if due} == CERTIFIED
    assert issued(basement, page, own) == CERTIFIED

    basement.running.stop()
    page.goto(f"/sessions/{second}/close")
    hand_out = page.locator("[data-hand-out] a")
    expect(hand_out).to_be_visible()  # the closing is known without a network, and leads to the codes with one
    basement.running.start()
    hand_out.click()
    page.get_by_role("link", name="现场领证二维码").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def row(page: Page, own: Class, number: int) -> Locator:
    """The row of a person in the grid of results."""
    return page.locator(f"tr[data-enrolment='{own.enrolments[number]}']")


def enter(page: Page, own: Class, number: int, theory: int | None, skills: Sequence[bool | None]) -> None:
    """Enter marks in the grid of results; None leaves a cell as it is."""
    person = row(page, own, number)
    if theory is not None:
        person.locator("input[inputmode=numeric]").fill(str(theory))
        person.locator("input[inputmode=numeric]").blur()
    for skill, passed in zip(own.skills, skills, strict=False):
        if passed is not None:
            kind = "passed" if passed else "not_yet"
            person.locator(f"[data-skill='{skill}'] .grid-mark-{kind}").click()


def open_today(page: Page) -> None:
    """Open Today as the server renders it; a browser that was killed may have lost its cookie, so its user signs in again."""
    page.goto("/today/")
    if page.locator("#password").count():
        sign_in(page, Account("instructor", LOGIN, PASSWORD))
        page.goto("/today/")


def ask(page: Page) -> None:
    """Ask to close, twice in one go: the second tap asks for nothing more."""
    page.locator("[data-ask] button[type=submit]").dblclick()
    expect(page.locator("[data-asked-text]")).to_be_visible()
    expect(page.locator("[data-ask]")).to_be_hidden()


def with_a_network(basement: Basement, twin: Class) -> None:
    """Hold the same class with a network: the rules record each act when it happens, and close each session."""
    with Session(basement.engine) as db:
        now = clock.now()
        first, second = twin.sessions
        arrivals = [(first, number) for number in range(len(NAMES))]
        arrivals += [(second, number) for number in range(len(NAMES)) if number != ABSENT]
        for session, number in arrivals:
            recording.record(db, AttendanceInput(uuid4(), session, twin.enrolments[number]), now=now)
        for number, marks in enumerate(FIRST):
            _mark(db, twin, number, marks)
        for number, marks in RETEST.items():
            start = RetestInput(uuid4(), second, twin.enrolments[number], 1, clock.now(), 0)
            retests.record_all(db, [start], **_sender(twin))
            _mark(db, twin, number, marks)
        for session in twin.sessions:
            closing.close(db, roster.load_session(db, session, EVERYTHING), zone=ZoneInfo("Asia/Shanghai"))
        db.commit()


def _mark(db: Session, twin: Class, number: int, marks: Marks) -> None:
    session, enrolment = twin.sessions[1], twin.enrolments[number]
    theory, first_skill, second_skill = marks
    if theory is not None:
        theory_marks.record_all(db, [TheoryInput(uuid4(), session, enrolment, theory, clock.now(), 0)], **_sender(twin))
    for skill, passed in zip(twin.skills, (first_skill, second_skill), strict=True):
        if passed is not None:
            mark = SkillInput(uuid4(), session, enrolment, skill, passed, clock.now())
            skill_results.record_all(db, [mark], **_sender(twin))


def _sender(twin: Class) -> dict[str, Any]:
    return {"user_id": twin.user, "device_id": None, "scope": EVERYTHING, "now": clock.now()}


def outcomes(basement: Basement, of: Class) -> dict[str, Any]:
    """The states of the enrolments, with whether a certificate is due, and the person-times of the offering."""
    with basement.engine.connect() as connection:
        states = connection.execute(
            text(
                "SELECT t.name, e.state, e.certificate_due FROM enrolment e JOIN trainee t ON t.id = e.trainee_id"
                " WHERE e.offering_id = :id"
            ),
            {"id": of.offering},
        )
        entries = connection.execute(
            text(
                "SELECT kind, dated_on, enrolled, named, counted, minutes, passed FROM person_time_entry"
                " WHERE offering_id = :id AND kind = 'closing'"
            ),
            {"id": of.offering},
        )
        return {"states": {tuple(row) for row in states}, "person_times": [tuple(row) for row in entries]}


def issued(basement: Basement, page: Page, of: Class) -> set[str]:
    """The names of those who hold a certificate, once the worker has issued all that are due."""
    names: set[str] = set()
    for _ in range(60):
        with basement.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT t.name FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id"
                    " JOIN trainee t ON t.id = e.trainee_id WHERE e.offering_id = :id"
                ),
                {"id": of.offering},
            ).all()
        names = {row.name for row in rows}
        if len(names) >= len(CERTIFIED):
            assert len(rows) == len(CERTIFIED)
            break
        page.wait_for_timeout(500)
    return names
