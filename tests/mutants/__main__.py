"""`make mutants`: how many mutants of the rule modules their tests find. Fails below 95 % in any module.

Names of modules (`folding number`) run these alone. An equivalent mutant, which behaves as the module does, is named with
the reason in `equivalent.toml`; it is run all the same, and an entry that the tests find or that matches no mutant fails.
"""

import argparse
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lms.config import ROOT
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.running import BaselineError, Module, Result, Runner, runner

# The modules whose rules decide figures and certificates. Each is tested by the files of its name.
MODULES = (
    Path("courses/attendance/check_in_window.py"),
    Path("courses/attendance/deciding.py"),
    Path("courses/attendance/folding.py"),
    Path("courses/attendance/self_check_in/rotating_code.py"),
    Path("courses/assessment/entitlement.py"),
    Path("courses/counting/person_time.py"),
    Path("courses/enrolment/id_numbers.py"),
    Path("certificates/holder_proof.py"),
    Path("certificates/number.py"),
    Path("certificates/payload.py"),
    Path("certificates/verification/verification.py"),
)
NEEDED_PERCENT = 95

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Outcome:
    """The outcome of the mutants of a module.

    `timed_out`: how many of those found are such that the tests did not end. `not_equivalent` and `unmatched` are the keys
    of entries of `equivalent.toml` that are wrong.
    """

    path: Path
    mutants: int
    equivalent: int
    survivors: Sequence[Mutant]
    timed_out: int
    not_equivalent: Sequence[Key]
    unmatched: Sequence[Key]
    seconds: float

    @property
    def found(self) -> int:
        return self.mutants - self.equivalent - len(self.survivors)

    @property
    def percent(self) -> float:
        """The share found of those that can be."""
        return 100 * self.found / max(self.mutants - self.equivalent, 1)

    @property
    def good(self) -> bool:
        return self.percent >= NEEDED_PERCENT and not self.not_equivalent and not self.unmatched


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="module", choices=[[], *(path.stem for path in MODULES)])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [path for path in MODULES if not options.names or path.stem in options.names]
    equivalent = equivalent_mutants(ROOT / "tests/mutants/equivalent.toml")
    try:
        with runner(options.jobs) as started:
            outcomes = [_judge(started, path, equivalent.get(path, {})) for path in chosen]
    except BaselineError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    print(
        f"\n{'module':<48}{'mutants':>8}{'found':>7}{'timed out':>11}{'equivalent':>12}{'survived':>10}{'':>9}{'seconds':>9}"
    )
    for outcome in outcomes:
        print(_row(outcome))
    return 0 if all(outcome.good for outcome in outcomes) else 1


def own_tests(path: Path) -> list[Path]:
    """The test files that have the name of a module: `test_folding.py`, and `test_folding_race.py` where there is one."""
    folder = ROOT / "tests" / path.parent
    files = [*folder.glob(f"test_{path.stem}.py"), *folder.glob(f"test_{path.stem}_*.py")]
    return [file.relative_to(ROOT) for file in files]


def equivalent_mutants(file: Path) -> Mapping[Path, Mapping[Key, str]]:
    """The reasons why mutants are equivalent, by module and key. Raises ValueError where one is named twice."""
    reasons: dict[Path, dict[Key, str]] = {}
    for entry in tomllib.loads(file.read_text())["equivalent"]:
        of_module = reasons.setdefault(Path(entry["module"]), {})
        key = entry["function"], entry["was"], entry["now"]
        if key in of_module:
            raise ValueError(f"named twice as equivalent: {key}")
        of_module[key] = entry["reason"]
    return reasons


def _judge(started: Runner, path: Path, equivalent: Mapping[Key, str]) -> Outcome:
    began = time.monotonic()
    module = Module(path, own_tests(path))
    mutants = mutants_of((ROOT / path).read_text())
    outcome = outcome_of(path, mutants, started.run(module, mutants), equivalent, time.monotonic() - began)
    _print(outcome)
    return outcome


def outcome_of(
    path: Path, mutants: Sequence[Mutant], result: Result, equivalent: Mapping[Key, str], seconds: float
) -> Outcome:
    keys = {mutant.key for mutant in mutants}
    not_failed = [*result.survivors, *result.timed_out]  # a slow machine is no proof against an equivalent mutant
    return Outcome(
        path,
        len(mutants),
        sum(mutant.key in equivalent for mutant in not_failed),
        [mutant for mutant in result.survivors if mutant.key not in equivalent],
        sum(mutant.key not in equivalent for mutant in result.timed_out),
        sorted(equivalent.keys() & keys - {mutant.key for mutant in not_failed}),
        sorted(equivalent.keys() - keys),
        seconds,
    )


def _print(outcome: Outcome) -> None:
    print(_row(outcome), flush=True)
    for mutant in outcome.survivors:
        print(f"  survived: {outcome.path}:{mutant.line_number} in {mutant.function or 'the module'}")
        print(_lines(mutant.was, "-"), _lines(mutant.now, "+"), sep="\n", flush=True)
    for title, keys in (
        ("named as equivalent, and found by a test", outcome.not_equivalent),
        ("named as equivalent, and no mutant", outcome.unmatched),
    ):
        for function, was, now in keys:
            print(f"  {title}: {outcome.path} in {function or 'the module'}")
            print(_lines(was, "-"), _lines(now, "+"), sep="\n", flush=True)


def _lines(text: str, mark: str) -> str:
    return "\n".join(f"    {mark} {line}" for line in text.split("\n"))


def _row(outcome: Outcome) -> str:
    return (
        f"{outcome.path!s:<48}{outcome.mutants:>8}{outcome.found:>7}{outcome.timed_out:>11}{outcome.equivalent:>12}"
        f"{len(outcome.survivors):>10}{outcome.percent:>7.1f} %{outcome.seconds:>9.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
