"""Check-ins of phones against a bare Flask "hello", under the same server and client, in the same run."""

from collections.abc import Iterator, Sequence

from benchmarks.load import get
from benchmarks.measurement import Measurement
from benchmarks.phones import Phone, arrivals, phones
from benchmarks.processor_time import Sample, measurements, middle, sample
from benchmarks.stage import Stage, gunicorn
from benchmarks.workload import Round, Workload

ROUNDS = 3
PHONES = 60
BATCH = 40
BATCHES = 20  # sessions a phone sends whole in one round: enough for 400 batches a second
SINGLES = 2  # sessions a phone sends one by one in one round: 40 people each, enough for 1,600 a second
CONNECTIONS = 8  # as many as the server has threads: fewer leave it waiting for the disk


def workload(stage: Stage, rounds: int) -> Workload:
    """Single check-ins and batches. Each event is new: none is a repetition."""
    crowd = phones(stage.app, PHONES, people=BATCH, sessions=rounds * (BATCHES + SINGLES))
    return Workload(_rounds(crowd, rounds), connections=CONNECTIONS)


def _rounds(crowd: Sequence[Phone], rounds: int) -> Iterator[Round]:
    """Made one at a time, because an event carries the moment at which it is told."""
    for number in range(rounds):
        start = number * (BATCHES + SINGLES)
        whole = arrivals(crowd, slice(start, start + BATCHES))
        apart = arrivals(crowd, slice(start + BATCHES, start + BATCHES + SINGLES))
        yield {
            "single": [phone.request([events[place]]) for place in range(BATCH) for phone, events in apart],
            "batch": [phone.request(events) for phone, events in whole],
        }


def measure(stage: Stage) -> Sequence[Measurement]:
    """Requests a second as ratios of medians, alternating between the two servers, and processor time per request."""
    load = workload(stage, ROUNDS)
    samples: dict[str, list[Sample]] = {"hello": [], "single": [], "batch": []}
    with gunicorn("benchmarks.hello:app", stage.environment) as floor, gunicorn("wsgi:app", stage.environment) as site:
        for requests in load.rounds:
            samples["hello"].append(sample(stage, floor, [get("/")], connections=load.connections))
            for kind, each in requests.items():
                samples[kind].append(sample(stage, site, each, connections=load.connections))
    hello, single, batch = (middle(samples[kind]) for kind in ("hello", "single", "batch"))
    return [
        *measurements("bare Flask hello", hello)[:2],
        *measurements("single check-in", single),
        *measurements(f"batch of {BATCH}", batch),
        Measurement("single check-in / hello", single.per_second / hello.per_second, "×", floor=0.15),
        Measurement(f"batch of {BATCH} / hello", batch.per_second / hello.per_second, "×", floor=0.10),
    ]
