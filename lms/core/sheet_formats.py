"""Number formats of workbooks: the text that a person sees for the number of a cell.

Days and times have one form whatever their display: "2018-06-16", "2018-06-16 09:20", "09:20", and "26:30" for durations. A
number that its format would show in a way that is not rendered here (as a fraction, in Chinese numerals) gives "#" and the
format, which no reader takes for a value.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache, partial
from itertools import pairwise

from lms.core.sheet_cells import broken, clean

GENERAL = "General"
# The formats that a workbook does not write out, in the Chinese of China. A day's form does not matter here.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "¥#,##0;¥-#,##0", 6: "¥#,##0;¥-#,##0", 7: "¥#,##0.00;¥-#,##0.00",
    8: "¥#,##0.00;¥-#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-m-d",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-m-d h:mm", 27: "yyyy年m月", 28: "m月d日", 29: "m月d日", 30: "m-d-yy", 31: "yyyy年m月d日", 32: "h时mm分",
    33: "h时mm分ss秒", 34: "h时mm分", 35: "h时mm分ss秒", 36: "yyyy年m月", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0",
    39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00", 41: '#,##0;-#,##0;"-"', 42: '¥#,##0;¥-#,##0;¥"-"',
    43: '#,##0.00;-#,##0.00;"-"', 44: '¥#,##0.00;¥-#,##0.00;¥"-"', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0", 49: "@", 50: "yyyy年m月", 51: "m月d日", 52: "yyyy年m月", 53: "m月d日", 54: "m月d日", 55: "h时mm分",
    56: "h时mm分ss秒", 57: "yyyy年m月", 58: "m月d日",
}  # fmt: skip
EXACT = 10**15  # a spreadsheet's number holds no more digits

_TOO_NARROW = "########"  # Excel's sign for a value that its format cannot show
_CODE_LENGTH = 255
_DAYS_OF_1904 = 1462
_LAST_SERIAL = 2_958_465  # 9999-12-31
_LEAP_DAY_THAT_WAS_NONE = 60  # Excel's 1900-02-29
_DAY_SECONDS = 86_400

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|G/通用格式)|(?P<noon>AM/PM|A/P|上午/下午)|(?P<exponent>E[+-])|(?P<day>[ymdhsabeg]+)"
    r"|(?P<digit>[0#?])|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)|(?P<text>@)|(?P<end>;)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_RUN = re.compile(r"(.)\1*")
_ELAPSED = re.compile("h+|m+|s+", re.IGNORECASE)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)")
_CURRENCY = re.compile(r"\$([^-]*)")
_LONG = Context(prec=2000)  # digits: more than any format has places
_LITERALS = frozenset({"quoted", "escaped", "other", "currency"})

Render = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Format:
    """The rendering of numbers and of texts; `text` is None where texts are shown as they are."""

    number: Render
    text: Render | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a format code: its tokens (kind, text) and its condition."""

    tokens: Sequence[tuple[str, str]]
    condition: tuple[str, float] | None

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _text in self.tokens)


def compiled(code: str, *, since_1904: bool = False) -> Format:
    """The format of a code, such as `0.00;[Red]-0.00`. since_1904: days are counted from 1904, not from 1900."""
    if code.lower() in {"", "general", "@"}:
        return Format(general)
    if len(code) > _CODE_LENGTH:
        return Format(partial(_not_rendered, code[:_CODE_LENGTH]))
    sections = _sections(code)
    texts = [section for section in sections if section.has("text")]
    numbers = [section for section in sections[:3] if not section.has("text")]
    text = _text_render(texts[-1]) if texts else None
    if not numbers:
        return Format(general, text)
    return Format(lru_cache(1024)(partial(_render, code, numbers, since_1904)), text)


def general(text: str) -> str:
    """A number without a format, as Excel shows it in a wide cell; its last digits are lost from 16 digits on."""
    if len(text) < 16 and text.isdecimal() and text.isascii() and text[0] != "0":
        return text
    return _general(_number(text))


def _general(number: float) -> str:
    size = abs(number)
    if size >= EXACT:
        return _scientific(number)
    if number == int(number):
        return str(int(number))
    if size >= 10**10:
        return format(_decimal(number), "f")
    if size < 0.0001 and len(format(_decimal(size), "f")) > 11:
        return _scientific(number)
    decimals = 10 - len(str(int(size)))
    return _without_zeros(f"{_rounded(_decimal(number), decimals):f}")


def _scientific(number: float) -> str:
    mantissa, _, exponent = f"{number:.5E}".partition("E")
    return f"{_without_zeros(mantissa)}E{exponent}"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(text: str) -> float:
    """The number of a cell. Raises DomainError for a text that is none."""
    try:
        number = float(text)
    except ValueError as error:
        raise broken() from error
    if not math.isfinite(number) or "_" in text:
        raise broken()
    return number


def _decimal(number: float) -> Decimal:
    """The number with the 15 digits that a spreadsheet has."""
    return Decimal(f"{number:.15g}")


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _LONG)


