"""Whom the web server and the worker run as, and what in the instance folder is whose.

As root each is a system user of its own; otherwise both run as whoever started them, and the passwords of the database alone
tell them apart. The worker has the keys that sign certificates, the messages that it writes into a folder, and the schedule's
file; the web server has nothing. Secrets reach both through their environment.
"""

import compileall
import logging
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lms.config import ROOT
from lms.embedded import system_user
from lms.embedded.greeting import ACCOUNTS_FILE
from lms.embedded.system_user import SystemUser

PACKAGES = ("lms", "courses", "certificates", "instructors", "migrations")
SCHEDULE = "beat-schedule"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Users:
    """Whom the programs run as; None is whoever we are."""

    web: SystemUser | None
    worker: SystemUser | None


def prepare(instance: Path, keys_dir: Path) -> Users:
    """Make the users when we are root, let them reach the programs, and give them their files. Raises StartError."""
    users = Users(system_user.for_program(system_user.WEB), system_user.for_program(system_user.WORKER))
    (instance / "log").mkdir(mode=0o700, exist_ok=True)
    (instance / "log").chmod(0o700)
    schedule = schedule_file(instance)
    schedule.parent.mkdir(mode=0o700, exist_ok=True)
    for earlier in instance.glob(f"{SCHEDULE}*"):  # where a former version had it
        earlier.replace(schedule.parent / earlier.name)
    if users.web is not None and users.worker is not None:
        _open_programs(users.web, users.worker)
        _give_folders(instance, keys_dir, users.worker)
        for user in (users.web, users.worker):
            system_user.open_way(instance / "log", user)  # the database's socket is beside it
    return users


def schedule_file(instance: Path) -> Path:
    """Where the schedule notes what it did last."""
    return instance / "schedule" / SCHEDULE


def _give_folders(instance: Path, keys_dir: Path, worker: SystemUser) -> None:
    for folder in (keys_dir, instance / "mail", instance / "schedule"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        is_new = not folder.exists() or not any(folder.iterdir())
        given = system_user.give(folder, worker)
        if given and not is_new:
            log.warning("gave %s to %s (%d files and folders)", folder, worker.name, given)
        system_user.open_way(folder, worker)


def _open_programs(*users: SystemUser) -> None:
    """Let the users run Python with our code. They could not write compiled modules, so all are compiled here."""
    for package in PACKAGES:
        compileall.compile_dir(ROOT / package, quiet=2)
    packages = Path(sysconfig.get_path("purelib"))
    for user in users:
        for target in (Path(sys.prefix, "pyvenv.cfg"), Path(sys.executable), Path(os.__file__), packages / "flask"):
            system_user.open_way(target, user)
        for package in PACKAGES:
            system_user.open_files(ROOT / package, user)
        system_user.open_way(ROOT / "wsgi.py", user)
        if any([system_user.open_file(ROOT, user), system_user.open_file(ROOT / "wsgi.py", user)]):
            log.warning("made %s and its wsgi.py readable for %s", ROOT, user.name)
        # An installation under a strict umask closes each package's own folder, so one look at each tells.
        for folder in filter(Path.is_dir, (packages, ROOT / "node_modules")):
            for installed in (folder, *folder.iterdir()):
                if system_user.open_file(installed, user) and installed != folder:
                    system_user.open_files(installed, user)


@contextmanager
def lent_accounts(instance: Path, worker: SystemUser | None) -> Iterator[None]:
    """Let the worker's user write the file of demo accounts, which is then for the owner of the instance folder alone."""
    path = instance / ACCOUNTS_FILE
    if worker is None:
        yield
        return
    path.touch(mode=0o600)
    os.chown(path, worker.uid, worker.gid)
    try:
        yield
    finally:
        os.chown(path, 0, 0, follow_symlinks=False)
