"""Whole stories in a real browser, against the system as `make run` starts it: PostgreSQL, gunicorn, a worker, the demo year."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from courses.models.enrolment import open_ticket
from lms.accounts.models import User
from lms.core import crypto
from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement, basement_system
from tests.journeys.device import Phone
from tests.journeys.running import Running, flask
from tests.journeys.screens import CHROMIUM_ARGUMENTS, DESK, PATIENCE
from tests.lms.core.messages.sms_gateway import KEY_ID, SmsGateway

# The demo instructor without an account, whom the main story asks to teach in a minute: no other story may plan this person.
BUSY_LEAD = "BJ-SZ-0002"
EXPORT_LIMIT_ROWS = 300  # the demo year has more participations
expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys share one running system, so one test process takes them all; those that stop theirs have another."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group("journeys"))


@dataclass(frozen=True)
class Account:
    """A demo account: what the start prints for a person to try."""

    role: str
    login: str
    password: str


@dataclass(frozen=True)
class Site:
    """The running system."""

    url: str
    instance: Path
    engine: Engine
    accounts: dict[str, Account]
    gateway: SmsGateway
    field_key: str

    def ticket(self, ticket_hash: bytes, ticket_sealed: bytes) -> str:
        """The ticket of an enrolment, as it is stored."""
        crypto.configure(self.field_key)
        return open_ticket(ticket_hash, ticket_sealed)

    def user_id(self, account: Account) -> int:
        """The user who signs in to an account."""
        crypto.configure(self.field_key)
        with Session(self.engine) as db:
            return db.scalars(select(User.id).where(User.email_is(account.login))).one()

    def flask(self, *command: str) -> str:
        """Run a command beside the running system, as an administrator at a terminal would. Returns what it printed."""
        return flask(self.instance, *command)

    def codes(self, phone: str) -> list[str]:
        """The codes that were sent to a phone (of 11 digits) through the SMS gateway so far, newest last."""
        sent = [request for request in self.gateway.requests if request["PhoneNumbers"] == phone]
        return [
            json.loads(request["TemplateParam"])["code"] for request in sent if request["TemplateCode"] == "SMS_CODE"
        ]

    def mails(self, recipient: str) -> list[str]:
        """The texts of the mails that somebody got so far, newest last."""
        found = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted((self.instance / "mail").glob("*.eml"))
        ]
        return [mail.get_content() for mail in found if mail["To"] == recipient]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The system with its demo year."""
    folder = Path(tempfile.mkdtemp(prefix="lms-journey-"))
    folder.chmod(0o711)
    with SmsGateway() as gateway:
        running = Running(
            folder / "instance",
            EXPORT_LIMIT_ROWS=str(EXPORT_LIMIT_ROWS),
            SMS_GATEWAY="alibaba",
            SMS_KEY_ID=KEY_ID,
            SMS_KEY_SECRET="of the tests",
            SMS_SIGN_NAME="红十字会",
            SMS_ENDPOINT=gateway.url,
            SMS_TEMPLATES=json.dumps({"code": "SMS_CODE", "code_page": "SMS_CODE_PAGE"}),
        )
        given = running.start()
        entries = json.loads((running.instance / "demo_accounts.json").read_text(encoding="utf-8"))
        accounts = {entry["code"]: Account(entry["code"], entry["login"], entry["password"]) for entry in entries}
        engine = create_engine(given["DATABASE_URL"])
        yield Site(running.url, running.instance, engine, accounts, gateway, given["FIELD_KEY"])
        engine.dispose()
        running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: Debian's where there is one, else the one that Playwright fetched."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for path in map(shutil.which, names) if path), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def basement() -> Iterator[Basement]:
    """The system of the stories of the group `basement`, which stop and start it."""
    with basement_system() as made:
        yield made


Visit = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, basement: Basement, tmp_path: Path) -> Iterator[Phone]:
    """The instructor's phone, signed in."""
    made = Phone(browser.browser_type, tmp_path / "profile", basement.running.url)
    sign_in(made.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    yield made
    made.off()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, site: Site) -> Callable[[str], StorageState]:
    """The cookies of a role that signed in by the form, once a session: tries are counted, for journeys too."""
    states: dict[str, StorageState] = {}

    def state(role: str) -> StorageState:
        if role not in states:
            context = browser.new_context(locale="zh-CN", base_url=site.url)
            sign_in(context.new_page(), site.accounts[role])
            states[role] = context.storage_state()
            context.close()
        return states[role]

    return state


@pytest.fixture
def visit(browser: Browser, site: Site, signed_in: Callable[[str], StorageState]) -> Iterator[Visit]:
    """Open a browser of somebody's own: `visit(role=…, viewport=…, language=…)`; a script error on any page fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(
        role: str | None = None, viewport: dict[str, int] = DESK, language: str = "zh-CN", **more: object
    ) -> Page:
        state = signed_in(role) if role is not None else None
        more.setdefault("base_url", site.url)
        context = browser.new_context(
            viewport=viewport,
            locale=language,
            storage_state=state,
            **more,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console", lambda message: faults.append(message.text) if _is_fault(message.type, message.text) else None
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def _is_fault(kind: str, text: str) -> bool:
    """Errors of our scripts and policy; an answer of 4xx that a page handles is not one, nor a network that a test took away."""
    return kind == "error" and not re.search(r"status of 4\d\d|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED", text)


def sign_in(page: Page, account: Account) -> None:
    """Sign in by the form."""
    page.goto("/sign-in/")
    page.locator("main input:not([type=hidden]):not([type=password]):not([type=checkbox])").first.fill(account.login)
    page.locator("main input[type=password]").fill(account.password)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("header nav")).to_be_visible()
