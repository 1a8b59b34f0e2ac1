"""A streaming replica of the tests' own server: copied from it, paused, killed and started again."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url

from lms.app import create_app
from lms.config import Settings
from lms.core import replica as replicas
from lms.embedded import system_user
from lms.embedded.postgres import SUPERUSER, Server
from tests.lms.core.standby import READER, meet, start


@pytest.fixture(scope="module")
def standby(server: Server) -> Iterator[Server]:
    """A replica of the tests' server, which writes down what it is asked; and a login that may read, and no more."""
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {READER} LOGIN IN ROLE pg_read_all_data")
    with tempfile.TemporaryDirectory(prefix="lms-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "replica"
        data.mkdir(mode=0o700)
        user = system_user.for_data(server.data_dir)
        if user is not None:
            os.chown(data, user.uid, user.gid)
        subprocess.run(
            [
                *(str(server.programs / "pg_basebackup"), f"--host={server.socket_dir}", f"--username={SUPERUSER}"),
                *(f"--pgdata={data}", "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"),
            ],
            check=True,
            cwd="/",
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
        for name in (".s.PGSQL.5432.lock", "server.log"):  # what the primary keeps beside its data
            (data / name).unlink(missing_ok=True)
        with Server(data, fsync=False, settings={"max_connections": "200", "log_statement": "all"}) as copy:
            yield copy
    with server.connect() as connection:
        connection.execute(f"DROP ROLE {READER}")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the replica at every request; one that replays gets the time that it needs on a busy machine."""
    monkeypatch.setattr(replicas, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(replicas, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(replicas, "CATCH_UP_SECONDS", 10.0)


@pytest.fixture
def paused(standby: Server) -> Callable[[], AbstractContextManager[None]]:
    """For a while, nothing is replayed, and nobody waits for it."""

    @contextmanager
    def pausing() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch, standby.connect() as connection:
            patch.setattr(replicas, "CATCH_UP_SECONDS", 0.0)
            connection.execute("SELECT pg_wal_replay_pause()")
            try:
                yield
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")

    return pausing


@pytest.fixture
def system(server: Server, fresh_database: str, standby: Server, settings: Settings) -> Iterator[Flask]:
    """The application on a database of its own, with a replica that may be behind by an hour."""
    with server.connect() as connection:  # as everywhere but in tests
        connection.execute(f'ALTER DATABASE "{make_url(fresh_database).database}" SET synchronous_commit = on')
    meet(server, standby)
    address = standby.url(str(make_url(fresh_database).database))
    told = {
        "database_url": fresh_database,
        "database_replica_url": address.replace(f"//{SUPERUSER}@", f"//{READER}@"),
        "replica_limit_seconds": 3600.0,
        "export_limit_rows": 1,
    }
    made = create_app(settings.model_copy(update=told))
    made.config["WTF_CSRF_ENABLED"] = False
    yield made
    start(standby)
    for name in ("replica", "autocommit_reads", "engine"):
        made.extensions[name].dispose()
