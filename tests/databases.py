"""The throw-away PostgreSQL server that tests run on, and how test processes share one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from alembic import command
from alembic.config import Config

from lms.config import ROOT
from lms.embedded.postgres import Server

TEMPLATE = "template_lms"


class Shared(NamedTuple):
    """A running server that holds the migrated template, and the database that this test process has to itself."""

    server: Server
    database: str


# Set by who starts many test processes (`tests.mutants`): the process then starts no server of its own.
SHARED = pytest.StashKey[Shared]()


@contextmanager
def running_server() -> Iterator[Server]:
    """An empty server in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="lms-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with Server(Path(folder) / "pg", fsync=False, settings={"max_connections": "200"}) as postgres:
            yield postgres


def make_template(postgres: Server) -> None:
    """Make the migrated database that tests copy."""
    postgres.create_database(TEMPLATE)
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", postgres.url(TEMPLATE).replace("%", "%%"))
    command.upgrade(config, "head")
