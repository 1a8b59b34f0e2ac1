"""`python -m benchmarks [name …]`: run all measurements, or some, and print a table. Exit 1 when one misses its floor."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import check_in, decoding, documents, exporting, importing, issuing, reports, web
from benchmarks.measurement import Measurement
from benchmarks.stage import Stage, stage


@dataclass(frozen=True)
class Suite:
    """Measurements that share a subject."""

    name: str
    run: Callable[[Stage], Sequence[Measurement]]


SUITES = (
    Suite("web", web.measure),
    Suite("check-in", check_in.measure),
    Suite("documents", documents.measure),
    Suite("decoding", decoding.measure),
    Suite("issuing", issuing.measure),
    Suite("importing", importing.measure),
    Suite("exporting", lambda _shared: exporting.measured("0.1")),
    Suite("reports", lambda _shared: reports.measured("0.1")),
)


def main(names: Sequence[str]) -> int:
    """Run and print; the exit code."""
    unknown = set(names) - {suite.name for suite in SUITES}
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(suite.name for suite in SUITES)}")
        return 2
    missed = 0
    with stage() as set_stage:
        for suite in SUITES:
            if names and suite.name not in names:
                continue
            for measured in suite.run(set_stage):
                print(measured.line(), flush=True)
                missed += not measured.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
