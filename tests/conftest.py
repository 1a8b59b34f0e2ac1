"""Fixtures of all tests: a real PostgreSQL, migrated once, and a transaction for each test that is always rolled back."""

import base64
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from certificates import held
from courses.enrolment import held_certificates
from courses.reports.exports import exports
from lms.accounts import browser_sessions, current, passwords, recovery_codes
from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core import clock, crypto, fast_path, pipeline, tasks
from lms.core.autocommit import AutocommitReads
from lms.core.limits import limiter
from lms.core.messages import owing
from lms.embedded.postgres import Server
from tests.databases import SHARED, TEMPLATE, make_template, running_server
from tests.factories import Make

hypothesis_settings.register_profile(
    "lms", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
hypothesis_settings.load_profile("lms")

FIELD_KEY = base64.b64encode(bytes(range(32))).decode()
# The parameters of slow hashes, and those of tests.
REAL_HASHES = [
    (owner, name, getattr(owner, name))
    for owner, name in ((passwords, "HASHER"), (recovery_codes, "PASSES"), (recovery_codes, "MEMORY_KIB"))
]
QUICK_HASHES = (PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), 1, 8)
# Objects made before the garbage collector looks for cycles among the young; Python's 700 is for small programs.
YOUNG_OBJECTS = 20_000


def pytest_collection_finish() -> None:
    """Spare the garbage collector the modules and tests, which live until the end: it would walk over them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A throw-away PostgreSQL that holds a migrated template database: of this test process, or shared."""
    shared = request.config.stash.get(SHARED, None)
    if shared is not None:
        yield shared.server
        return
    with running_server() as postgres:
        make_template(postgres)
        yield postgres


@pytest.fixture(scope="session")
def database_url(server: Server, request: pytest.FixtureRequest) -> str:
    """The address of a migrated database for tests that share it by rolling back."""
    shared = request.config.stash.get(SHARED, None)
    name = shared.database if shared is not None else "lms_test"
    server.create_database(name, template=TEMPLATE)
    return server.url(name)


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a system on this machine."""
    folder = tmp_path_factory.mktemp("instance")
    return Settings(
        lms_embedded=True,
        database_url=database_url,
        broker_url="memory://",
        secret_key="0123456789abcdef-for-tests-only-0123456789",
        field_key=FIELD_KEY,
        public_url="http://127.0.0.1:8000",
        keys_dir=folder / "keys",
        instance_dir=folder,
        _env_file=None,
    )


@pytest.fixture(scope="session", autouse=True)
def _zone_of_the_branch() -> None:
    """Give rules without an application the day of the branch, as each process of the system does at its start."""
    clock.configure(ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords and recovery codes with the least work, because tests make thousands of hashes."""
    with pytest.MonkeyPatch.context() as patch:
        for (owner, name, _), quick in zip(REAL_HASHES, QUICK_HASHES, strict=True):
            patch.setattr(owner, name, quick)
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch, quick_hashes: None) -> None:
    """Hash passwords and recovery codes with the parameters that the system has."""
    for owner, name, value in REAL_HASHES:
        monkeypatch.setattr(owner, name, value)


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the shared test database."""
    made = create_engine(database_url, connect_args={"options": "-c timezone=UTC"})
    yield made
    made.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection whose transaction is rolled back when the test ends."""
    with engine.connect() as opened:
        transaction = opened.begin()
        yield opened
        transaction.rollback()


@pytest.fixture(scope="session")
def _application(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.config["TESTING"] = True
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    app.extensions["engine"].dispose()


class _Connected:
    """Stands for the engine of single reads: gives this test's connection, which its users cannot close."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connect(self) -> "_Connected":
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        """The test's fixture closes it."""


@pytest.fixture
def app(_application: Flask, settings: Settings, connection: Connection) -> Flask:
    """The application, its sessions bound to this test's transaction. Tasks run in it, whatever application was made meanwhile."""
    tasks.configure(_application, settings)
    _application.extensions["sessions"] = sessionmaker(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )
    _application.extensions["autocommit_reads"] = AutocommitReads(_Connected(connection))  # type: ignore[arg-type]
    limiter.reset()
    for limit in fast_path.minute_limits:
        limit.reset()
    return _application


@pytest.fixture
def db(connection: Connection) -> Iterator[Session]:
    """A session in this test's transaction. Commit (a savepoint) before a request is to see the rows."""
    crypto.configure(FIELD_KEY)
    owing.configure(None)  # whatever application was made meanwhile
    held_certificates.configure(held.of_people)
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        yield session


@pytest.fixture
def make(db: Session) -> Make:
    """The factories, on `db`."""
    return Make(db)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, db: Session) -> Callable[[User], FlaskClient]:
    """Give a browser in which a user is signed in (through our own session table)."""

    def signed_in(user: User) -> FlaskClient:
        token = browser_sessions.start(db, user, days=1, browser="test")
        db.commit()
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie[current.TOKEN] = token
        return browser

    return signed_in


@pytest.fixture
def statements(connection: Connection) -> Iterator[list[str]]:
    """Every SQL statement sent from here on, for query budgets; savepoints and transaction control do not count."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    with pipeline.observed(seen.append):
        yield seen
    event.remove(connection, "before_cursor_execute", note)


@pytest.fixture
def background(app: Flask) -> Iterator[None]:
    """Every export is long."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings.model_copy(update={"export_limit_rows": 1})
    yield
    app.config["SETTINGS"] = settings


@pytest.fixture
def work(app: Flask, db: Session, connection: Connection) -> Callable[[], bool]:
    """Do what a worker does, once."""

    @contextmanager
    def opening() -> Iterator[Connection]:
        yield connection

    def once() -> bool:
        db.expire_all()
        done = exports.make(db, app.extensions["sessions"], opening, app.config["SETTINGS"].zone)
        db.commit()
        return done

    return once


@pytest.fixture
def fresh_database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of its own, for tests that commit or race. Dropped afterwards."""
    crypto.configure(FIELD_KEY)
    name = f"fresh_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    server.create_database(name, template=TEMPLATE)
    yield server.url(name)
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as opened:
        opened.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
