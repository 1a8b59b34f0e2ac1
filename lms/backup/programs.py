"""PostgreSQL's client programs: found on the PATH or in the wheel, and run with the connection in their environment.

Neither a password nor an address is an argument: arguments can be read by every user of a machine.
"""

import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from types import TracebackType
from typing import IO, Self

from psycopg import Error, conninfo, pq

from lms.backup import BackupError
from lms.embedded import postgres
from lms.embedded.failure import StartError
from lms.embedded.processes import die_with_parent
from lms.embedded.schema import plain

NAMES = ("pg_dump", "pg_restore", "psql")
STDERR_LINES = 20
END_SECONDS = 10.0
FAILURE_SECONDS = 1.0


@dataclass(frozen=True)
class Programs:
    """The folder of pg_dump, pg_restore and psql, and their major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The path of one of the programs."""
        return str(self.folder / name)


def folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders that may hold the programs: those of the PATH, then that of the wheel."""
    yield from (Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder)
    with suppress(StartError):
        yield postgres.program_folder()


def find(least: int, environ: Mapping[str, str] = os.environ) -> Programs:
    """Programs of at least this major version, the lowest such version first.

    A dump of the server's own version can be restored into the same version, which one by a newer pg_dump may not.
    Raises BackupError.
    """
    known = _known(environ)
    fitting = sorted((programs for programs in known if programs.major >= least), key=lambda programs: programs.major)
    if fitting:
        return fitting[0]
    there = ", ".join(f"{programs.major} in {programs.folder}" for programs in known) or "none"
    raise BackupError(
        f"PostgreSQL's programs {', '.join(NAMES)} of version {least} or newer are needed; there are: {there}. "
        "Install the distribution's postgresql-client of that version, or `pip install -r requirements.txt`"
    )


def newest(environ: Mapping[str, str] = os.environ) -> Programs:
    """The newest programs that are there, to read a backup whose version is not known yet. Raises BackupError."""
    return max(_known(environ), key=lambda programs: programs.major, default=None) or find(1, environ)


def _known(environ: Mapping[str, str]) -> list[Programs]:
    known = []
    for folder in dict.fromkeys(folders(environ)):
        if all((folder / name).exists() for name in NAMES) and (major := _major(folder / NAMES[0])):
            known.append(Programs(folder, major))
    return known


def _major(program: Path) -> int | None:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(version[1]) if version and answer.returncode == 0 else None


def connection_environment(url: str) -> dict[str, str]:
    """The variables by which libpq takes a connection, such as PGHOST and PGPASSWORD, for a database's address.

    Raises BackupError for an address that is none.
    """
    try:
        values = conninfo.conninfo_to_dict(plain(url))
    except Error as error:
        raise BackupError(f"the address of the database is not readable: {error}") from None
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    if unknown := sorted(set(values) - set(variables)):
        raise BackupError(f"the address of the database has settings that its programs do not take: {unknown[0]}")
    return {variables[name]: str(value) for name, value in values.items()}


class Child:
    """A program that runs beside us, with the last lines of its error output. It ends with us, also by SIGKILL."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self.name = Path(command[0]).name
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {}), "LC_MESSAGES": "C", "LANGUAGE": "C"},
            start_new_session=True,
            preexec_fn=die_with_parent(SIGTERM),  # noqa: PLW1509 - the function is one system call
        )
        self._lines: deque[str] = deque(maxlen=STDERR_LINES)
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe into the program."""
        if self.process.stdin is None:
            raise RuntimeError("the program was started without a pipe for its input")
        return self.process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe out of the program."""
        if self.process.stdout is None:
            raise RuntimeError("the program was started without a pipe for its output")
        return self.process.stdout

    def take(self, content: bytes) -> None:
        """Write into the program. Raises BackupError with the program's reason when it has ended."""
        try:
            self.stdin.write(content)
        except BrokenPipeError:
            raise BackupError(f"{self.name} failed: {self.reason()}") from None

    def flush(self) -> None:
        """Hand on what `take` holds back, before another program writes into the same pipe. Raises BackupError."""
        try:
            self.stdin.flush()
        except BrokenPipeError:
            raise BackupError(f"{self.name} failed: {self.reason()}") from None

    def has_failed(self) -> bool:
        """Tell whether the program has ended with an error, or does so within a moment."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(FAILURE_SECONDS) != 0
        return False

    def finish(self) -> None:
        """Close the pipe into the program, and wait for its end. Raises BackupError when it failed."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.wait()

    def wait(self) -> None:
        """Wait for the end. Raises BackupError with the line that says why, when the program failed."""
        code = self.process.wait()
        self._reader.join()
        if code != 0:
            raise BackupError(f"{self.name} failed: {self.reason()}")

    def reason(self) -> str:
        """The line of the error output that says why: the first error, else the last line."""
        self.process.wait()
        self._reader.join()
        lines = [line for line in self._lines if line]
        errors = [line for line in lines if re.search(r"\b(error|ERROR|FATAL):", line)]
        return (errors or lines[-1:] or [f"exit code {self.process.returncode}"])[0]

    def end(self) -> None:
        """End the program where it still runs, and close its pipes."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def _read_errors(self) -> None:
        if self.process.stderr is None:
            return
        for line in self.process.stderr:
            self._lines.append(line.decode(errors="replace").strip())
