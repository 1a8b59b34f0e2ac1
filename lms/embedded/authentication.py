"""Passwords of the database in the instance folder.

Every login gives one, over the socket as well, so that PostgreSQL knows the web server from the worker and both from the
owner of the tables, also where all of them run as one user of the system. The owner's password is a file for the owner of the
instance folder; those of the web and the worker are made anew at each start, and are in their environment alone.
"""

import os
import subprocess
from pathlib import Path

import psycopg

from lms.embedded.failure import StartError
from lms.embedded.system_user import Identity

FILE = "pg_hba.conf"
RULES = """\
# Written by `flask up` at each start.
local   all             all   scram-sha-256
local   replication     all   scram-sha-256
"""
# libpq asks for the password only when the server demands one; these are what it says then.
REFUSALS = ("password authentication failed", "no password supplied", "has no password")


def demand(data_dir: Path) -> bool:
    """Let the server on a data folder demand passwords; returns whether it did not so far."""
    path = data_dir / FILE
    if path.read_text() == RULES:
        return False
    state = path.stat()
    fresh = path.with_name(f"{FILE}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
        if os.geteuid() == 0:
            os.fchown(file.fileno(), state.st_uid, state.st_gid)
        file.write(RULES)
    fresh.replace(path)
    return True


def is_refused(error: psycopg.OperationalError) -> bool:
    """Tell whether a connection failed for the password."""
    return any(refusal in str(error) for refusal in REFUSALS)


def set_password(programs: Path, data_dir: Path, user: str, password: str, identity: Identity) -> None:
    """Set a password while the server does not run, by PostgreSQL's single-user mode. Raises StartError.

    Done once for a folder that a former version made, and where the file with the password was lost: whoever owns the data
    folder could read all of it anyway.
    """
    finished = subprocess.run(
        [str(programs / "postgres"), "--single", "-D", str(data_dir), "-c", "exit_on_error=on", "postgres"],
        input=f"ALTER ROLE {user} PASSWORD '{password}'\n",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        start_new_session=True,
        **identity,
    )
    if finished.returncode != 0:
        reason = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StartError(f"the password of {user} cannot be set in {data_dir}: {reason}")
