"""The system users of a start as root, and the way that they need through closed folders.

PostgreSQL refuses to run as root. The wheel's own launcher solves that with a user of its own and opens every
folder on the way to the data for reading; a home folder that was closed (0700) would then show its list of
files to everybody. We grant the way through (o+x) and nothing more, and say so in the log.

The web server and the worker are users of their own, too: a fault in the web then reads neither the keys that sign
certificates nor the worker's environment, in which its password for the database is.
"""

import logging
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from lms.embedded.failure import StartError

DATABASE = "pgserver"  # the name the wheel uses too, so a machine gets one such user and not two
WEB, WORKER = "lms-web", "lms-worker"
PURPOSES = {DATABASE: "PostgreSQL does not run", WEB: "the web server does not run", WORKER: "the worker does not run"}

log = logging.getLogger(__name__)


class Identity(TypedDict):
    """The part of `subprocess`'s arguments that says whom a process runs as."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None
    umask: int


@dataclass(frozen=True)
class SystemUser:
    """The user and group, by number, that a process is started as."""

    uid: int
    gid: int
    name: str


def identity(user: SystemUser | None) -> Identity:
    """The arguments of `subprocess` for a user; None is whoever we are. What the process writes is for that user alone."""
    if user is None:
        return {"user": None, "group": None, "extra_groups": None, "umask": 0o077}
    return {"user": user.uid, "group": user.gid, "extra_groups": [], "umask": 0o077}


def for_data(data_dir: Path) -> SystemUser | None:
    """The user that PostgreSQL has to become for this data folder; None where it runs as we do.

    Raises StartError when we are root and no such user can be had, or when we may not become the owner.
    """
    if data_dir.exists():
        owner = data_dir.stat()
        if owner.st_uid != os.geteuid() and os.geteuid() != 0:
            raise StartError(f"{data_dir} belongs to another user (uid {owner.st_uid}); start as that user")
        if owner.st_uid != 0:
            return None if os.geteuid() != 0 else SystemUser(owner.st_uid, owner.st_gid, _name(owner.st_uid))
    return for_program(DATABASE)


def for_program(name: str) -> SystemUser | None:
    """The user of a program, made when it is missing; None where we are not root, and all programs run as we do.

    Raises StartError when it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        cure = f"make the system user {name}, or start as another user than root"
        try:
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise StartError(f"{PURPOSES[name]} as root and useradd is missing ({error.strerror}); {cure}") from error
        try:  # two starts at the same moment both try; whoever came second finds the user
            entry = pwd.getpwnam(name)
        except KeyError:
            reason = finished.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise StartError(f"the system user {name} cannot be made: {reason[0]}; {cure}") from None
        log.warning("made the system user %s: %s as root", name, PURPOSES[name])
    return SystemUser(entry.pw_uid, entry.pw_gid, name)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


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
        log.warning("opened the way (o+x, not the list of files) for %s through %s", user.name, named)
    return opened


def open_files(root: Path, user: SystemUser) -> int:
    """Make a folder of public program files readable to the user; returns how many entries were changed.

    An installation under a strict umask (077) leaves them readable to root alone. They are the published
    files of a package: there is nothing in them to hide.
    """
    changed = sum(open_file(path, user) for path in _tree(root))
    if changed:
        log.warning("made the %d program files in %s readable for %s", changed, root, user.name)
    return changed


def open_file(path: Path, user: SystemUser) -> bool:
    """Make one file or folder of a program readable to the user; returns whether it had to be changed."""
    try:
        state = path.lstat()
    except FileNotFoundError:  # a compiled module that another start is just replacing
        return False
    if stat.S_ISLNK(state.st_mode):
        return False
    readable = _has(state, user, stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH)
    enters = _has(state, user, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)
    runs = bool(state.st_mode & stat.S_IXUSR)
    if readable and (enters or not runs):
        return False
    path.chmod(stat.S_IMODE(state.st_mode) | stat.S_IROTH | (stat.S_IXOTH if runs else 0))
    return True


def give(folder: Path, user: SystemUser) -> int:
    """Make a folder, or hand over what root has in it, with all beneath, to the user alone; returns how many entries.

    Only entries of root's are touched, by their descriptors, and no file that has a second name: a folder that is the
    user's already may hold links which the user made to other files of root's.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    given = 0
    for _path, _folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        given += _give(descriptor, user, 0o700)
        for name in files:
            try:
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            except OSError:  # a symbolic link
                continue
            try:
                given += _give(opened, user, 0o600)
            finally:
                os.close(opened)
    return given


def _give(descriptor: int, user: SystemUser, mode: int) -> int:
    state = os.fstat(descriptor)
    is_single = stat.S_ISDIR(state.st_mode) or (stat.S_ISREG(state.st_mode) and state.st_nlink == 1)
    if state.st_uid != 0 or not is_single:
        return 0
    os.fchmod(descriptor, mode)
    os.fchown(descriptor, user.uid, user.gid)
    return 1


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