def _not_rendered(code: str, _text: str) -> str:
    return f"#{code}"


def _sections(code: str) -> list[_Section]:
    sections: list[_Section] = []
    tokens: list[tuple[str, str]] = []
    condition: tuple[str, float] | None = None
    for match in _TOKEN.finditer(code + ";"):
        kind, text = str(match.lastgroup), match[str(match.lastgroup)]
        if kind == "end":
            sections.append(_Section(tokens, condition))
            tokens, condition = [], None
        elif kind != "bracket":
            tokens.append((kind, text))
        elif _ELAPSED.fullmatch(text):
            tokens.append(("elapsed", text.lower()))
        elif (compared := _CONDITION.fullmatch(text)) is not None:
            condition = (compared[1], float(compared[2]))
        elif text.lower().startswith("dbnum"):
            tokens.append(("numerals", text))
        elif (currency := _CURRENCY.match(text)) is not None and currency[1]:
            tokens.append(("currency", currency[1]))
    return sections


def _text_render(section: _Section) -> Render | None:
    around = [("{}" if kind == "text" else text) for kind, text in section.tokens if kind in _LITERALS | {"text"}]
    if around == ["{}"]:
        return None
    return lambda text: clean("".join(text if part == "{}" else part for part in around))


def _render(code: str, sections: Sequence[_Section], since_1904: bool, text: str) -> str:
    number = _number(text)
    section = _section_for(number, sections)
    if section is None:
        return _TOO_NARROW
    if section.has("day", "elapsed", "noon"):
        return _moment(section, number, since_1904=since_1904)
    if abs(number) >= EXACT:
        return _scientific(number)
    if section.has("numerals") or _is_fraction(section):
        return _not_rendered(code, text)
    # The second section of a code shows negative numbers in its own way, such as in brackets.
    is_negative = number < 0 and (section.condition is not None or len(sections) == 1 or section is not sections[1])
    return clean(("-" if is_negative else "") + _digits(section, _decimal(abs(number))))


def _section_for(number: float, sections: Sequence[_Section]) -> _Section | None:
    if len(sections) == 1 and sections[0].condition is None:
        return sections[0]
    last = len(sections) - 1
    conditions = [section.condition for section in sections]
    if conditions[0] is None:
        conditions[0] = (">=", 0) if last == 1 else (">", 0)
    if last == 2 and conditions[1] is None:  # three sections
        conditions[1] = ("<", 0)
    for section, condition in zip(sections, conditions, strict=True):
        if condition is None or _holds(number, *condition):
            return section
    return None


def _holds(number: float, comparison: str, limit: float) -> bool:
    match comparison:
        case "<":
            return number < limit
        case "<=":
            return number <= limit
        case ">":
            return number > limit
        case ">=":
            return number >= limit
        case "=":
            return number == limit
        case _:
            return number != limit


def _is_fraction(section: _Section) -> bool:
    """Tell whether a stroke between digits makes a fraction of the format, as in "# ?/?"."""
    tokens = [token for token in section.tokens if token[0] in {"digit", "other"}]
    return any(before[0] == "digit" and token == ("other", "/") for before, token in pairwise(tokens))


def _moment(section: _Section, number: float, *, since_1904: bool) -> str:
    """The day, the time, both, or the duration that a cell shows; seconds only where they are not 0."""
    if not -0.5 / _DAY_SECONDS < number <= _LAST_SERIAL + 1:
        return _TOO_NARROW
    seconds = round(number * _DAY_SECONDS)
    if section.has("elapsed"):
        return _clock(seconds)
    shows_day, shows_time = _parts(section)
    days, seconds = divmod(seconds, _DAY_SECONDS)
    day = _day(days + (_DAYS_OF_1904 if since_1904 else 0)) if shows_day else ""
    if day == _TOO_NARROW or not shows_time:
        return day
    return f"{day} {_clock(seconds)}".lstrip()


def _parts(section: _Section) -> tuple[bool, bool]:
    """Tell whether a format shows a day, and whether a time. An m after hours or before seconds is minutes, else a month."""
    letters: list[str] = []
    for kind, text in section.tokens:
        if kind == "noon":
            letters.append("h")
        elif kind == "day":
            letters.extend(run[1] for run in _RUN.finditer(text.lower()))
    times = [
        letter in "hs"
        or (
            letter == "m"
            and (letters[position - 1 : position] == ["h"] or letters[position + 1 : position + 2] == ["s"])
        )
        for position, letter in enumerate(letters)
    ]
    return not all(times), any(times)


def _clock(seconds: int) -> str:
    hours, seconds = divmod(seconds, 3600)
    text = f"{hours:02}:{seconds // 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def _day(serial: int) -> str:
    """The day of a serial number. Excel counts a 29 February 1900, and shows 0 as the day before 1 January."""
    if serial > _LAST_SERIAL:
        return _TOO_NARROW
    if serial == _LEAP_DAY_THAT_WAS_NONE:
        return "1900-02-29"
    if serial == 0:
        return "1900-01-00"
    return (date(1899, 12, 31) + timedelta(serial - (serial > _LEAP_DAY_THAT_WAS_NONE))).isoformat()


