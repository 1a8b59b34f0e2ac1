"""Two web machines and a worker that share a database and a queue, and nothing else: each begins with an empty folder."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, select
from sqlalchemy.orm import sessionmaker

from certificates.keys import qr_keys
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import CourseSession, Offering
from lms.accounts import passwords
from lms.config import ROOT
from lms.core import clock
from lms.core.scope import Role
from lms.core.transactions import transaction
from lms.embedded import roles
from lms.embedded.environment import QUEUE_PREFIX
from lms.embedded.postgres import Server
from tests.certificates.conftest import FIRST, LAST
from tests.conftest import FIELD_KEY
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make

PATIENCE = 60.0  # seconds: a machine that does much else is slow, not wrong
QUEUE = "queue_of_machines"
LOGIN, PASSWORD = "city@example.org", "eight horses, one cart"
YEAR = "since=2025-01-01&until=2025-12-31"
ONE = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))
LIST = "姓名,手机,证件类型,证件号码,出生年份,邮箱,监护人,监护人电话\r\n李小龙,13812345678,,,1990,,,\r\n"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(*command: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A program of the system, stopped in order."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()


@pytest.fixture
def shared(server: Server, fresh_database: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings that all machines share: Redis if this computer has one, else the queue in PostgreSQL."""
    own = {"SECRET_KEY": "0123456789abcdef-for-tests-only-0123456789", "FIELD_KEY": FIELD_KEY}
    own |= {"PUBLIC_URL": "http://127.0.0.1:1", "EXPORT_LIMIT_ROWS": "1", "LMS_EMBEDDED": "1", "BROKER_URL": ""}
    roles.prepare(server, str(make_url(fresh_database).database), None)
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    with ExitStack() as stack:
        if program is not None:
            port = str(free_port())
            quiet = ("--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
            log = tmp_path / "redis.log"
            stack.enter_context(running(program, "--port", port, *quiet, environment=dict(os.environ), log=log))
            own["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
            wait_for(lambda: socket.create_connection(("127.0.0.1", int(port))).close())
        else:
            server.create_database(QUEUE)
            stack.callback(server.drop_database, QUEUE)
            own["BROKER_URL"] = server.url(QUEUE, f"{QUEUE_PREFIX}postgresql+psycopg")
            making = f"from lms.embedded import queue; queue.prepare({own['BROKER_URL']!r})"
            subprocess.run([sys.executable, "-c", making], cwd=ROOT, check=True)  # kombu's tables warn of themselves
        names = (
            "DATABASE_URL",
            "DATABASE_REPLICA_URL",
            "REDIS_URL",
            "MAIL_URL",
            "INSTANCE_DIR",
            "KEYS_DIR",
            "LISTEN_FD",
        )
        yield {name: value for name, value in os.environ.items() if name not in names} | own


def wait_for(ask: Callable[[], object]) -> None:
    """Until it answers without an error of the network."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ask()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


class Browser:
    """A browser in front of the load balancer: its cookies go to whichever machine it asks."""

    def __init__(self) -> None:
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, url: str, data: bytes | None = None, **headers: str) -> tuple[int, str, bytes]:
        """The status, where it ended after redirects, and what came."""
        try:
            with self._opener.open(Request(url, data, headers), timeout=PATIENCE) as answer:
                return answer.status, answer.url, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.url, error.read()

    def page(self, url: str) -> str:
        status, _url, content = self.get(url)
        assert status == 200, (url, status, content[-2000:])
        return content.decode()

    def post(
        self, at: str, /, to: str | None = None, file: tuple[str, str] | None = None, **fields: str
    ) -> tuple[int, str, bytes]:
        """Send the form of a page, with its token; to the same address unless told."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(at)[2].decode())
        assert token is not None, at
        fields |= {"csrf_token": token.group(1)}
        if file is None:
            return self.get(to or at, urlencode(fields).encode(), Referer=at)
        mark, parts = uuid4().hex, []
        for name, value in fields.items():
            parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
        named, content = file
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="{named}"; filename="list.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{content}\r\n--{mark}--\r\n"
        )
        return self.get(
            to or at,
            "".join(parts).encode(),
            Referer=at,
            **{"Content-Type": f"multipart/form-data; boundary={mark}"},
        )


def until(browser: Browser, url: str, mark: str) -> str:
    """The page, once it holds a text: the worker is at it meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while mark not in (page := browser.page(url)):
        assert time.monotonic() < deadline, page
        time.sleep(0.1)
    return page


@pytest.fixture
def machines(shared: dict[str, str], fresh_database: str, tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of two web machines; a worker runs beside them, which alone has keys."""
    login = {name: roles.as_login(name, {"DATABASE_URL": fresh_database}) for name in (roles.WEB, roles.WORKER)}
    with ExitStack() as stack:
        addresses = []
        for name in ("one", "two"):
            port = str(free_port())
            folders = {"INSTANCE_DIR": str(tmp_path / name), "KEYS_DIR": str(tmp_path / name / "keys")}
            own = shared | login[roles.WEB] | folders | {"PORT": port, "HOST": "127.0.0.1", "WEB_THREADS": "2"}
            program = (sys.executable, "-m", "gunicorn", "-c", "lms/embedded/gunicorn.conf.py", "wsgi:app")
            stack.enter_context(running(*program, environment=own, log=tmp_path / f"{name}.log"))
            addresses.append(f"http://127.0.0.1:{port}")
        folders = {"INSTANCE_DIR": str(tmp_path / "worker"), "KEYS_DIR": str(tmp_path / "worker" / "keys")}
        program = (
            sys.executable,
            "-m",
            "celery",
            "-A",
            "lms.worker",
            "worker",
            "--pool",
            "solo",
            "--loglevel",
            "WARNING",
        )
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        own = shared | login[roles.WORKER] | folders
        stack.enter_context(running(*program, *alone, environment=own, log=tmp_path / "worker.log"))
        for address in addresses:
            wait_for(lambda address=address: Browser().page(f"{address}/readyz"))
        yield addresses


def test_any_machine_goes_on_where_another_left_off(
    machines: list[str], shared: dict[str, str], fresh_database: str, tmp_path: Path
) -> None:
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    with transaction(sessionmaker(engine, expire_on_commit=False)) as db:
        make = Make(db)
        make.user(Role.CITY_ADMINISTRATOR, email=LOGIN, password_hash=passwords.seal(PASSWORD))
        for _ in range(2):
            World(db).close(Plan(date(2025, 6, 1), (0,), (ONE,), False, 1))
        course = make.new_course(skills=0, pass_mark=None)
        began = clock.now() - timedelta(hours=1)
        taught = make.offering(course=course, starts=[began])
        coming = make.offering(course=course, starts=[clock.now() + timedelta(days=3)])
        came = make.enrolment(taught, make.trainee("张三丰"))
        meeting = db.scalars(select(CourseSession).join(Offering).where(Offering.id == taught.id)).one()
        qr_keys.ensure(db, tmp_path / "worker" / "keys", not_before=FIRST, not_after=LAST)
        now = clock.now()
        arrival = AttendanceInput(uuid4(), meeting.id, came.id, AttendanceKind.ARRIVE, AttendanceMethod.TAP, now)
        recording.record(db, arrival, now=now)
    engine.dispose()
    one, two = machines
    browser = Browser()

    assert browser.post(f"{one}/sign-in/", identifier=LOGIN, password=PASSWORD)[0] == 200
    assert "csrf_token" in browser.page(f"{two}/account/")

    # A list that one machine took is looked through and confirmed at the other.
    enrolments = f"/offerings/{coming.id}/enrolments"
    _status, preview, _content = browser.post(f"{one}{enrolments}/import", file=("file", LIST))
    there = preview.replace(one, two)
    assert "李小龙" in browser.page(there)
    browser.post(there, to=f"{there}/apply")
    assert "李小龙" in browser.page(f"{one}{enrolments}/")

    # An export that one machine was asked for, the worker makes; the other hands it out.
    form = f"/reports/exports/new/participations?{YEAR}"
    _status, page, _content = browser.post(f"{one}{form}", form="csv", personal="none")
    until(browser, page.replace(one, two), "/file")
    assert len(browser.get(page.replace(one, two) + "/file")[2].decode().splitlines()) > 2

    # A session that the other machine closes: the worker signs with its keys, and both print.
    form = f"{two}/sessions/{meeting.id}/close"
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', browser.page(form))
    browser.post(form, before_end="y", hours_choice="given", **({"seen": seen.group(1)} if seen else {}))
    number = re.search(r'href="(/certificates/\d+)"', until(browser, f"{one}/certificates/", "张三丰"))
    assert number is not None
    assert browser.get(f"{one}{number.group(1)}.pdf")[2].startswith(b"%PDF")

    # What is refused at one is refused at the other, where the counters are shared.
    if shared["BROKER_URL"] == "":
        stranger = Browser()
        tries = [
            stranger.post(f"{machine}/sign-in/", identifier="x@example.org", password="wrong")[0]
            for machine in machines * 6
        ]
        assert tries == [422] * 10 + [429] * 2

    browser.post(f"{one}/account/", to=f"{one}/account/sign-out")
    assert "/sign-in/" in browser.get(f"{two}/account/")[1]
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists()
