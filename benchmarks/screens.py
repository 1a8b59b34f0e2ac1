"""`python -m benchmarks.screens`: eight check-in screens on one process of eight threads, and what a roster takes meanwhile.

Three ways for a screen to hear of changes: all ask every two seconds; as built (two streams of ten seconds, the others ask);
and streams that nothing bounds, which is why they are bounded.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from statistics import median, quantiles
from threading import Thread

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.forged_codes import open_session
from benchmarks.load import HOST
from benchmarks.stage import Stage, gunicorn, stage
from lms.accounts import browser_sessions, current
from lms.accounts.models import User

SCREENS = 8
SECONDS = 20.0
WAIT = 15.0
ACCOUNT = "city-administrator@demo.example.org"
UNBOUNDED = """
from threading import BoundedSemaphore
from courses.attendance.self_check_in.views import code_display
code_display._streams, code_display.STREAM_SECONDS = BoundedSemaphore(100), 25.0
from wsgi import app
"""


class Site:
    """A server as one signed-in browser sees it, until a moment."""

    def __init__(self, port: int, session_id: int, cookie: str) -> None:
        self._port, self._place, self._cookie = port, f"/sessions/{session_id}", cookie
        self.until = time.monotonic() + SECONDS

    def get(self, path: str, tag: str = "", wait: float = 60.0) -> tuple[int, str]:
        """Status and ETag of a page, read to its end. Raises OSError."""
        connection = HTTPConnection(HOST, self._port, timeout=wait)
        try:
            connection.request("GET", self._place + path, headers={"Cookie": self._cookie, "If-None-Match": tag})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("ETag", tag)
        finally:
            connection.close()

    def ask(self) -> None:
        """A screen to which no stream comes."""
        tag = ""
        while time.monotonic() < self.until:
            _, tag = self.get("/code/state", tag)
            time.sleep(2)

    def listen(self) -> None:
        """A screen that is given a stream, or asks where none can be spared."""
        while time.monotonic() < self.until:
            if self.get("/code/stream")[0] == 204:
                self.ask()
            time.sleep(0.25)


def cookie_of(on: Stage) -> str:
    """The cookie of a browser in which somebody is signed in who sees every session."""
    with Session(on.app.extensions["engine"]) as db:
        user = db.scalars(select(User).where(User.email_is(ACCOUNT))).one()
        token = browser_sessions.start(db, user, days=1, browser="benchmark")
        db.commit()
    with on.app.test_client() as browser:
        with browser.session_transaction() as kept:
            kept[current.TOKEN] = token
        cookie = browser.get_cookie("lms")
    return f"lms={cookie.value}" if cookie else ""


def measure(name: str, site: Site, screen: Callable[[], None] | None) -> None:
    """Let the screens run, ask for the roster meanwhile, print what it took; one that gave up took as long as it waited."""
    screens = [Thread(target=screen) for _ in range(SCREENS)] if screen else []
    for one in screens:
        one.start()
    time.sleep(1)
    taken = []
    while time.monotonic() < site.until - 1:
        began = time.perf_counter()
        with suppress(OSError):
            site.get("/attendance", wait=WAIT)
        taken.append(1000 * (time.perf_counter() - began))
        time.sleep(0.2)
    for one in screens:
        one.join()
    print(f"{name:<34} median {median(taken):8.0f} ms   p95 {quantiles(taken, n=20)[-1]:8.0f} ms   of {len(taken)}")


def main() -> None:
    """Set the stage and measure each way."""
    with stage() as on:
        on.load_demo()
        session_id, cookie = open_session(on), cookie_of(on)
        for name, way in (("no screen", ""), ("all ask every 2 s", "ask"), ("as built", "listen")):
            with gunicorn("wsgi:app", on.environment) as server:
                site = Site(server.port, session_id, cookie)
                measure(name, site, getattr(site, way) if way else None)
        (on.folder / "unbounded.py").write_text(UNBOUNDED, encoding="utf-8")
        with gunicorn("unbounded:app", on.environment | {"PYTHONPATH": str(on.folder)}) as server:
            site = Site(server.port, session_id, cookie)
            measure("streams without a bound", site, site.listen)


if __name__ == "__main__":
    main()
