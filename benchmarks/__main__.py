"""`python -m benchmarks [name …]`: run all measurements, or some, and print a table. Exit 1 when one misses its floor.

BENCH_SCALE says how much of the branch's ten years reports, exports and imports are measured on: 0.1 unless told, `full` is
the branch's size, which takes half an hour to an hour.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import (
    check_in,
    decoding,
    documents,
    exporting,
    full_load,
    importing,
    issuing,
    plans,
    recount,
    reports,
    web,
)
from benchmarks.measurement import Measurement
from benchmarks.stage import SCALE, Ground, stage, years


@dataclass(frozen=True)
class Suite:
    """Measurements that share a subject."""

    name: str
    run: Callable[[Any], Sequence[Measurement]]


# What stands on the demo year, or on nothing; and what stands on the branch's years, which are loaded once for all.
SUITES = (
    Suite("web", web.measure),
    Suite("check-in", check_in.measure),
    Suite("documents", documents.measure),
    Suite("decoding", decoding.measure),
    Suite("issuing", issuing.measure),
    Suite("importing", importing.measure),
)
OF_YEARS = (
    Suite("loading", full_load.measure),
    Suite("reports", reports.measure),
    Suite("exporting", exporting.measure),
    Suite("recount", recount.measure),
    Suite("plans", plans.measure),
)
GROUNDS: Sequence[tuple[Sequence[Suite], Callable[[], AbstractContextManager[Ground]]]] = (
    (SUITES, stage),
    (OF_YEARS, partial(years, SCALE)),
)


def main(names: Sequence[str]) -> int:
    """Run and print; the exit code."""
    known = [suite.name for suites, _ground in GROUNDS for suite in suites]
    unknown = set(names) - set(known)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    missed = 0
    for suites, ground in GROUNDS:
        wanted = [suite for suite in suites if not names or suite.name in names]
        if not wanted:
            continue
        with ground() as standing:
            for suite in wanted:
                for measured in suite.run(standing):
                    print(measured.line(), flush=True)
                    missed += not measured.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
