"""The public verify page against a bare Flask "hello", under the same server and client, in the same run."""

from collections.abc import Sequence
from itertools import repeat

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.load import get
from benchmarks.measurement import Measurement
from benchmarks.processor_time import Sample, measurements, middle, sample
from benchmarks.stage import Stage, gunicorn
from benchmarks.workload import Workload
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


def workload(stage: Stage, rounds: int) -> Workload:
    """Scans of valid codes and of forged ones, the same in each round."""
    stage.load_demo()
    with Session(stage.app.extensions["engine"]) as db:
        holding = sql_condition(State.VALID, clock.today(stage.app.config["SETTINGS"].zone))
        codes = [digits_of(payload) for payload in db.scalars(select(Certificate.payload).where(holding).limit(CODES))]
    # The last digits are the end of the signature: the code reads well and the signature is wrong.
    forged = [f"{code[:-2]}{(int(code[-2:]) + 1) % 100:02d}" for code in codes]
    requests = {
        "valid": _from_everywhere([f"/v/{code}" for code in codes]),
        "forged": _from_everywhere([f"/v/{code}" for code in forged]),
    }
    return Workload(repeat(requests, rounds), {"TRUSTED_PROXIES": "1"})


def measure(stage: Stage) -> Sequence[Measurement]:
    """Requests a second as ratios of medians, alternating between the two servers, and processor time per request."""
    load = workload(stage, ROUNDS)
    samples: dict[str, list[Sample]] = {"hello": [], "valid": [], "forged": []}
    environment = {**stage.environment, **load.settings}
    with gunicorn("benchmarks.hello:app", environment) as floor, gunicorn("wsgi:app", environment) as site:
        for requests in load.rounds:
            samples["hello"].append(sample(stage, floor, [get("/")]))
            for kind, each in requests.items():
                samples[kind].append(sample(stage, site, each))
    hello, valid, forged = (middle(samples[kind]) for kind in ("hello", "valid", "forged"))
    return [
        *measurements("bare Flask hello", hello)[:2],
        *measurements("verify, valid code", valid),
        *measurements("verify, forged code", forged)[:2],
        Measurement("verify, valid code / hello", valid.per_second / hello.per_second, "×", floor=0.40),
        Measurement("verify, forged code / hello", forged.per_second / hello.per_second, "×", floor=0.55),
    ]
