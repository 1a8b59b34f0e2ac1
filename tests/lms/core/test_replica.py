"""Reports from a streaming replica: a real one, copied from the tests' own server, paused, killed and started again."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError

from courses import tasks
from courses.models.enrolment import Enrolment, EnrolmentState
from lms.accounts import browser_sessions, current
from lms.accounts.models import User
from lms.config import Settings
from lms.core import replica as replicas
from lms.core import request_db
from lms.core.access import public
from lms.core.replica import Replica, Unavailable
from lms.core.scope import Role
from lms.core.transactions import transaction
from lms.embedded.postgres import Server
from tests.courses.worlds import Person, Plan, Presence, World
from tests.factories import Make
from tests.lms.core.standby import READER, start

YEAR = "since=2025-01-01&until=2025-12-31"
REPORT = f"/reports/enrolment?{YEAR}&lang=en"
ONE = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def hold(system: Flask) -> None:
    """Add one person-time on the primary."""
    with transaction(system.extensions["sessions"]) as db:
        World(db).close(Plan(date(2025, 6, 1), (0,), (ONE,), False, 1))


def caught_up(system: Flask) -> Replica:
    """The replica, once it has all that the primary has."""
    found: Replica = system.extensions["replica"]
    assert found.has_all()
    return found


def browser(system: Flask) -> FlaskClient:
    """Of a city administrator who just signed in."""
    with transaction(system.extensions["sessions"]) as db:
        user: User = Make(db).user(Role.CITY_ADMINISTRATOR)
        token = browser_sessions.start(db, user, days=1, browser="test")
    made = system.test_client()
    with made.session_transaction() as cookie:
        cookie[current.TOKEN] = token
    return made


def asked_meanwhile(engine: Engine, act: Callable[[], object]) -> list[str]:
    """The statements that an act sends to an engine."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return seen


def figure(client: FlaskClient) -> str:
    """The sum at the head of the report, and the line about its age."""
    page = client.get(REPORT).text
    main = page.split('class="report-figure">', 1)[1].split("<", 1)[0]
    age = page.split('role="status">', 1)[1].split("<", 1)[0] if "Figures as of" in page else ""
    return f"{main.strip()}: {age.strip()}"


def asked_of(server: Server) -> str:
    return server.log_file.read_text(errors="replace")


@pytest.mark.usefixtures("eager")
def test_a_report_is_read_from_the_replica_and_says_how_old_it_is(
    system: Flask, standby: Server, paused: Callable[[], AbstractContextManager[None]]
) -> None:
    city = browser(system)
    hold(system)
    caught_up(system)
    # A primary where nothing happens is not ahead.
    assert re.fullmatch(r"1: Figures as of \d\d:\d\d:\d\d", figure(city))
    assert "person_time_entry" in asked_of(standby)
    of_primary = asked_meanwhile(system.extensions["engine"], lambda: figure(city))
    assert not [statement for statement in of_primary if "person_time" in statement]

    with paused():
        hold(system)
        assert figure(city).startswith("1: ")
        while not re.fullmatch(r"1: Figures as of \d\d:\d\d:\d\d, \d+ s behind", figure(city)):  # once it is a second
            time.sleep(0.1)
    caught_up(system)
    assert figure(city).startswith("2: ")


@pytest.mark.usefixtures("eager")
def test_every_report_can_be_read_from_one_that_only_reads(system: Flask) -> None:
    city = browser(system)
    hold(system)
    replica = caught_up(system)
    pages = [
        rule.rule
        for rule in system.url_map.iter_rules()
        if rule.rule.startswith("/reports") and "GET" in (rule.methods or ()) and not rule.arguments
    ]
    files = ("enrolment", "districts", "indicators", "hours", "offerings", "waiting", "in-progress", "adjustments")
    pages += [f"/reports/{name}/export/csv" for name in files]
    pages += [f"/reports/exports/new/{kind}" for kind in ("participations", "people")]
    answers = {page: city.get(f"{page}?{YEAR}").status_code for page in pages}
    assert {page: status for page, status in answers.items() if status not in {200, 302}} == {}
    assert len(answers) > 10
    told: Any = replica.standing()
    assert set(told["answers"]) == {"replica"}