def _digits(section: _Section, number: Decimal) -> str:
    """The text of a number that is not negative, by a section with or without places for digits."""
    tokens = section.tokens
    if section.has("general"):
        shown = _general(float(number))
        return "".join(shown if kind == "general" else text for kind, text in tokens if kind in _LITERALS | {"general"})
    if not section.has("digit"):
        return "".join(text for kind, text in tokens if kind in _LITERALS or kind == "percent")
    kinds = [kind for kind, _text in tokens]
    end = kinds.index("exponent") if "exponent" in kinds else len(kinds)
    point = kinds.index("point", 0, end) if "point" in kinds[:end] else end
    wholes, fractions = tokens[:point], tokens[point + 1 : end]
    number = number.scaleb(2 * kinds.count("percent") - 3 * (_scaling_commas(wholes) + _scaling_commas(fractions)))
    exponent = 0
    if end < len(kinds):
        number, exponent = _mantissa(number, _places(wholes), _places(fractions))
    whole, _, fraction = f"{_rounded(number, _places(fractions)):f}".partition(".")
    return "".join(
        [
            _whole(wholes, whole.lstrip("0")),
            "." if point < end else "",
            _fraction(fractions, fraction),
            _exponent(tokens[end:], exponent),
        ]
    )


def _places(tokens: Sequence[tuple[str, str]]) -> int:
    return sum(kind == "digit" for kind, _text in tokens)


def _scaling_commas(tokens: Sequence[tuple[str, str]]) -> int:
    """The commas behind the last digit, each of which divides by a thousand."""
    kinds = [kind for kind, _text in tokens]
    last = max((position for position, kind in enumerate(kinds) if kind == "digit"), default=len(kinds))
    return kinds[last:].count("comma")


def _mantissa(number: Decimal, places: int, decimals: int) -> tuple[Decimal, int]:
    """The number as a mantissa and an exponent of 10, which is a multiple of the places before the point."""
    if not number:
        return number, 0
    places = max(places, 1)
    exponent = number.adjusted() // places * places
    if _rounded(number.scaleb(-exponent), decimals) >= 10**places:
        exponent += places
    return number.scaleb(-exponent), exponent


def _whole(tokens: Sequence[tuple[str, str]], digits: str) -> str:
    """The digits before the point, with the texts between them as in "000-0000": the first place takes all that are left."""
    places = [position for position, (kind, _text) in enumerate(tokens) if kind == "digit"]
    if not places:
        return "".join(text for kind, text in tokens if kind in _LITERALS or kind == "percent") + digits
    zeros = next((len(places) - index for index, place in enumerate(places) if tokens[place][1] == "0"), 0)
    digits = digits.rjust(zeros, "0")
    if any(kind == "comma" for kind, _text in tokens[places[0] : places[-1]]):
        head = len(digits) % 3
        groups = [digits[:head], *(digits[start : start + 3] for start in range(head, len(digits), 3))]
        digits = ",".join(group for group in groups if group)
        places = places[:1]
    shown: list[str] = []
    for position in range(len(tokens) - 1, -1, -1):
        kind, text = tokens[position]
        if position == places[0]:
            shown.append(digits)
        elif position in places:
            shown.append(digits[-1:])
            digits = digits[:-1]
        elif kind in _LITERALS or kind == "percent":
            shown.append(text)
    return "".join(reversed(shown))


def _fraction(tokens: Sequence[tuple[str, str]], digits: str) -> str:
    """The digits behind the point; zeros at the end stand only where the format has a 0."""
    places = [text for kind, text in tokens if kind == "digit"]
    least = len("".join(places).rstrip("#?"))
    digits = digits[:least] + digits[least:].rstrip("0")
    shown: list[str] = []
    for kind, text in tokens:
        if kind == "digit":
            shown.append(digits[:1])
            digits = digits[1:]
        elif kind in _LITERALS or kind == "percent":
            shown.append(text)
    return "".join(shown)


def _exponent(tokens: Sequence[tuple[str, str]], exponent: int) -> str:
    """The exponent with the least number of digits that its format has, and the texts behind it."""
    if not tokens:
        return ""
    sign = "-" if exponent < 0 else tokens[0][1][1:].replace("-", "")
    behind = "".join(text for kind, text in tokens if kind in _LITERALS or kind == "percent")
    return f"E{sign}{str(abs(exponent)).rjust(_places(tokens), '0')}{behind}"


def moment_of(text: str) -> str:
    """The day, the time or both of a cell that holds them as ISO 8601 writes them, without a time of midnight."""
    day, _, time = text.partition("T")
    return clean(f"{day} {time.removesuffix('Z').removesuffix('.000').removesuffix(':00')}").removesuffix(" 00:00")
