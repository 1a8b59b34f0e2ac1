"""Whole stories in a real browser, against the system as `make run` starts it: PostgreSQL, gunicorn, a worker, the demo year."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright
from sqlalchemy import Engine, create_engine

from lms.config import ROOT
from lms.embedded.environment import RECORD

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
START_SECONDS = 240
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys share one running system, so one test process takes them all."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)
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

    def flask(self, *command: str) -> str:
        """Run a command beside the running system, as an administrator at a terminal would. Returns what it printed."""
        environment = os.environ | {"INSTANCE_DIR": str(self.instance)}
        finished = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def mails(self, recipient: str) -> list[str]:
        """The texts of the mails that somebody got so far, newest last."""
        found = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted((self.instance / "mail").glob("*.eml"))
        ]
        return [mail.get_content() for mail in found if mail["To"] == recipient]


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The system, started as its user starts it and stopped as its user stops it."""
    folder = Path(tempfile.mkdtemp(prefix="lms-journey-"))
    folder.chmod(0o711)
    instance = folder / "instance"
    port = _free_port()
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "MAIL_URL"}
    } | {"INSTANCE_DIR": str(instance), "PORT": str(port), "HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "lms.embedded.launcher", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: list[str] = []
    assert running.stdout is not None
    reader = Thread(target=printed.extend, args=(running.stdout,), daemon=True)
    reader.start()
    deadline = monotonic() + START_SECONDS
    while not (instance / RECORD).exists():
        assert running.poll() is None, "".join(printed)
        assert monotonic() < deadline, "".join(printed)
        sleep(0.1)
    given = json.loads((instance / RECORD).read_text())
    entries = json.loads((instance / "demo_accounts.json").read_text(encoding="utf-8"))
    accounts = {entry["code"]: Account(entry["code"], entry["login"], entry["password"]) for entry in entries}
    engine = create_engine(given["DATABASE_URL"])
    yield Site(f"http://127.0.0.1:{port}", instance, engine, accounts)
    engine.dispose()
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0, "".join(printed)
    reader.join(5)
    running.stdout.close()
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


Visit = Callable[..., Page]


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
        context.set_default_timeout(15_000)
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
