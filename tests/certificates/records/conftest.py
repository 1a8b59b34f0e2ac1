"""Databases with sealed rows in every table of record."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

import lms.schema  # noqa: F401 - all tables of record
from certificates.branch import Branch
from certificates.records import sealing
from certificates.records.models import RecordBlock
from lms.config import Settings
from lms.core import crypto
from lms.embedded.postgres import Server
from tests.certificates.records import rows
from tests.conftest import FIELD_KEY
from tests.databases import TEMPLATE


@dataclass(frozen=True)
class Site:
    """A database of its own with the worker's key."""

    engine: Engine
    sessions: sessionmaker[Session]
    branch: Branch
    url: str

    def seal(self, limit: int = sealing.BLOCK_ROWS) -> list[RecordBlock]:
        return list(sealing.seal(self.sessions, self.engine.connect, self.branch, limit=limit))

    def write(self, first: int, last: int) -> None:
        """Write rows first to last into each table of record, in one transaction."""
        with self.engine.begin() as connection:
            rows.write(connection, first, last)


@pytest.fixture
def site(fresh_database: str, settings: Settings, tmp_path: Path) -> Iterator[Site]:
    """A site on which a test may commit."""
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    yield _site(engine, fresh_database, settings, tmp_path)
    engine.dispose()


@pytest.fixture(scope="package")
def sealed(server: Server, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with 420 rows in each table, sealed in blocks of at most 12. A test rolls back what it changes."""
    crypto.configure(FIELD_KEY)
    name = f"sealed_records_{os.getpid()}"
    server.create_database(name, template=TEMPLATE)
    engine = create_engine(server.url(name), connect_args={"options": "-c timezone=UTC"})
    made = _site(engine, server.url(name), settings, tmp_path_factory.mktemp("records"))
    with engine.begin() as connection:
        rows.disarm(connection)
        rows.write(connection, 1, 100)
        rows.number_as_before_0024(connection)
    made.seal(limit=12)
    for first in range(101, 420, 40):
        for start in range(first, first + 40, 8):
            made.write(start, start + 7)
        made.seal(limit=12)
    yield made
    engine.dispose()
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as opened:
        opened.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _site(engine: Engine, url: str, settings: Settings, folder: Path) -> Site:
    branch = replace(Branch.of(settings), keys_dir=folder / "keys")
    return Site(engine, sessionmaker(engine, expire_on_commit=False), branch, url)
