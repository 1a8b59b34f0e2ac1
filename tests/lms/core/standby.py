"""Controls of the replica of the tests' server."""

import time

from lms.embedded.postgres import Server

READER = "lms_reports"


def start(standby: Server) -> None:
    if not standby.is_running():
        standby.stop()  # forgets a process that was killed
        standby.start()


def meet(server: Server, standby: Server) -> None:
    """Wait until the replica has all."""
    with server.connect() as primary, standby.connect() as copy:
        (position,) = primary.execute("SELECT pg_current_wal_lsn()").fetchone() or ()
        while copy.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchone() != (True,):
            time.sleep(0.01)
