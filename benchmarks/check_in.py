"""Check-ins of phones against a bare Flask "hello", under the same server and client, in the same run."""

from collections.abc import Sequence
from statistics import median

from benchmarks.load import get, requests_per_second
from benchmarks.measurement import Measurement
from benchmarks.phones import arrivals, phones
from benchmarks.stage import Stage, gunicorn

ROUNDS = 3
PHONES = 60
BATCH = 40
BATCHES = 20  # sessions a phone sends whole in one round: enough for 400 batches a second
SINGLES = 2  # sessions a phone sends one by one in one round: 40 people each, enough for 1,600 a second
SECONDS = 3.0
CONNECTIONS = 8  # as many as the server has threads: fewer leave it waiting for the disk


def measure(stage: Stage) -> Sequence[Measurement]:
    """Requests a second, alternating between the two servers, as ratios of medians. Each event is new: none is a repetition."""
    crowd = phones(stage.app, PHONES, people=BATCH, sessions=ROUNDS * (BATCHES + SINGLES))
    rates: dict[str, list[float]] = {"hello": [], "single": [], "batch": []}
    with gunicorn("benchmarks.hello:app", stage.environment) as floor, gunicorn("wsgi:app", stage.environment) as site:
        for turn in range(ROUNDS):
            start = turn * (BATCHES + SINGLES)
            whole = arrivals(crowd, slice(start, start + BATCHES))
            apart = arrivals(crowd, slice(start + BATCHES, start + BATCHES + SINGLES))
            singles = [
                phone.request([event]) for place in range(BATCH) for phone, events in apart for event in [events[place]]
            ]
            batches = [phone.request(events) for phone, events in whole]
            rates["hello"].append(requests_per_second(floor, [get("/")], seconds=SECONDS, connections=CONNECTIONS))
            rates["single"].append(requests_per_second(site, singles, seconds=SECONDS, connections=CONNECTIONS))
            rates["batch"].append(requests_per_second(site, batches, seconds=SECONDS, connections=CONNECTIONS))
    hello = median(rates["hello"])
    return [
        Measurement("bare Flask hello", hello, "requests/s"),
        Measurement("single check-in", median(rates["single"]), "requests/s"),
        Measurement(f"batch of {BATCH}", median(rates["batch"]), "requests/s"),
        Measurement("single check-in / hello", median(rates["single"]) / hello, "×", floor=0.15),
        Measurement(f"batch of {BATCH} / hello", median(rates["batch"]) / hello, "×", floor=0.10),
    ]
