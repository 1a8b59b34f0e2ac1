"""The public verify page against a bare Flask "hello", under the same server and client, in the same run."""

from collections.abc import Sequence
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.load import get, requests_per_second
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage, gunicorn
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.states import State, sql_condition
from lms.core import clock

ROUNDS = 3
CODES = 200
VISITORS = 4000


def _from_everywhere(paths: Sequence[str]) -> list[bytes]:
    """Requests as a proxy passes them on, from so many addresses that none meets its limit, which is counted all the same."""
    return [
        get(paths[visitor % len(paths)], f"X-Forwarded-For: 10.{visitor >> 8}.{visitor & 255}.1")
        for visitor in range(VISITORS)
    ]


def measure(stage: Stage) -> Sequence[Measurement]:
    """Requests a second, alternating between the two servers, as ratios of medians."""
    stage.load_demo()
    with Session(stage.app.extensions["engine"]) as db:
        holding = sql_condition(State.VALID, clock.today(stage.app.config["SETTINGS"].zone))
        codes = [digits_of(payload) for payload in db.scalars(select(Certificate.payload).where(holding).limit(CODES))]
    valid = _from_everywhere([f"/v/{code}" for code in codes])
    # The last digits are the end of the signature: the code reads well and the signature is wrong.
    forged = _from_everywhere([f"/v/{code[:-2]}{(int(code[-2:]) + 1) % 100:02d}" for code in codes])
    rates: dict[str, list[float]] = {"hello": [], "valid": [], "forged": []}
    environment = stage.environment | {"TRUSTED_PROXIES": "1"}
    with gunicorn("benchmarks.hello:app", environment) as floor, gunicorn("wsgi:app", environment) as site:
        for _ in range(ROUNDS):
            rates["hello"].append(requests_per_second(floor, [get("/")]))
            rates["valid"].append(requests_per_second(site, valid))
            rates["forged"].append(requests_per_second(site, forged))
    hello = median(rates["hello"])
    return [
        Measurement("bare Flask hello", hello, "requests/s"),
        Measurement("verify, valid code / hello", median(rates["valid"]) / hello, "×", floor=0.40),
        Measurement("verify, forged code / hello", median(rates["forged"]) / hello, "×", floor=0.55),
    ]
