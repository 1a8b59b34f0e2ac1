"""Periods of whole months in the calendar, such as the validity of a certificate."""

import calendar
from datetime import date, timedelta


def last_day(first: date, months: int) -> date:
    """Return the last day of a period of whole months that begins on a day: the day before the same day of a later month.

    Where that month has no such day, its last day is the last one of the period, so that nobody gets less than the full
    number of months. 36 months from 29 February 2024 end on 28 February 2027; 6 months from 31 August end on 28 (29)
    February. A period of 0 months ends before it begins, on the day before `first`.
    """
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    month += 1
    length = calendar.monthrange(year, month)[1]
    if first.day > length:
        return date(year, month, length)
    return date(year, month, first.day) - timedelta(days=1)
