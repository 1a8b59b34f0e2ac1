"""The mutants themselves: what is changed, what is left alone, and how the outcome is judged."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lms.config import ROOT
from tests.mutants.__main__ import MODULES, Outcome, equivalent_mutants, outcome_of, own_tests
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.running import Result

RULE = '''\
"""A rule."""
from lms.core.errors import N_, DomainError

TOLERANCE = 5


class Course:
    def passed(self, score: int | None, mark: int = 60) -> bool:
        """Tell whether the mark was reached."""
        if score is None:
            raise DomainError("no_score", N_("Enter a score."))
        return score >= mark
'''


def changes(source: str) -> set[tuple[str, str, str]]:
    return {mutant.key for mutant in mutants_of(source)}


def test_comparisons_numbers_words_and_conditions_are_changed() -> None:
    passed = "Course.passed"
    assert changes(RULE) == {
        ("", "TOLERANCE = 5", "TOLERANCE = 6"),
        ("", "TOLERANCE = 5", "TOLERANCE = None"),
        (
            passed,
            "def passed(self, score: int | None, mark: int = 60) -> bool:",
            "def passed(self, score: int | None, mark: int = 61) -> bool:",
        ),
        (passed, "if score is None:", "if score is not None:"),
        *(
            (passed, 'raise DomainError("no_score", N_("Enter a score."))', f"raise DomainError({changed})")
            for changed in (
                'None, N_("Enter a score.")',
                '"no_score", None',
                'N_("Enter a score.")',
                '"no_score", ',
                '"XXno_scoreXX", N_("Enter a score.")',
                '"NO_SCORE", N_("Enter a score.")',
            )
        ),
        (passed, "return score >= mark", "return score > mark"),
        (passed, "return score >= mark", "return score <= mark"),
    }


def test_a_mutant_knows_its_line_and_differs_there_alone() -> None:
    [turned] = [mutant for mutant in mutants_of(RULE) if mutant.now == "return score <= mark"]
    assert RULE.splitlines()[turned.line_number - 1].strip() == "return score >= mark"
    assert turned.source == RULE.replace(">=", "<=")


def test_what_python_cannot_compile_is_no_mutant() -> None:
    assert {now for _, _, now in changes("def f(*, a=1): return f(*[], a=2)\n")} >= {
        "def f(*, a=2): return f(*[], a=2)"
    }
    for mutant in mutants_of(RULE):
        compile(mutant.source, "<mutant>", "exec")


FOUND, EQUIVALENT, SURVIVOR = (Mutant(number, "rule", f"a < {number}", f"a <= {number}", "") for number in range(3))
PATH = Path("courses/rule.py")


def judged(survivors: list[Mutant], *named: Mutant, timed_out: Sequence[Mutant] = ()) -> Outcome:
    return outcome_of(
        PATH,
        [FOUND, EQUIVALENT, SURVIVOR],
        Result(survivors, list(timed_out)),
        {mutant.key: "the reason" for mutant in named},
        1.0,
    )


def test_an_equivalent_mutant_counts_neither_as_found_nor_as_survived() -> None:
    outcome = judged([EQUIVALENT, SURVIVOR], EQUIVALENT)
    assert (outcome.mutants, outcome.found, outcome.equivalent, outcome.survivors) == (3, 1, 1, [SURVIVOR])
    assert (outcome.percent, outcome.good) == (50, False)
    assert judged([EQUIVALENT], EQUIVALENT).good


def test_tests_that_do_not_end_find_a_mutant_and_say_nothing_against_an_equivalent_one() -> None:
    outcome = judged([], EQUIVALENT, timed_out=[FOUND, EQUIVALENT])
    assert (outcome.found, outcome.timed_out, outcome.equivalent, outcome.good) == (2, 1, 1, True)


def test_an_entry_that_the_tests_find_or_that_is_no_mutant_fails() -> None:
    outcome = judged([], FOUND)
    assert (outcome.not_equivalent, outcome.good) == ([FOUND.key], False)
    gone = Mutant(9, "rule", "a < 9", "a <= 9", "")
    outcome = judged([], gone)
    assert (outcome.unmatched, outcome.good) == ([gone.key], False)


def test_each_module_has_its_test_file_and_each_entry_its_module_and_reason(tmp_path: Path) -> None:
    for path in MODULES:
        assert (ROOT / path).is_file()
        assert own_tests(path)
    named = equivalent_mutants(ROOT / "tests/mutants/equivalent.toml")
    assert set(named) <= set(MODULES)
    for path, reasons in named.items():
        assert all(reasons.values())
        assert set(reasons) <= changes((ROOT / path).read_text())


def test_a_mutant_is_named_once(tmp_path: Path) -> None:
    entry = '[[equivalent]]\nmodule = "a.py"\nfunction = "f"\nwas = "1"\nnow = "2"\nreason = "none"\n'
    (tmp_path / "twice.toml").write_text(entry * 2)
    with pytest.raises(ValueError, match="named twice"):
        equivalent_mutants(tmp_path / "twice.toml")
