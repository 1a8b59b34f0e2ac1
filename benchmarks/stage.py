"""The stage of all measurements: a PostgreSQL of their own with its usual safety, and gunicorn as `flask up` starts it."""

import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.request import urlopen

from flask import Flask

from lms.app import create_app
from lms.config import ROOT, load_settings
from lms.core import migrations
from lms.demo.staff import ACCOUNTS_FILE
from lms.embedded import environment
from lms.embedded.postgres import Server

START_SECONDS = 90
# How much of the branch's ten years: a part of 1, or "full".
SCALE = os.environ.get("BENCH_SCALE") or "0.1"


@dataclass(frozen=True)
class Ground:
    """A migrated database with the application on it in this process, and the environment for servers.

    loaded: the seconds that loading the branch's years took, where they were loaded for this.
    """

    app: Flask
    environment: dict[str, str]
    loaded: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Stage(Ground):
    """A ground that is cleared away afterwards, with its server and folder."""

    folder: Path
    server: Server

    def load_demo(self) -> None:
        """Load the demo year, unless it is there."""
        if (self.folder / ACCOUNTS_FILE).exists():
            return
        loaded = self.app.test_cli_runner().invoke(args=["demo", "load"])
        if loaded.exit_code:
            raise RuntimeError(loaded.output)


@contextmanager
def stage(*, queue: bool = False) -> Iterator[Stage]:
    """Set the stage and clear it away afterwards. queue: with the embedded queue, for workers of their own."""
    folder = Path(tempfile.mkdtemp(prefix="lms-bench-"))
    folder.chmod(0o711)
    try:
        with Server(folder / "pg") as server:
            server.create_database("lms")
            settings = _settings(server.url("lms"), folder, base64.b64encode(os.urandom(32)).decode())
            if queue:
                server.create_database(environment.QUEUE_DATABASE)
                scheme = f"{environment.QUEUE_PREFIX}postgresql+psycopg"
                settings["BROKER_URL"] = server.url(environment.QUEUE_DATABASE, scheme)
            os.environ.update(settings)
            # On a server the modules are compiled once, whatever the shell of the measurement says.
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            migrations.upgrade(settings["DATABASE_URL"])
            app = create_app(load_settings())
            with app.app_context():
                yield Stage(app, os.environ | settings, folder, server)
            app.extensions["engine"].dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def years(scale: str) -> Iterator[Ground]:
    """The branch's ten years: loaded at a scale, "0.1" or "full", or where they stand, told by the database's address.

    An address needs the FIELD_KEY of what is sealed there in the environment; what is measured may write there.
    """
    if "://" not in scale:
        with stage() as set_stage:
            began = time.perf_counter()
            loaded = set_stage.app.test_cli_runner().invoke(args=["demo", "load", "--scale", scale])
            if loaded.exit_code:
                raise RuntimeError(loaded.output)
            yield replace(set_stage, loaded=time.perf_counter() - began)
        return
    with tempfile.TemporaryDirectory(prefix="lms-bench-") as folder:
        settings = _settings(scale, Path(folder), os.environ["FIELD_KEY"])
        os.environ.update(settings)
        migrations.upgrade(scale)
        app = create_app(load_settings())
        with app.app_context():
            yield Ground(app, os.environ | settings)
        app.extensions["engine"].dispose()


def _settings(database_url: str, folder: Path, field_key: str) -> dict[str, str]:
    return {
        "LMS_EMBEDDED": "1",
        "DATABASE_URL": database_url,
        "SECRET_KEY": base64.b16encode(os.urandom(32)).decode(),
        "FIELD_KEY": field_key,
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "KEYS_DIR": str(folder / "keys"),
        "INSTANCE_DIR": str(folder),
        "BROKER_URL": "memory://",
    }


@dataclass(frozen=True)
class WebServer:
    """A running gunicorn. pid: of its master process, whose children are the web workers."""

    port: int
    pid: int


@contextmanager
def gunicorn(
    target: str, settings: Mapping[str, str], *, workers: int = 1, checkout: Path = ROOT
) -> Iterator[WebServer]:
    """Run one application in web workers of eight threads each; the log is thrown away.

    checkout: the folder whose code is served, which may be another version of this project.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    configuration = str(checkout / "lms/embedded/gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", configuration, "--bind", f"127.0.0.1:{port}"]
    running = subprocess.Popen(
        [*command, "--workers", str(workers), "--threads", "8", "--keep-alive", "30", "--log-level", "error", target],
        cwd=checkout,
        env=settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, running)
        yield WebServer(port, running.pid)
    finally:
        running.terminate()
        running.wait(30)


def _wait(port: int, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/"):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
