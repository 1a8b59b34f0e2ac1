"""The attendance column of past trainings: what its cells mean.

A cell is understood, or its row is refused until a user says on the page of the columns what it means
(`ImportRun.meanings`). The column holds the numbers of the sessions that a person attended, so "2" is the second session
and nothing else; a number of sessions is written "2次" and is understood where it leaves no choice. An empty cell means
every session, as in a file without the column, unless other cells say so with a mark: beside ticks, an empty cell may
mean either, and is refused until a user decides.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from courses.imports.cells import refusal
from lms.core.errors import N_

ALL, NONE = "all", "none"
EMPTY = ""  # the key of an empty cell
COUNT = "count:"  # a meaning such as "count:2", two sessions
# Bits of `ImportAttendance.present`, which has a bit for each of at most 30 sessions.
EMPTY_CELL = 1 << 30  # the cell was empty, and every session is meant for the time being

# What is understood, for the page: meaning → cells.
KNOWN: Mapping[str, tuple[str, ...]] = {
    ALL: (
        "√", "✓", "✔", "☑", "✅", "🗸", "🗹", "v", "全勤", "全部", "全程", "全程参加", "是", "到", "已到", "到场", "到课", "出勤",
        "出席", "已出勤", "已出席", "签到", "已签到", "参加", "已参加", "present", "attended", "all", "full", "yes", "y", "true",
    ),
    NONE: (
        "×", "x", "✗", "✘", "✕", "✖", "❌", "❎", "╳", "☒", "☐", "□", "🗷", "🗵", "-", "--", "/", "否",
        "缺", "缺勤", "缺席", "缺课", "未到", "没到",
        "未出勤", "未出席", "未参加", "未签到", "没来", "旷课", "请假", "事假", "病假",
        "absent", "not attended", "none", "no", "n", "false",
        "0",
    ),
}  # fmt: skip
_DASHES = re.compile("[‐‑‒–—―−─]+")
_DROPPED = re.compile("[\\s\ufe00-\ufe0f]+")
_NOTHING = frozenset(
    {"null", "\\n", "(null)", "nan", "<na>", "nat", "n/a"}
)  # what other systems write for an empty cell
_BETWEEN = re.compile(r"[;、,，\s]+")
_SESSION = re.compile(r"(?:第?(\d{1,2})(?:次课?|课次?|节课?)?|(\d{1,2})\.0+)")
_RANGE = re.compile(r"第?(\d{1,2})[-~至到]第?(\d{1,2})(?:次课?|课次?|节课?)?")
_COUNT = re.compile(r"共?(\d{1,2})次课?|(\d{1,2})/(\d{1,2})|(0|100)%")


def key(text: str) -> str:
    """Return a cell as it is compared and counted: without spaces, in small letters, one kind of dash; "" if it is empty."""
    if text.isdecimal() and text.isascii():
        return text
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).casefold()
    compact = _DROPPED.sub(" ", plain).strip()
    return EMPTY if compact in _NOTHING else compact


_MEANINGS = {key(text): meaning for meaning, texts in KNOWN.items() for text in texts}


@lru_cache(maxsize=2000)
def meaning(text: str) -> str | None:
    """Return what a cell means: "all", "none", the sessions as "1;2", a number of them as "count:2"; None if unknown.

    An empty cell is "all"; see `is_open` for when that is a guess.
    """
    compared = key(text)
    if compared == EMPTY:
        return ALL
    known = _MEANINGS.get(compared)
    if known is not None:
        return known
    count = _COUNT.fullmatch(compared)
    if count is not None and not compared.startswith("第"):
        return _counted(*count.groups())
    numbers: set[int] = set()
    for part in _BETWEEN.split(compared):
        several = _RANGE.fullmatch(part)
        single = _SESSION.fullmatch(part)
        if several is not None and 0 < int(several[1]) < int(several[2]):
            numbers.update(range(int(several[1]), int(several[2]) + 1))
        elif single is not None and int(single[1] or single[2]) > 0:
            numbers.add(int(single[1] or single[2]))
        else:
            return NONE if part == compared and single is not None else None
    return ";".join(map(str, sorted(numbers)))


def _counted(times: str | None, part: str | None, whole: str | None, percent: str | None) -> str | None:
    if percent is not None:
        return ALL if percent == "100" else NONE
    if times is not None:
        return COUNT + str(int(times)) if int(times) else NONE
    if int(part or 0) == 0:
        return NONE
    return COUNT + str(int(part or 0)) if int(part or 0) == int(whole or 0) else None


def described(meaning_: str) -> tuple[str, dict[str, str]]:
    """Return the msgid that describes a meaning, and its parameters."""
    if meaning_ == ALL:
        return N_("present at every session"), {}
    if meaning_ == NONE:
        return N_("absent"), {}
    if meaning_.startswith(COUNT):
        return N_("number of sessions attended: %(number)s"), {"number": meaning_.removeprefix(COUNT)}
    return N_("present at the sessions with the numbers %(numbers)s"), {"numbers": meaning_.replace(";", ", ")}


def is_open(keys: Iterable[str], meanings: Mapping[str, str]) -> bool:
    """Tell whether a user has to say what an empty cell means: other cells say with a mark that a person was there.

    keys: of the cells in the column. meanings: what the user has decided, key → "all" or "none".
    """
    present = set(keys)
    return EMPTY in present and EMPTY not in meanings and any(is_mark(compared) for compared in present)


def is_mark(text: str) -> bool:
    """Tell whether a cell says with a mark or a word that a person was there."""
    return _MEANINGS.get(key(text)) == ALL


def bits(text: str, sessions: int, meanings: Mapping[str, str]) -> int:
    """Return the sessions that a cell means, one bit each; for an empty cell that nobody has decided with `EMPTY_CELL`.

    Raises DomainError for a cell that is not understood.
    """
    compared = key(text)
    understood = meanings.get(compared) or meaning(text)
    every = (1 << sessions) - 1
    if understood == ALL:
        return every | EMPTY_CELL if compared == EMPTY and EMPTY not in meanings else every
    if understood == NONE:
        return 0
    if understood is None:
        raise refusal(
            "presence",
            N_(
                "“%(text)s” is not understood as attendance. Say on the page of the columns what it means, or correct the cell."
            ),
            text=text,
        )
    if understood.startswith(COUNT):
        if int(understood.removeprefix(COUNT)) == sessions:
            return every
        raise refusal(
            "presence_count",
            N_("“%(text)s” does not say which of the %(most)s sessions. Write their numbers, such as 1;2."),
            text=text,
            most=sessions,
        )
    numbers = [int(number) for number in understood.split(";")]
    if numbers[-1] > sessions:
        raise refusal(
            "sessions",
            N_("“%(text)s” is not a list of session numbers from 1 to %(most)s."),
            text=text,
            most=sessions,
        )
    return sum(1 << (number - 1) for number in numbers)
