"""Days, times, months and years of birth in cells.

The time of a cell is certain, or the cell is refused: 18/6/2 and 2007.1 may be two days or months each. The number by
which a spreadsheet counts days is refused everywhere, because it depends on the spreadsheet which day it is (workbooks of
Excel for Mac may begin in 1904), and because nobody sees a date in it.
"""

import re
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from lms.core.cell_text import is_empty, plain_text, refusal, refuse_error, whole_number
from lms.core.errors import N_, DomainError

CACHE = 20_000
RANGE_DAYS = 7  # a longer range of days hardly means each day in it
EARLIEST_BIRTH_YEAR = 1900

_SERIAL = re.compile(r"[1-7]\d{4}(?:\.\d+)?")
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_DATE = r"(\d{4})\s*(?:([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?|(\d{2})(\d{2}))"
_CLOCK = r"(上午|下午|晚上|am|pm)?\s*(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?|[时点](?:(\d{1,2})分?|(半))?)\s*(am|pm)?"
_DAY = re.compile(_DATE + r"(?:\s*\(?(?:周|星期|礼拜)([一二三四五六日天])\)?)?(?:[T\s]\s*(\S.*))?", re.IGNORECASE)
_TIME = re.compile(_CLOCK, re.IGNORECASE)
_FRACTION = re.compile(r"0\.\d+")
_MONTH = re.compile(r"(\d{4})\s*(?:([-/.])\s*(\d{1,2})|年\s*(\d{1,2})\s*月?|(\d{2}))")
_YEAR = re.compile(r"(\d{4})\s*年?(?:生|出生)?")
_LATER = re.compile(r"(?:(?:(\d{4})\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*)?(\d{1,2})\s*[日号]?")
_RANGE = re.compile(r"\s*(?:~|至|到)\s*|\s*-{1,2}\s*")
_BETWEEN_DAYS = re.compile(r"[;,、\n]+")
_MIDNIGHT = re.compile(r"(?<=\d)(?:T|\s+)0?0:00(?::00(?:\.0+)?)?(?![\d:])")
# Excel stores a time without a date as a day before 1900-01-01, which databases and programs write in front of it.
_NO_DAYS = frozenset({date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1)})
_DAY_ZERO = "1900-01-00"


class Moment(NamedTuple):
    """A time of day, with its day where the cell names one. `ends_day`: 24:00, whose `time` is midnight."""

    day: date | None
    time: time
    ends_day: bool = False


@lru_cache(maxsize=CACHE)
def parse_day(text: str, field: str | None = None) -> date | None:
    """Parse a day: 2015-03-08, 2015/3/8, 2015.3.8, 2015年3月8号, 20150308, 2015-03-08（周日） or 2015-03-08 00:00:00.

    The time of a moment, as databases write it, is dropped. Two-digit years and 3/8/2015 are refused, because nobody can
    tell which number is the month.
    """
    if is_empty(text):
        return None
    parsed = _moment_of_day(whole_number(plain_text(text)))
    if parsed is None:
        raise _no_day(text, field)
    return parsed[0]


def parse_days(text: str, field: str | None = None) -> list[date]:
    """Parse days that are separated by commas, semicolons or spaces, and ranges of up to a week: 2018-06-02~03.

    Returns them sorted, each once. A time other than midnight is refused: it would be lost.
    """
    days: set[date] = set()
    for part in _BETWEEN_DAYS.split(_MIDNIGHT.sub("", plain_text(text))):
        if not part or is_empty(part):
            continue
        read = _days_of(part)
        if read is None and " " in part:
            pieces = [_days_of(piece) for piece in part.split(" ") if piece]
            read = None if None in pieces else [day for piece in pieces for day in piece or ()]
        if read is None:
            raise _no_day(part if len(part) > 4 else text, field)
        days.update(read)
    return sorted(days)


def _days_of(text: str) -> list[date] | None:
    """Return the day or the days of a range that a text names; None where it names neither."""
    single = _moment_of_day(whole_number(text))
    if single is not None:
        return [single[0]] if single[1] is None else None
    for sign in _RANGE.finditer(text):
        first = _moment_of_day(text[: sign.start()])
        later = text[sign.end() :]
        if first is None or first[1] is not None or not later:
            continue
        if sign[0].startswith("-") and "-" in text[: sign.start()]:
            continue  # the sign of the range must differ from those within the day: 2018-6-2-3 may mean anything
        second = _moment_of_day(later)
        last = second[0] if second is not None and second[1] is None else _later_day(first[0], later)
        if last is None or not 0 < (last - first[0]).days < RANGE_DAYS:
            return None
        return [date.fromordinal(number) for number in range(first[0].toordinal(), last.toordinal() + 1)]
    return None


def _later_day(first: date, text: str) -> date | None:
    """Return the last day of a range, which may be written without its year and month: 2018-06-02~03."""
    match = _LATER.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    return _date(year or first.year, month or first.month, day or 0)


