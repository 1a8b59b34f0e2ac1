"""A class checks itself in: the code on a screen whose clock is wrong, phones that read it, and a server that goes away."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.accounts import passwords
from lms.config import ROOT
from lms.core import clock, crypto
from lms.core.scope import Role
from lms.embedded.environment import RECORD
from tests.factories import Make
from tests.journeys.conftest import Account, Site, sign_in
from tests.journeys.running import free_port
from tests.journeys.screens import DESK, PHONE
from tests.journeys.test_accessibility import SERIOUS

PASSWORD = "an ambulance and a tricycle"
# The screen's own clock is an hour ahead: nothing may ask it.
AN_HOUR_WRONG = """
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { if (given.length) super(...given); else super(Right.now() + 3600000); }
      static now() { return Right.now() + 3600000; }
    };
"""


class Web:
    """A web server of our own beside the running system, on its database: one that can be stopped and started."""

    def __init__(self, site: Site) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        given = json.loads((site.instance / RECORD).read_text())
        own = {"PUBLIC_URL": self.url, "PORT": str(self._port), "HOST": "127.0.0.1"}
        self._environment = {name: value for name, value in os.environ.items() if name != "LISTEN_FD"} | given | own
        self._running: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "gunicorn", "-c", "lms/embedded/gunicorn.conf.py", "wsgi:app"]
        self._running = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = monotonic() + 60
        while monotonic() < deadline:
            with suppress(OSError), urlopen(f"{self.url}/verify"):
                return
            sleep(0.2)
        raise AssertionError("the server did not start")

    def stop(self) -> None:
        """End it; what is under way ends first."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(40)
            self._running = None


@dataclass(frozen=True)
class Class:
    """A session that is running, its instructor, and who is enrolled: names and ends of phones."""

    session_id: int
    instructor: Account
    people: tuple[tuple[str, str], ...]


@pytest.fixture
def web(site: Site) -> Iterator[Web]:
    made = Web(site)
    yield made
    made.stop()


@pytest.fixture
def gathering(site: Site) -> Class:
    """An offering that began five minutes ago; none of the demo's, which other journeys use."""
    crypto.configure(json.loads((site.instance / RECORD).read_text())["FIELD_KEY"])
    with Session(site.engine) as db, db.begin():
        make = Make(db)
        user = make.user(Role.INSTRUCTOR, email="screen@demo.example.org", password_hash=passwords.seal(PASSWORD))
        lead = make.instructor(user=user)
        offering = make.offering(
            course=make.course(), lead=lead, starts=[clock.now() - timedelta(minutes=5)], place="急救培训室"
        )
        names = ("王小明", "李四", "赵晓燕", "孙大勇")
        people = []
        for number, name in enumerate(names):
            trainee = make.trainee(name, name_key=name, phone=f"+861391234{number:04d}")
            make.enrolment(offering, trainee)
            people.append((name, f"{number:04d}"))
        return Class(offering.sessions[0].id, Account("instructor", "screen@demo.example.org", PASSWORD), tuple(people))


@pytest.fixture
def contexts(browser: Browser, web: Web) -> Iterator["Contexts"]:
    made = Contexts(browser, web.url)
    yield made
    for context in made.opened:
        context.close()
    assert made.faults == []


class Contexts:
    """Browsers of several people; a script error in any is a fault. A server that a test stopped is none."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self.opened: list[BrowserContext] = []
        self.faults: list[str] = []

    def page(self, viewport: dict[str, int] = PHONE) -> Page:
        context = self._browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            locale="zh-CN",
            base_url=self._url,
        )
        context.set_default_timeout(15_000)
        self.opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page


def read(screen: Page) -> str:
    """The code that a camera in front of the screen reads; it looks again while the picture changes."""
    for _ in range(20):
        found = zxingcpp.read_barcodes(Image.open(BytesIO(screen.screenshot())))
        if found:
            return found[0].text
        sleep(0.2)
    raise AssertionError("no code on the screen")


def check_in(phone: Page, link: str, person: tuple[str, str]) -> None:
    """Open what the camera read, and say who one is."""
    phone.goto(link)
    phone.fill("[name=name]", person[0])
    phone.fill("[name=tail]", person[1])
    phone.get_by_role("button", name="签到").click()
    expect(phone).to_have_url(f"{link[: link.index('/s/')]}/check-in/done")


def serious(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [f"{page.url} {found['id']}" for found in violations if found["impact"] in SERIOUS]


def test_a_class_checks_itself_in(site: Site, web: Web, gathering: Class, contexts: Contexts) -> None:
    first, second, third, fourth = gathering.people
    screen = contexts.page(DESK)
    screen.context.add_init_script(AN_HOUR_WRONG)
    sign_in(screen, gathering.instructor)
    screen.goto(f"/sessions/{gathering.session_id}/code")
    screen.get_by_role("button", name="显示签到码").click()
    expect(screen.locator("[data-number=missing]")).to_have_text("4")

    # A second screen, to which no stream comes: it asks.
    asking = contexts.page()
    asking.route("**/code/stream", lambda route: route.abort())
    sign_in(asking, gathering.instructor)
    asking.goto(f"/sessions/{gathering.session_id}/code")

    # Scanned, checked in, and on the screen, which nobody touches.
    link = read(screen)
    phone = contexts.page()
    check_in(phone, link, first)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("签到成功")
    expect(phone.locator("main")).to_contain_text("急救培训室")
    expect(screen.locator("[data-list=present]")).to_contain_text("王*明")
    expect(screen.locator("[data-number=missing]")).to_have_text("3")
    expect(asking.locator("[data-number=missing]")).to_have_text("3")
    asking.close()
    assert "王小明" not in screen.content()
    found = serious(screen) + serious(phone)

    # A second person with the same phone waits for the instructor.
    check_in(phone, read(screen), second)
    expect(phone.get_by_role("heading", level=1)).to_have_text("请将本页出示给师资")
    expect(screen.locator("[data-waiting]")).to_contain_text("1")
    found += serious(phone)
    with site.engine.connect() as connection:
        reviews = connection.scalars(
            text("SELECT review FROM attendance_event WHERE course_session_id = :id AND review IS NOT NULL"),
            {"id": gathering.session_id},
        ).all()
    assert reviews == ["second_from_browser"]

    # The server is gone for fifteen seconds: the screen goes on, in the server's time, and its code holds.
    web.stop()
    seen = set()
    until = monotonic() + 15
    while monotonic() < until:
        seen.add(read(screen))
        sleep(1)
    assert len(seen) >= 2
    expect(screen.locator("[data-trouble]")).to_contain_text("网络中断")
    web.start()
    check_in(contexts.page(), read(screen), third)
    expect(screen.locator("[data-number=present]")).to_have_text("2")
    expect(screen.locator("[data-trouble]")).to_be_hidden()

    # By now the first code is far older than twenty seconds.
    with pytest.raises(HTTPError) as refused:
        urlopen(link)
    assert refused.value.code == 410
    late = contexts.page()
    late.goto(link)
    expect(late.get_by_role("heading", level=1)).to_contain_text("已失效")
    found += serious(late)

    # Without scripts it works as well.
    context = contexts.page().context.browser
    assert context is not None
    plain = context.new_context(java_script_enabled=False, viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    contexts.opened.append(plain)
    bare = plain.new_page()
    check_in(bare, read(screen), fourth)
    expect(bare.get_by_role("heading", level=1)).to_contain_text("签到成功")
    expect(screen.locator("[data-number=present]")).to_have_text("3")
    assert found == []
