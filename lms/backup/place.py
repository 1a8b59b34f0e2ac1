"""Where backups lie: names in a folder, unfinished files of runs that were killed, and which backups are kept."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from lms.backup import BackupError

NAME = re.compile(r"lms-\d{8}T\d{6}Z\.age")
UNFINISHED = ".unfinished"


def target(path: Path, moment: datetime) -> Path:
    """The file to write: the path itself, or a name by the moment where the path is a folder. Raises BackupError."""
    path = path.absolute()
    if path.is_dir():
        path = path / f"lms-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.age"
    if path.exists() or path.is_symlink():
        raise BackupError(f"{path} is there already; no backup replaces another")
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent} is not a folder")
    return path


@contextmanager
def unfinished(path: Path) -> Iterator[BinaryIO]:
    """A new file beside the path, open for writing and reading, that gets the path's name when the block ends well.

    It is on the disk before it gets the name, and is removed when the block raises. After a SIGKILL it stays under a
    name that is no backup's, and the next run into that folder removes it; its lock tells that nobody writes it.
    Raises BackupError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        clear(path.parent)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BackupError(f"{path.parent} cannot be written to: {error.strerror or error}") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            _name(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BackupError(f"{path} cannot be written: {error.strerror or error}") from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _name(draft: Path, path: Path) -> None:
    if path.exists():
        raise BackupError(f"{path} was made by somebody else meanwhile")
    draft.rename(path)


def write_down(file: BinaryIO) -> None:
    """Bring a written file to the disk, and forget its pages, so that what is read next comes from there."""
    file.flush()
    os.fsync(file.fileno())
    with suppress(OSError, AttributeError):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def clear(folder: Path) -> list[Path]:
    """Remove the unfinished files of runs that were killed; returns them."""
    removed = []
    for draft in folder.glob(f".*{UNFINISHED}"):
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink(missing_ok=True)
            removed.append(draft)
        except OSError:  # another run writes it
            pass
        finally:
            os.close(descriptor)
    return removed


def backups(folder: Path) -> list[Path]:
    """The backups in a folder that have a name of ours, oldest first."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())


def keep(folder: Path, number: int) -> list[Path]:
    """Remove all but the newest backups; returns those that were removed."""
    superseded = backups(folder)[:-number] if number > 0 else []
    for path in superseded:
        path.unlink()
    return superseded


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
