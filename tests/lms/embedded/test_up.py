"""`flask up`, for real: it starts, serves, stops on a signal, leaves nobody behind, and says in one line why it cannot."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from lms.embedded import greeting
from lms.embedded.place import Place
from lms.embedded.processes import is_alive
from tests.lms.embedded.running import Run, family, status, up, wait_until_gone

pytestmark = pytest.mark.xdist_group("embedded")


def _database_users(pid: int) -> set[str]:
    """As whom a process goes to the database and to the queue, by the addresses that it was given."""
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    given = [line for line in variables if line.startswith(("DATABASE_URL=", "BROKER_URL="))]
    assert len(given) == 2
    return {line.partition("://")[2].partition(":")[0] for line in given}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_answers_what_is_in_flight_stops_everything_and_keeps_the_data(
    instance: Path, signal_number: signal.Signals
) -> None:
    with up(instance) as run:
        run.until("ready")
        pids = family(instance)
        assert set(pids) == {"web", "worker", "beat", "postgres"}
        assert all(map(is_alive, pids.values()))
        assert status(run.port, "/readyz") == 200
        if sys.platform == "linux":
            logins = {name: "postgres" not in _database_users(pid) for name, pid in pids.items() if name != "postgres"}
            assert logins == {"web": True, "worker": True, "beat": True}
        with socket.create_connection(("127.0.0.1", run.port), timeout=30) as connection:
            # Half a request, so that it is surely in flight; the other half follows after the signal.
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            time.sleep(0.5)
            run.process.send_signal(signal_number)
            run.until("stopping")
            connection.sendall(b"Connection: close\r\n\r\n")
            assert connection.recv(64).startswith(b"HTTP/1.1 200")
        assert run.finish() == 0
        assert wait_until_gone(pids) == []
    assert not (instance / "children.json").exists()
    assert not (instance / "up.json").exists()
    assert (instance / "postgres" / "PG_VERSION").exists()


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(tmp_path / "instance", PORT=str(port)) as run:
            assert run.finish() == 1
    assert len(run.said) == 1
    assert f"port {port} on 127.0.0.1 is in use" in run.said[0]
    assert not (tmp_path / "instance" / "postgres").exists()


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PORT": "eighty"}, "PORT=eighty is not a port number"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is weak"),
        ({"DATABASE_URL": "mysql://root@localhost/lms"}, "DATABASE_URL must be a postgresql:// address"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/lms"}, "the database cannot be used"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with up(tmp_path / "instance", **environ) as run:
        assert run.finish() == 1
    complaints = [line for line in run.said if line.startswith("✗")]
    assert len(complaints) == 1
    assert message in complaints[0]
    assert "Traceback" not in "\n".join(run.said)


def test_a_broken_data_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9.6\n")
    with up(tmp_path) as run:
        assert run.finish() == 1
    assert "✗" in run.said[-1]
    assert "PostgreSQL" in run.said[-1]
    assert "Traceback" not in "\n".join(run.said)


def _expect_the_rest_to_stop(instance: Path, run: Run, name: str) -> None:
    """Kill a part of a run that is ready: the rest stops, and one line says which part it was."""
    pids = family(instance)
    os.kill(pids[name], signal.SIGKILL)
    assert run.finish() == 1
    assert wait_until_gone(pids) == []
    complaints = [line for line in run.said if line.startswith("✗")]
    assert len(complaints) == 1
    assert "stopped by itself" in complaints[0]


def test_a_kill_leaves_nobody_behind_and_the_next_start_works_until_its_web_server_dies(instance: Path) -> None:
    with up(instance) as run:
        run.until("ready")
        pids = family(instance)
        run.finish(signal.SIGKILL)
        with up(instance) as again:
            again.until("ready")
            assert status(again.port) == 200
            assert wait_until_gone(pids) == []
            _expect_the_rest_to_stop(instance, again, "web")


@pytest.mark.parametrize("name", ["worker", "beat", "postgres"])  # the web server's death is in the test above
def test_the_death_of_a_part_stops_the_rest(instance: Path, name: str) -> None:
    with up(instance) as run:
        run.until("ready")
        _expect_the_rest_to_stop(instance, run, name)


def test_the_greeting_says_where_messages_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    where = Place(instance=tmp_path, host="127.0.0.1", port=8000)
    monkeypatch.delenv("MAIL_URL", raising=False)
    monkeypatch.delenv("SMS_GATEWAY", raising=False)
    assert list(greeting.messages(where)) == [
        f"邮件和短信不外发，写入文件夹 · mail and SMS are written to a folder: {tmp_path / 'mail'}"
    ]
    monkeypatch.setenv("MAIL_URL", "smtp://mail.example.org")
    assert list(greeting.messages(where)) == [
        f"短信不外发，写入文件夹 · SMS is written to a folder: {tmp_path / 'mail'}"
    ]
    monkeypatch.setenv("SMS_GATEWAY", "tencent")
    assert list(greeting.messages(where)) == []