@pytest.mark.usefixtures("eager")
def test_a_file_from_the_replica_says_as_of_when_it_is_for_it_is_kept(
    system: Flask, standby: Server, paused: Callable[[], AbstractContextManager[None]]
) -> None:
    city = browser(system)
    hold(system)
    caught_up(system)

    def told(form: str) -> str:
        """The file's statement of its figures' age."""
        answer = city.get(f"/reports/enrolment{form}?{YEAR}&lang=en")
        assert answer.status_code == 200
        pages = pypdfium2.PdfDocument(answer.data) if form == ".pdf" else ()
        text = "".join(page.get_textpage().get_text_bounded() for page in pages) or answer.data.decode("utf-8-sig")
        found = re.search(r"Figures as of[ ,\"]*([-\d: ]{19})((?:,\s\d+\ss behind)?)", text)
        return f"{bool(found)}{found[2].replace(chr(10), ' ') if found else ''}"

    assert [told(form) for form in ("/export/csv", ".pdf")] == ["True", "True"]
    with paused():
        hold(system)
        while told("/export/csv") == "True":
            time.sleep(0.1)
        for form in ("/export/csv", ".pdf"):
            assert re.fullmatch(r"True, \d+ s behind", told(form))
    caught_up(system)
    standby.stop()
    assert told("/export/csv") == told(".pdf") == "False"  # of the primary, it is as of when it was made
    start(standby)


@pytest.mark.usefixtures("eager")
def test_who_saved_something_sees_it_at_once_from_the_primary(
    system: Flask, paused: Callable[[], AbstractContextManager[None]]
) -> None:
    one, other = browser(system), browser(system)
    hold(system)
    caught_up(system)
    with paused():
        hold(system)
        assert one.post("/account/browsers/end-others").status_code == 302
        assert figure(one).startswith("2: ")
        assert figure(one).endswith("from the main database")
        assert figure(other).startswith("1: ")
    caught_up(system)
    assert figure(one).startswith("2: ")
    assert not figure(one).endswith("from the main database")


@pytest.mark.usefixtures("eager")
def test_one_that_is_too_far_behind_is_not_asked(
    system: Flask, paused: Callable[[], AbstractContextManager[None]]
) -> None:
    address, primary = system.config["SETTINGS"].database_replica_url, system.extensions["engine"]
    strict = Replica(address, primary, limit=0.0)
    hold(system)
    assert strict.has_all()
    assert strict.freshness().from_replica
    with paused():
        hold(system)
        found = strict.freshness()
        assert found.unavailable is Unavailable.BEHIND
        assert found.seconds > 0
        assert not strict.has_all()
    assert strict.freshness().from_replica
    strict.dispose()


def test_another_server_is_no_replica(system: Flask, settings: Settings) -> None:
    other = create_engine(settings.database_url)
    told = system.config["SETTINGS"]
    itself = Replica(told.database_url, system.extensions["engine"], limit=30.0)
    elsewhere = Replica(told.database_replica_url, other, limit=30.0)
    assert itself.freshness().unavailable is elsewhere.freshness().unavailable is Unavailable.GONE
    for opened in (itself, elsewhere, other):
        opened.dispose()


