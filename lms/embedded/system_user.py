"""The system user that PostgreSQL runs as when we are root, and the way it needs through closed folders.

PostgreSQL refuses to run as root. The wheel's own launcher solves that with a user of its own and opens every
folder on the way to the data for reading; a home folder that was closed (0700) would then show its list of
files to everybody. We grant the way through (o+x) and nothing more, and say so in the log.
"""

import logging
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lms.embedded.failure import StartError

USER_NAME = "pgserver"  # the name the wheel uses too, so a machine gets one such user and not two

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SystemUser:
    """The user and group, by number, that a process is started as."""

    uid: int
    gid: int


def for_data(data_dir: Path) -> SystemUser | None:
    """The user that PostgreSQL has to become for this data folder; None where it runs as we do.

    Raises StartError when we are root and no such user can be had, or when we may not become the owner.
    """
    if data_dir.exists():
        owner = data_dir.stat()
        if owner.st_uid != os.geteuid() and os.geteuid() != 0:
            raise StartError(f"{data_dir} belongs to another user (uid {owner.st_uid}); start as that user")
        if owner.st_uid != 0:
            return None if os.geteuid() != 0 else SystemUser(owner.st_uid, owner.st_gid)
    return _own_user() if os.geteuid() == 0 else None


def _own_user() -> SystemUser:
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER_NAME]
        try:
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise StartError(f"PostgreSQL does not run as root and useradd is missing: {error}") from error
        try:  # two starts at the same moment both try; whoever came second finds the user
            entry = pwd.getpwnam(USER_NAME)
        except KeyError:
            reason = finished.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise StartError(f"the system user {USER_NAME} cannot be made: {reason[0]}") from None
        log.warning("made the system user %s: PostgreSQL does not run as root", USER_NAME)
    return SystemUser(entry.pw_uid, entry.pw_gid)


def open_way(target: Path, user: SystemUser) -> list[Path]:
    """Let the user through the folders that lead to the target; returns those that had to be opened."""
    opened = []
    for folder in reversed(target.resolve().parents):
        state = folder.stat()
        if not _has(state, user, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH):
            folder.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXOTH)
            opened.append(folder)
    if opened:
        named = ", ".join(str(folder) for folder in opened)
        log.warning("opened the way (o+x, not the list of files) for %s through %s", USER_NAME, named)
    return opened


def open_files(root: Path, user: SystemUser) -> int:
    """Make a folder of public program files readable to the user; returns how many entries were changed.

    An installation under a strict umask (077) leaves them readable to root alone. They are the published
    files of a package: there is nothing in them to hide.
    """
    changed = 0
    for path in _tree(root):
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode):
            continue
        readable = _has(state, user, stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH)
        enters = _has(state, user, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)
        runs = bool(state.st_mode & stat.S_IXUSR)
        if readable and (enters or not runs):
            continue
        path.chmod(stat.S_IMODE(state.st_mode) | stat.S_IROTH | (stat.S_IXOTH if runs else 0))
        changed += 1
    if changed:
        log.warning("made the %d program files in %s readable for %s", changed, root, USER_NAME)
    return changed


def _tree(root: Path) -> Iterator[Path]:
    yield root
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            yield Path(folder, name)


def _has(state: os.stat_result, user: SystemUser, owner_bit: int, group_bit: int, other_bit: int) -> bool:
    if state.st_uid == user.uid:
        return bool(state.st_mode & owner_bit)
    if state.st_gid == user.gid:
        return bool(state.st_mode & group_bit)
    return bool(state.st_mode & other_bit)
