"""`python -m benchmarks.forged_codes`: a million forged check-in codes against the rule, and some over HTTP.

Forged as somebody would: at random, the right code with one bit changed, the right code of another moment, of another
session or under another key. Over HTTP from one address, to see the limit, and from many at once. Exit 1 when one is accepted.
"""

import base64
import os
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection

from sqlalchemy import func, select

from benchmarks.load import HOST, get, send
from benchmarks.stage import Stage, gunicorn, stage
from courses.attendance import roster
from courses.attendance.self_check_in import code_display, rotating_code
from courses.attendance.self_check_in.rotating_code import ACCEPTED_STEPS, CODE_BYTES, STEP, accepts, code, step_of
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.self_check_in import CheckInClaim
from lms.core import clock
from lms.core.scope import EVERYTHING
from lms.core.transactions import transaction

FORGED = 1_000_000
SESSION = 7
FROM_ONE = 400
FROM_MANY = 4000
SECONDS = 10.0


def forgery(key: bytes, now: datetime, chance: random.Random) -> tuple[str, str]:
    """A forged code, and the way in which it was forged."""
    step, kind = step_of(now), chance.randrange(6)
    if kind == 0:
        return "at random", base64.urlsafe_b64encode(chance.randbytes(CODE_BYTES)).decode()
    if kind == 1:
        bits = int.from_bytes(base64.urlsafe_b64decode(code(key, SESSION, step))) ^ (
            1 << chance.randrange(8 * CODE_BYTES)
        )
        return "one bit changed", base64.urlsafe_b64encode(bits.to_bytes(CODE_BYTES)).decode()
    if kind == 2:
        # Of a step that ended at least ten seconds ago: it was first shown twenty seconds ago or before that.
        return "old", code(key, SESSION, step - ACCEPTED_STEPS - chance.randrange(360))
    if kind == 3:
        return "of a step to come", code(key, SESSION, step + 1 + chance.randrange(360))
    if kind == 4:
        return "of another session", code(key, SESSION + 1 + chance.randrange(1000), step)
    return "under another key", code(chance.randbytes(len(key)), SESSION, step)


def against_the_rule() -> int:
    """How many of a million are accepted, over three hours of moments to the microsecond."""
    chance, key = random.Random(20260101), rotating_code.new_key()
    began = datetime(2026, 11, 23, 1, tzinfo=UTC)
    made: Counter[str] = Counter()
    accepted, started = 0, time.perf_counter()
    for _ in range(FORGED):
        now = began + chance.randrange(3 * 3600 * 1_000_000) * timedelta(microseconds=1)
        if chance.random() < 0.2:
            now -= (now - began) % STEP - timedelta(microseconds=chance.randrange(-2, 3))  # at the edge of a step
        kind, forged = forgery(key, now, chance)
        made[kind] += 1
        accepted += accepts(key, SESSION, forged, now)
    print(f"{FORGED} forged codes in {time.perf_counter() - started:.0f} s: {accepted} accepted")
    for kind, number in made.most_common():
        print(f"  {number:>8} {kind}")
    return accepted


def open_session(on: Stage) -> int:
    """Show the code of a session of the demo year that is running or to come."""
    with transaction(on.app.extensions["sessions"]) as db:
        found = db.scalars(
            select(CourseSession.id)
            .join(Offering)
            .where(
                CourseSession.closed_at.is_(None),
                CourseSession.ends_at > clock.now() + timedelta(hours=1),
                Offering.state == OfferingState.PUBLISHED,
            )
            .order_by(CourseSession.starts_at)
        ).first()
        if found is None:
            raise RuntimeError("the demo year has no session to come")
        code_display.show(db, roster.load_session(db, found, EVERYTHING), now=clock.now())
        return found


def paths(session_id: int, number: int) -> list[str]:
    """Addresses with random codes."""
    return [f"/s/{session_id}/{base64.urlsafe_b64encode(os.urandom(CODE_BYTES)).decode()}" for _ in range(number)]


def over_http() -> int:
    """How many claims are given; prints what one address and what many are answered."""
    with stage() as on:
        on.load_demo()
        session_id = open_session(on)
        with gunicorn("wsgi:app", on.environment | {"TRUSTED_PROXIES": "1"}) as server:
            statuses: Counter[int] = Counter()
            asking = HTTPConnection(HOST, server.port)
            for path in paths(session_id, FROM_ONE):
                asking.request("GET", path, headers={"X-Forwarded-For": "10.9.9.9"})
                answer = asking.getresponse()
                answer.read()
                statuses[answer.status] += 1
            asking.close()
            print(f"{FROM_ONE} over HTTP from one address at once: {dict(statuses)}")
            crowd = [
                get(path, f"X-Forwarded-For: 10.{visitor >> 8}.{visitor & 255}.1")
                for visitor, path in enumerate(paths(session_id, FROM_MANY))
            ]
            rate = send(server.port, crowd, seconds=SECONDS, status=HTTPStatus.GONE).per_second
            print(f"from {FROM_MANY} addresses for {SECONDS:.0f} s: {rate:.0f} refused a second, all with 410")
        with transaction(on.app.extensions["sessions"]) as db:
            claims = db.scalar(select(func.count()).select_from(CheckInClaim)) or 0
        print(f"claims given: {claims}")
        return claims


if __name__ == "__main__":
    sys.exit(1 if against_the_rule() + over_http() else 0)
