"""The server from the wheel: it starts, stops, recovers, and says in one line why it cannot."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from lms.config import ROOT
from lms.embedded import sockets
from lms.embedded.failure import StartError
from lms.embedded.postgres import Server
from lms.embedded.processes import is_alive

pytestmark = pytest.mark.xdist_group("embedded")
ROOT_USER = os.geteuid() == 0  # then PostgreSQL becomes another user; else all of it is ours anyway


@pytest.fixture(scope="module")
def made(passable: Path) -> Path:
    """A data folder that a server was started and stopped on; each test works on what it left."""
    data = passable / "made" / "postgres"
    with Server(data, fsync=False) as server:
        server.create_database("kept")
        with server.connect("kept") as connection:
            connection.execute("CREATE TABLE note AS SELECT 'here' AS word")
    return data


def _word(server: Server) -> object:
    with server.connect("kept") as connection:
        row = connection.execute("SELECT word FROM note").fetchone()
    return row and row[0]


def _by_address(server: Server, database: str) -> object:
    """Which database the application gets to by the address it is given."""
    engine = create_engine(server.url(database))
    with engine.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    engine.dispose()
    return name


def _gone(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_alive(pid):
        time.sleep(0.05)
    return not is_alive(pid)


def test_data_outlives_a_stop(made: Path) -> None:
    with Server(made, fsync=False) as server:
        assert _word(server) == "here"
        assert server.is_running()
    assert not server.is_running()
    assert not (made / "postmaster.pid").exists()


def test_it_takes_no_port_and_lets_nobody_else_in(made: Path) -> None:
    with Server(made, fsync=False) as server:
        with server.connect() as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700


def test_a_throw_away_waits_for_no_write_and_takes_settings(made: Path) -> None:
    with Server(made, fsync=False, settings={"work_mem": "5MB"}) as server, server.connect() as connection:
        for name, value in {"fsync": "off", "synchronous_commit": "off", "work_mem": "5MB"}.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)
    with Server(made) as server, server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_database_is_created_once_and_can_be_copied(made: Path) -> None:
    with Server(made, fsync=False) as server:
        assert server.create_database("copy of kept", template="kept") is True
        assert server.create_database("copy of kept") is False
        engine = create_engine(server.url("copy of kept"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT word FROM note")).scalar_one() == "here"
        server.drop_database("copy of kept")  # although the engine keeps its connection open
        engine.dispose()
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            server.connect("copy of kept")


def test_it_recovers_after_a_kill(made: Path) -> None:
    first = Server(made, fsync=False)
    first.start()
    assert first.process is not None
    first.process.kill()
    first.process.wait()
    assert (made / "postmaster.pid").exists()
    with Server(made, fsync=False) as second:
        assert _word(second) == "here"


def test_a_stale_pid_that_another_process_got_does_not_stop_it(made: Path) -> None:
    with Server(made, fsync=False) as server:
        pid_file = (made / "postmaster.pid").read_text()
        assert server.process is not None
        server.process.kill()
        server.process.wait()
    other = subprocess.Popen(["sleep", "60"])
    try:
        (made / "postmaster.pid").write_text("\n".join([str(other.pid), *pid_file.split("\n")[1:]]))
        with Server(made, fsync=False) as again:
            assert _word(again) == "here"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


START_AND_WAIT = """
import sys, time
from pathlib import Path
from lms.embedded.postgres import Server
server = Server(Path(sys.argv[1]), fsync=False)
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def killed_parent(made: Path) -> Iterator[int]:
    """The pid of a server whose parent was just killed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(made)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    yield pid
    assert _gone(pid)


def test_it_does_not_outlive_its_parent(killed_parent: int) -> None:
    assert _gone(killed_parent)


def test_the_next_start_takes_over_from_a_killed_parent(made: Path, killed_parent: int) -> None:
    with Server(made, fsync=False) as server:
        assert _word(server) == "here"
        assert server.process is not None
        assert server.process.pid != killed_parent


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    data = tmp_path / ("deep" * 15) / ("deeper" * 15) / "postgres"
    with Server(data, fsync=False) as server:
        assert len(os.fsencode(server.socket_dir)) < sockets.PATH_BYTES
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert _by_address(server, "postgres") == "postgres"
    assert not server.socket_dir.exists()


def test_a_foreign_socket_folder_is_refused(tmp_path: Path) -> None:
    data = tmp_path / ("deep" * 15) / ("deeper" * 15) / "postgres"
    with Server(data, fsync=False) as server:
        folder = server.socket_dir
    folder.mkdir(mode=0o755)
    try:
        with pytest.raises(StartError, match="not ours alone"):
            Server(data, fsync=False).start()
    finally:
        folder.rmdir()


def test_a_path_with_spaces_and_chinese(tmp_path: Path) -> None:
    with Server(tmp_path / "数据 100%" / "postgres", fsync=False) as server:
        server.create_database("培训")
        assert _by_address(server, "培训") == "培训"


def test_a_folder_without_its_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "something").touch()
    with pytest.raises(StartError, match="no PG_VERSION") as refused:
        Server(tmp_path / "postgres").start()
    assert "\n" not in str(refused.value)


def test_data_of_another_version_is_named(made: Path) -> None:
    version = (made / "PG_VERSION").read_text()
    (made / "PG_VERSION").write_text("15\n")
    try:
        with pytest.raises(StartError, match="was made by PostgreSQL 15, and this one is 18"):
            Server(made, fsync=False).start()
    finally:
        (made / "PG_VERSION").write_text(version)


def test_damaged_data_is_one_line(made: Path) -> None:
    control = made / "global" / "pg_control"
    content = control.read_bytes()
    control.write_bytes(b"")
    try:
        with pytest.raises(StartError, match="PostgreSQL does not start") as refused:
            Server(made, fsync=False).start()
        assert "\n" not in str(refused.value)
    finally:
        control.write_bytes(content)


def test_a_first_start_that_was_interrupted_begins_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "base").mkdir()
    with Server(tmp_path / "postgres", fsync=False) as server:
        assert server.is_running()
    assert not half.exists()


def test_a_closed_folder_is_opened_for_the_way_through_only(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    with Server(closed / "instance" / "postgres", fsync=False) as server:
        assert server.is_running()
    assert stat.S_IMODE(closed.stat().st_mode) == (0o701 if ROOT_USER else 0o700)


def test_data_that_belongs_to_root_is_named_with_its_cure(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("18\n")
    with pytest.raises(StartError, match="chown -R" if ROOT_USER else "does not start"):
        Server(data).start()


def _refused(server: Server, user: str, password: str | None = None) -> bool:
    try:
        psycopg.connect(host=str(server.socket_dir), dbname="postgres", user=user, password=password).close()
    except psycopg.OperationalError:
        return True
    return False


def test_each_login_gives_its_password(passable: Path) -> None:
    with Server(passable / "guarded", fsync=False, password="first") as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE other LOGIN PASSWORD 'of the other'")
        assert _refused(server, user="postgres")
        assert _refused(server, user="postgres", password="of the other")
        assert _refused(server, user="other")
        assert not _refused(server, user="other", password="of the other")
        assert _by_address(server, "postgres") == "postgres"
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == (0o711 if ROOT_USER else 0o700)
    with Server(passable / "guarded", fsync=False, password="second") as server:  # the file with the first was lost
        assert _refused(server, user="postgres", password="first")
        assert not _refused(server, user="postgres", password="second")


def test_a_folder_without_passwords_gets_one(made: Path) -> None:
    with Server(made, fsync=False) as server:
        assert not _refused(server, user="postgres")
    try:
        with Server(made, fsync=False, password="word") as server:
            assert _word(server) == "here"
            assert _refused(server, user="postgres")
    finally:
        (made / "pg_hba.conf").write_text("local all all trust\n")