def _no_day(text: str, field: str | None) -> DomainError:
    if _SERIAL.fullmatch(text):
        return refusal(
            "day_serial",
            N_(
                "“%(text)s” is the number by which Excel counts days. Format the column as a date, and send the file again."
            ),
            field,
            text=text,
        )
    return refusal("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), field, text=text)


def _moment_of_day(text: str) -> tuple[date, Moment | None] | None:
    """Return the day of a text with its time, None where the time is midnight or missing; None for another text."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, _sign, *parts, weekday, clock = match.groups()
    month, number = (int(part) for part in parts if part)
    day = _date(int(year), month, number)
    if day is None or (weekday and _WEEKDAYS[weekday] != day.weekday()):
        return None
    if not clock:
        return day, None
    moment = _time_of(clock)
    if moment is None or moment.ends_day:
        return None
    return day, None if moment.time == time(0) else moment


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=CACHE)
def parse_moment(text: str, field: str | None = None) -> Moment | None:
    """Parse a time of day, or a moment with its day: 9:00, 09:00:30, 9时30分, 下午2:00, 2:00 PM, 24:00, 2018-06-16 09:20.

    A fraction of a day, as a cell without the format of a time shows it, is a time where it is a whole minute: 0.375 is
    09:00.
    """
    if is_empty(text):
        return None
    plain = plain_text(text)
    moment = _time_of(plain)
    if moment is None and plain.startswith(_DAY_ZERO):
        moment = _time_of(plain.removeprefix(_DAY_ZERO).strip())
    if moment is None:
        match = _DAY.fullmatch(plain)
        parsed = _moment_of_day(plain)
        if match is not None and match[10] and parsed is not None:
            at = parsed[1] or Moment(None, time(0))
            moment = at if parsed[0] in _NO_DAYS else Moment(parsed[0], at.time)
    if moment is None:
        raise refusal("hour", N_("“%(text)s” is not a time. Write it as 09:00."), field, text=text)
    return moment


def parse_time(text: str, field: str | None = None) -> time | None:
    """Parse a time of day as `parse_moment` does, without a day. 24:00 gives midnight."""
    moment = parse_moment(text, field)
    if moment is None:
        return None
    if moment.day is not None:
        raise refusal("hour", N_("“%(text)s” is not a time. Write it as 09:00."), field, text=text)
    return moment.time


def _time_of(text: str) -> Moment | None:
    if _FRACTION.fullmatch(text):
        return _fraction_of_day(Decimal(text))
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    before, hours, minutes, seconds, minutes_zh, half, after = match.groups()
    minute, second = int(minutes or minutes_zh or (30 if half else 0)), int(seconds or 0)
    if (int(hours), minute, second) == (24, 0, 0) and not (before or after):
        return Moment(None, time(0), ends_day=True)
    hour = int(hours) if not (before or after) else _hour_of_half(int(hours), before, after)
    try:
        return None if hour is None else Moment(None, time(hour, minute, second))
    except ValueError:
        return None


def _fraction_of_day(fraction: Decimal) -> Moment | None:
    minutes = fraction * 24 * 60
    whole = round(minutes)
    if abs(minutes - whole) > Decimal("0.01") or not 0 < whole < 24 * 60:
        return None
    return Moment(None, time(*divmod(whole, 60)))


def _hour_of_half(hour: int, before: str | None, after: str | None) -> int | None:
    """Return the hour of a time with 上午, 下午, 晚上, am or pm before or after it; None where they contradict."""
    half = (before or after or "").lower()
    if hour > 12 or (before and after) or (half == "晚上" and hour == 12):
        return None
    return hour % 12 + (12 if half in {"下午", "晚上", "pm"} else 0)


@lru_cache(maxsize=CACHE)
def parse_month(text: str, field: str | None = None) -> date | None:
    """Parse a month to its first day: 2012-05, 2012/5, 2012年5月, 201205, or a day of it.

    2007.1 is refused: it may be January, or October whose zero a spreadsheet has dropped.
    """
    if is_empty(text):
        return None
    plain = plain_text(text)
    day = _moment_of_day(whole_number(plain))
    if day is not None:
        return day[0].replace(day=1)
    match = _MONTH.fullmatch(plain) or _MONTH.fullmatch(whole_number(plain))
    month = None
    if match is not None:
        if match[2] == "." and match[3] == "1":
            raise refusal(
                "month_ambiguous",
                N_(
                    "“%(text)s” may be January or October, because Excel drops a zero at the end. Write it as"
                    " %(year)s-01 or %(year)s-10."
                ),
                field,
                text=text,
                year=match[1],
            )
        month = _date(int(match[1]), int(match[3] or match[4] or match[5]), 1)
    if month is None:
        if _SERIAL.fullmatch(plain):
            raise _no_day(text, field)
        raise refusal("month", N_("“%(text)s” is not a month. Write it as 2012-05."), field, text=text)
    return month


@lru_cache(maxsize=CACHE)
def parse_birth_year(text: str, today: date, field: str | None = None) -> int | None:
    """Parse a year of birth, also from a month or day of birth: 1990, 1990.0, 199005, 1990年5月, 1990-05-01.

    The number by which a spreadsheet counts days is refused: 20123 is a day of 1955, and no year 2012.
    """
    if is_empty(text):
        return None
    refuse_error(text, field)
    plain = whole_number(plain_text(text))
    match = _YEAR.fullmatch(plain)
    if match is not None:
        year = int(match[1])
    else:
        try:
            month = parse_month(text, field)
        except DomainError as error:
            if error.code in {"month_ambiguous", "day_serial"}:
                raise
            month = None
        year = month.year if month is not None else 0
    if not EARLIEST_BIRTH_YEAR <= year <= today.year:
        raise refusal("birth_year", N_("Enter the year of birth as four digits, such as 1990."), field)
    return year
