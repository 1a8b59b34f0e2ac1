"""`python -m benchmarks.kill_check_in`: 5,000 check-ins to gunicorn while it is killed with SIGKILL every 3 seconds.

One batch in ten is sent twice, and half of the answers of the first run are dropped on the way. Afterwards each event must be
stored once, each person be present once, and the audit trail say so once. Exit 1 when anything is otherwise.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

from sqlalchemy import func, select

from benchmarks.fleet import Habits, Told, empty
from benchmarks.phones import arrivals, phones
from benchmarks.stage import Stage, stage
from courses.models.attendance import Attendance, AttendanceEvent
from lms.config import ROOT
from lms.core.audit import AuditEntry
from lms.core.transactions import transaction

PHONES = 25
PEOPLE = 20
RUNS = 2
SESSIONS = 5  # in each run: 25 phones × 20 people × 5 sessions = 2,500 events
EVENTS = PHONES * PEOPLE * SESSIONS * RUNS
BATCH = 10
KILL_SECONDS = 3.0
SECONDS = 110.0  # for each run
LEAST_KILLS = 3  # in each run, however fast it is sent


class Mortal:
    """gunicorn as `flask up` starts it, killed with all its processes every few seconds and started again on the same port."""

    def __init__(self, settings: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._settings = settings | {"PORT": str(self.port), "HOST": "127.0.0.1"}
        self._over = threading.Event()
        self._running = self._start()
        self.kills = 0
        self._thread = threading.Thread(target=self._kill_again_and_again)
        self._thread.start()

    def stop(self) -> None:
        """Let it live no longer."""
        self._over.set()
        self._thread.join()
        self._kill()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "gunicorn", "-c", "lms/embedded/gunicorn.conf.py", "wsgi:app"]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()

    def _kill_again_and_again(self) -> None:
        """Three seconds after it began to answer: a start takes its time, and nothing can be lost meanwhile."""
        while not self._over.is_set():
            while not self._over.is_set() and not self._answers():
                time.sleep(0.05)
            if self._over.wait(KILL_SECONDS):
                return
            self._kill()
            self.kills += 1
            self._running = self._start()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def _send(set_stage: Stage, server: Mortal, turn: int) -> tuple[list[Told], set[str], list[int]]:
    """Send everything once; return the phones' answers, the ids that they sent, and the sessions."""
    crowd = phones(set_stage.app, PHONES, people=PEOPLE, sessions=SESSIONS)
    habits = Habits(BATCH, repeats=0.1, drops=0.5 if turn == 0 else 0.0)
    outboxes = {phone.token: (phone, list[dict[str, object]]()) for phone in crowd}
    for phone, events in arrivals(crowd, slice(None)):
        outboxes[phone.token][1].extend(events)
    before = server.kills
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(PHONES) as pool:
        # Each phone sends a part, waits for a kill to fall, and goes on: the kills fall over the whole of the work.
        told = list(pool.map(lambda one: _in_parts(server, one[0], one[1], habits, until, before), outboxes.values()))
    ids = {str(event["id"]) for _, events in outboxes.values() for event in events}
    return told, ids, [session for phone in crowd for session in phone.sessions]


def _in_parts(  # noqa: PLR0917
    server: Mortal, phone: object, events: list[dict[str, object]], habits: Habits, until: float, kills: int
) -> Told:
    whole = Told()
    share = -(-len(events) // (LEAST_KILLS + 1))
    for part in range(LEAST_KILLS + 1):
        while server.kills < kills + part and time.monotonic() < until:
            time.sleep(0.05)
        told = empty(server.port, phone, events[part * share : (part + 1) * share], habits, until)  # type: ignore[arg-type]
        whole.answers |= told.answers
        for name in ("unreachable", "dropped", "repeated"):
            setattr(whole, name, getattr(whole, name) + getattr(told, name))
        whole.refusals += told.refusals
    return whole


def main() -> int:
    """Run, print, judge."""
    with stage() as set_stage:
        told: list[Told] = []
        ids: set[str] = set()
        sessions: list[int] = []
        began = time.monotonic()
        server = Mortal(set_stage.environment)
        try:
            for turn in range(RUNS):
                found = _send(set_stage, server, turn)
                told, ids, sessions = told + found[0], ids | found[1], sessions + found[2]
        finally:
            server.stop()
        took = time.monotonic() - began
        with transaction(set_stage.app.extensions["sessions"]) as db:
            stored = {str(one) for one in db.scalars(select(AttendanceEvent.id))}
            present = db.scalar(
                select(func.count()).select_from(Attendance).where(Attendance.course_session_id.in_(sessions))
            )
            audited = db.scalar(select(func.count()).where(AuditEntry.action == "attendance.arrive"))
            named = set(db.scalars(select(Attendance.event_id)))
    answered = {one for phone in told for one, answer in phone.answers.items() if answer["outcome"] == "accepted"}
    print(
        f"{server.kills} times killed with SIGKILL in {took:.0f} s; {sum(one.unreachable for one in told)} requests broke off,"
    )
    print(
        f"{sum(one.dropped for one in told)} answers dropped, {sum(one.repeated for one in told)} batches sent twice,"
        f" refused: {sorted(status for one in told for status in one.refusals)}"
    )
    wrong = server.kills < RUNS * LEAST_KILLS
    for what, number, expected in (
        ("events stored", len(stored), EVENTS),
        ("of them sent", len(stored & ids), EVENTS),
        ("answered as accepted", len(answered), EVENTS),
        ("attendances", present, EVENTS),
        ("attendances by an event of their own", len(named & {UUID(one) for one in ids}), EVENTS),
        ("audit entries", audited, EVENTS),
        ("lost", len(ids - stored), 0),
    ):
        print(f"{what:<48} {number:>6}   must be {expected:<6} {'ok' if number == expected else 'WRONG'}")
        wrong = wrong or number != expected
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
