"""The folder of the database's Unix socket."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from lms.embedded.failure import StartError
from lms.embedded.system_user import SystemUser

NAME = ".s.PGSQL.5432"
PATH_BYTES = 103  # sun_path is 108 bytes on Linux, 104 elsewhere, with a closing zero
PRIVATE, PASSABLE = 0o700, 0o711  # modes of the folder: for the server's user alone, or for all who know a password


def folder_of(data_dir: Path) -> Path:
    """Where the socket of a data folder is: beside the folder, which nobody but the server enters.

    When that path is too long for a socket, it is a short folder of its own under /tmp.
    """
    beside = data_dir.with_name(f"{data_dir.name}.socket")
    if len(os.fsencode(beside / NAME)) <= PATH_BYTES:
        return beside
    return Path("/tmp", f"lms-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}")  # noqa: S108


def make(data_dir: Path, user: SystemUser | None, *, passable: bool) -> Path:
    """Make the folder for a server that runs as `user`, None for whoever we are.

    passable: the server demands passwords, so other users of the system may ask. Raises StartError when somebody else has made
    the folder.
    """
    folder = folder_of(data_dir)
    user_id = os.geteuid() if user is None else user.uid
    with suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
        if user is not None:
            os.chown(folder, user.uid, user.gid)
    state = folder.lstat()
    if state.st_uid != user_id or state.st_mode not in {stat.S_IFDIR | PRIVATE, stat.S_IFDIR | PASSABLE}:
        raise StartError(f"{folder} is needed for PostgreSQL's socket and is not ours alone; remove it")
    folder.chmod(PASSABLE if passable and user is not None else PRIVATE)
    return folder
