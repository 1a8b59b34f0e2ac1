"""`python -m benchmarks.reconnect`: 500 phones with 40 check-ins each find the server again after it was away.

Like the browser's outbox they try every five or seven seconds while nobody answers, so they come within the first seven
seconds of its return. Everything must be in within 60 s, 95 of 100 requests be answered within 2 s, and none be refused.
`--at-once`: all of them in the same instant, for information. Exit 1 when anything is otherwise.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select

from benchmarks.fleet import Habits, Told, empty
from benchmarks.phones import Phone, arrivals, phones
from benchmarks.stage import gunicorn, stage
from courses.models.attendance import Attendance, AttendanceEvent
from lms.core.transactions import transaction

PHONES = 500
PEOPLE = 40
EVENTS = PHONES * PEOPLE
# The last step of the outbox's back-off while there is no server (lms/static/sending.js): 6 s, a fifth more or less.
LAST_WAIT, SPREAD = 6.0, 0.2
MOST_SECONDS = 60.0
MOST_P95 = 2.0


def main(arguments: list[str]) -> int:
    """Run, print, judge."""
    at_once = "--at-once" in arguments
    with stage() as set_stage:
        crowd = phones(set_stage.app, PHONES, people=PEOPLE, sessions=1)
        outboxes = arrivals(crowd, slice(None))
        with gunicorn("wsgi:app", set_stage.environment) as server:
            began = time.monotonic()

            def come(one: tuple[Phone, list[dict[str, Any]]]) -> Told:
                phone, events = one
                if not at_once:
                    chance = random.Random(phone.token)
                    # Its last try fell somewhere before the server's return.
                    time.sleep(LAST_WAIT * chance.uniform(1 - SPREAD, 1 + SPREAD) * chance.random())
                return empty(server.port, phone, events, Habits(batch=100), began + MOST_SECONDS)

            with ThreadPoolExecutor(PHONES) as pool:
                told = list(pool.map(come, outboxes))
            took = time.monotonic() - began
        with transaction(set_stage.app.extensions["sessions"]) as db:
            stored = db.scalar(select(func.count()).select_from(AttendanceEvent)) or 0
            present = db.scalar(select(func.count()).select_from(Attendance)) or 0
    seconds = sorted(one for phone in told for one in phone.seconds)
    refused = sum(len(phone.refusals) + phone.unreachable for phone in told)
    p95 = seconds[int(len(seconds) * 0.95)] if seconds else float("inf")
    answered = sum(len(phone.answers) for phone in told)
    print(f"{PHONES} phones, {EVENTS} events, {'all at once' if at_once else 'as the outbox tries again'}")
    wrong = False
    for what, number, bound, good in (
        ("events stored", stored, f"must be {EVENTS}", stored == EVENTS),
        ("attendances", present, f"must be {EVENTS}", present == EVENTS),
        ("events answered for", answered, f"must be {EVENTS}", answered == EVENTS),
        ("requests refused or broken off", refused, "must be 0", refused == 0),
        ("seconds until all were in", round(took, 1), f"at most {MOST_SECONDS:g}", took <= MOST_SECONDS),
        ("seconds for 95 of 100 requests", round(p95, 2), f"at most {MOST_P95:g}", p95 <= MOST_P95 or at_once),
    ):
        print(f"{what:<48} {number:>8}   {bound:<14} {'ok' if good else 'WRONG'}")
        wrong = wrong or not good
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