def test_the_primary_answers_while_it_is_gone_and_nobody_waits_for_it(
    system: Flask, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = browser(system)
    hold(system)
    caught_up(system)
    assert figure(city).startswith("1: ")
    tries: list[str] = []

    def note(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        if parameters["user"] == READER:
            tries.append(parameters["user"])

    event.listen(Engine, "do_connect", note)
    assert standby.process is not None
    os.killpg(standby.process.pid, signal.SIGKILL)
    standby.process.wait()
    monkeypatch.setattr(replicas, "LOOK_SECONDS", 60.0)
    try:
        assert figure(city).endswith("from the main database")  # its connection broke under this very page
        tried = len(tries)
        for _ in range(3):
            assert figure(city).endswith("from the main database")
        assert len(tries) == tried
    finally:
        event.remove(Engine, "do_connect", note)
    assert city.get("/readyz").json["replica"]["state"] == "gone"  # type: ignore[index]

    start(standby)
    monkeypatch.setattr(replicas, "PAUSE_SECONDS", 0.0)
    system.extensions["replica"].lost(psycopg.OperationalError("nobody is there"))
    assert "from the main database" not in figure(city)
    assert city.get("/readyz").json["replica"]["state"] == "ok"  # type: ignore[index]


@pytest.mark.usefixtures("eager")
def test_one_that_hangs_holds_up_no_more_than_who_found_out(
    system: Flask, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = browser(system), browser(system)
    hold(system)
    caught_up(system)
    assert figure(one).startswith("1: ")
    monkeypatch.setattr(replicas, "HUNG_SECONDS", 0.0)
    assert standby.process is not None
    postmaster = standby.process.pid
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    family = [postmaster, *map(int, children)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    asked, found = Event(), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "pg_is_in_recovery" in statement:
            asked.set()

    event.listen(Engine, "before_cursor_execute", note)
    waiting = Thread(target=lambda: found.append(figure(one)))
    waiting.start()
    try:
        assert asked.wait(10)
        assert figure(other).endswith("from the main database")
        assert waiting.is_alive()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    waiting.join(10)
    assert found[0].startswith("1: ")


def test_a_question_that_the_replay_ended_is_asked_of_the_primary(
    system: Flask, standby: Server, server: Server
) -> None:
    city = browser(system)
    hold(system)
    replica = caught_up(system)
    asked: list[bool] = []

    @public
    def long() -> str:
        db = request_db.report_db()
        asked.append(bool(db.scalar(select(func.pg_is_in_recovery()))))
        count = db.scalar(select(func.count()).select_from(Enrolment))
        if asked[-1]:
            _conflict(system)
            assert replica.has_all()
        assert db.scalar(select(func.count()).select_from(Enrolment)) == count
        return str(count)

    system.add_url_rule("/long", view_func=long)
    with _impatient(standby):
        assert city.get("/long").text == "1"
    assert asked == [True, False]
    assert replica.freshness().from_replica  # it goes on


def _conflict(system: Flask) -> None:
    """Replaying this needs the table for itself, which a question that is not over still holds."""
    with system.extensions["engine"].begin() as primary:
        primary.execute(text("LOCK TABLE enrolment IN ACCESS EXCLUSIVE MODE"))
        primary.execute(text("SELECT pg_current_xact_id()"))


@contextmanager
def _impatient(standby: Server) -> Iterator[None]:
    """A replica whose replay waits for nobody."""
    with standby.connect() as connection:
        connection.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        connection.execute("SELECT pg_reload_conf()")
        yield
        connection.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
        connection.execute("SELECT pg_reload_conf()")


def test_the_worker_reads_a_long_export_from_it_and_else_from_the_primary(system: Flask, standby: Server) -> None:
    city = browser(system)
    hold(system)
    hold(system)
    pages = [
        city.post(f"/reports/exports/new/participations?{YEAR}", data={"form": "csv", "personal": "none"}).location
        for _ in range(2)
    ]
    caught_up(system)
    before = asked_of(standby).count("COPY (SELECT")
    tasks.sweep_exports()
    assert asked_of(standby).count("COPY (SELECT") == before + 1
    standby.stop()
    tasks.sweep_exports()
    first, second = (city.get(f"{page}/file") for page in pages)
    assert first.status_code == second.status_code == 200
    assert first.data == second.data


def test_an_export_that_the_replica_loses_is_made_from_the_primary(
    system: Flask, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = browser(system)
    hold(system)
    hold(system)
    form = f"/reports/exports/new/participations?{YEAR}"
    page = city.post(form, data={"form": "xlsx", "personal": "none"}).location
    replica = caught_up(system)
    given = replica.connection

    @contextmanager
    def ended() -> Iterator[Connection]:
        with given() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with standby.connect() as administrator:
                administrator.execute("SELECT pg_terminate_backend(%s)", [number])
            yield connection

    monkeypatch.setattr(replica, "connection", ended)
    tasks.sweep_exports()
    assert city.get(f"{page}/file").status_code == 200
    assert replica.standing()["state"] == "gone"


def test_what_reads_the_replica_can_write_nothing(system: Flask) -> None:
    hold(system)
    replica = caught_up(system)
    with replica.connection() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("DELETE FROM enrolment"))
