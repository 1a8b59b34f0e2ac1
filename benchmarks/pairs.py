"""`python -m benchmarks.pairs OTHER_CHECKOUT [web] [check-in] [--pairs 5]`: another version against this one.

Both versions run at the same time on one database and are asked in turn, so that a busy machine slows both alike. The
verdict is the median, over the pairs, of the ratio of processor time per request (web workers and PostgreSQL's backends
together). Exit 1 where this version needs over 5 % more. Both versions must have the same migrations.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks import check_in, web
from benchmarks.processor_time import Sample, middle, sample
from benchmarks.stage import Stage, WebServer, gunicorn, stage
from benchmarks.workload import Workload
from lms.config import ROOT

ALLOWED = 1.05
WORKLOADS: Mapping[str, Callable[[Stage, int], Workload]] = {"web": web.workload, "check-in": check_in.workload}
HEADINGS = ("", "requests/s", "web ms", "database ms", "sum ms")

Samples = Mapping[str, list[tuple[Sample, Sample]]]


def compare(set_stage: Stage, load: Workload, other: Path, number: int) -> Samples:
    """Pairs of samples of the other version and of this one, by kind of request. The first pair does not count."""
    pairs: dict[str, list[tuple[Sample, Sample]]] = {}
    environment = {**set_stage.environment, **load.settings}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(gunicorn("wsgi:app", environment, checkout=checkout)) for checkout in (other, ROOT)
        ]
        for turn in range(number + 1):
            # Each server has requests of its own: a check-in that was sent before costs less. Who begins alternates.
            order = (0, 1) if turn % 2 == 0 else (1, 0)
            taken = {place: _samples(set_stage, servers[place], load) for place in order}
            for kind in taken[0] if turn else ():
                pairs.setdefault(kind, []).append((taken[0][kind], taken[1][kind]))
    return pairs


def _samples(set_stage: Stage, server: WebServer, load: Workload) -> Mapping[str, Sample]:
    requests = next(load.rounds)
    return {kind: sample(set_stage, server, each, connections=load.connections) for kind, each in requests.items()}


def report(name: str, pairs: Samples) -> bool:
    """Print the medians of both versions and the median ratio; whether this version stays within what is allowed."""
    print(f"{name:<24}" + "".join(f"{heading:>14}" for heading in HEADINGS[1:]))
    within = True
    for kind, taken in pairs.items():
        for version, place in (("other", 0), ("this", 1)):
            of = middle([pair[place] for pair in taken])
            print(
                f"{kind + ', ' + version:<24}{of.per_second:>14.0f}{of.web:>14.3f}{of.database:>14.3f}{of.server:>14.3f}"
            )
        ratios = sorted(this.server / other.server for other, this in taken)
        ratio = median(ratios)
        within = within and ratio <= ALLOWED
        each = ", ".join(f"{value:.3f}" for value in ratios)
        print(
            f"{kind}: this / other = {ratio:.3f} (pairs: {each}) {'ok' if ratio <= ALLOWED else 'SLOWER'}", flush=True
        )
    return within


def main(arguments: Sequence[str]) -> int:
    """Set the stage once, compare each workload, judge."""
    parser = ArgumentParser(prog="python -m benchmarks.pairs")
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; all unless named")
    parser.add_argument("--pairs", type=int, default=5)
    told = parser.parse_args(arguments)
    names = told.workloads or list(WORKLOADS)
    if unknown := set(names) - set(WORKLOADS):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    within = True
    with stage() as set_stage:
        for name in names:
            load = WORKLOADS[name](set_stage, 2 * (told.pairs + 1))
            within = report(name, compare(set_stage, load, told.other.resolve(), told.pairs)) and within
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
