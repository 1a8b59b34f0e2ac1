"""A small system in a database of its own, and one backup of it that most tests read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.owed import owe
from certificates import issuing
from certificates.branch import Branch
from certificates.records import sealing
from lms.app import create_app
from lms.backup import encryption, reading, writing
from lms.backup.encryption import Opener
from lms.backup.reading import Contents
from lms.backup.writing import Backup, Lock, Source
from lms.config import Settings
from lms.core import tasks
from lms.core.transactions import transaction
from lms.embedded.postgres import Server
from tests.conftest import FIELD_KEY
from tests.databases import TEMPLATE
from tests.factories import Make


@dataclass(frozen=True)
class System:
    """A system whose rows are committed: trainings that were closed, and their certificates."""

    app: Flask
    source: Source

    @property
    def sessions(self) -> sessionmaker[Session]:
        sessions: sessionmaker[Session] = self.app.extensions["sessions"]
        return sessions


@dataclass(frozen=True)
class Made:
    """A backup of the system, and what opens it."""

    backup: Backup
    opener: Opener
    identity: str
    recipient: str

    @property
    def path(self) -> Path:
        return self.backup.path


def names(folder: Path) -> list[str]:
    """The names in a folder, hidden ones, too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="session")
def system(server: Server, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    name = f"backed_{os.getpid()}"
    server.create_database(name, template=TEMPLATE)
    own = settings.model_copy(update={"database_url": server.url(name), "keys_dir": folder / "keys"})
    app = create_app(own)
    sessions = app.extensions["sessions"]
    owe(app, 3)
    with transaction(sessions) as db:
        Make(db).trainee(phone="+8613912345678")
        issuing.issue_owed(db, Branch.of(own), limit=2)
    assert list(sealing.seal(sessions, app.extensions["engine"].connect, Branch.of(own)))
    picture = folder / "seal.svg"
    picture.write_text("<svg/>")
    environ = {
        "SECRET_KEY": own.secret_key,
        "FIELD_KEY": FIELD_KEY,
        "DATABASE_URL": own.database_url,
        "PUBLIC_URL": own.public_url,
        "SEAL_FILE": str(picture),
        "PATH": os.environ["PATH"],
    }
    yield System(app, Source(own.database_url, own.keys_dir, environ))
    app.extensions["engine"].dispose()
    server.drop_database(name)
    tasks.configure(create_app(settings), settings)


@pytest.fixture(scope="session")
def made(system: System, tmp_path_factory: pytest.TempPathFactory) -> Made:
    identity, recipient = encryption.new_identity()
    path = tmp_path_factory.mktemp("backups") / "one.age"
    backup = writing.make(system.source, path, Lock((recipient,)), lambda _: None)
    return Made(backup, Opener([identity]), identity, recipient)


@pytest.fixture(scope="session")
def contents(made: Made) -> Contents:
    with reading.open_file(made.path) as file:
        return reading.read(file, made.opener)


@pytest.fixture
def empty_database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database with nothing in it. Dropped afterwards."""
    name = f"empty_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    server.create_database(name)
    yield server.url(name)
    server.drop_database(name)
