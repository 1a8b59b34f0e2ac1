"""Times of past trainings: the period of a session, also over midnight, and when a person came and left.

A session whose end is not after its start ends on the next day: 22:00 to 01:00. It may have at most 12 hours then, because
an afternoon written on the clock of 12 hours (14:00 to 5:00) would have more. 24:00 is the end of the day.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from courses.imports.cells import parse_moment, refusal
from lms.core.cell_values import Moment
from lms.core.errors import N_

DEFAULT_START = time(9)
SHORTEST, LONGEST = 30, 720  # minutes of a session whose end is computed from the hours of the course
LONGEST_OVERNIGHT = timedelta(hours=12)
END_OF_DAY = "24:00"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SessionPeriod:
    """The period of each session of an offering.

    `turn` is set for a session over midnight: times of day up to it are on the next day. It lies in the middle between
    the end and the next start. For example, of a session from 22:00 to 01:00 everything until 11:30 is on the next day.
    """

    starts: time
    ends: time

    @property
    def overnight(self) -> bool:
        """Tell whether the session ends on the next day, at midnight at the earliest."""
        return self.ends <= self.starts

    @property
    def turn(self) -> time | None:
        """See the class."""
        if not self.overnight:
            return None
        return _time(since_midnight(self.ends) + (since_midnight(self.starts) - since_midnight(self.ends)) / 2)

    def end(self) -> timedelta:
        """Return the end, counted from midnight before the start."""
        return since_midnight(self.ends) + (_DAY if self.overnight else timedelta(0))


def read_period(starts_text: str, ends_text: str, days: list[date], hours: float) -> SessionPeriod:
    """Read the start and the end of the sessions. hours: of the course, for an end that the row does not give.

    Raises DomainError for a session that is too long or has no end after its start.
    """
    first, last = parse_moment(starts_text), parse_moment(ends_text)
    starts = DEFAULT_START if first is None else first.time
    if first is not None and (first.ends_day or not _names(first, days, after=0)):
        raise _other_day(starts_text)
    if last is None:
        minutes = min(LONGEST, max(SHORTEST, int(hours * 60) // len(days)))
        begins = datetime.combine(days[0], starts)
        latest = datetime.combine(days[0], time(23, 59))
        last = Moment(None, min(begins + timedelta(minutes=minutes), latest).time())
    period = SessionPeriod(starts, last.time)
    if not _names(last, days, after=1 if period.overnight and not last.ends_day else 0):
        raise _other_day(ends_text)
    if period.end() <= since_midnight(starts) or (
        period.overnight and period.end() - since_midnight(starts) > LONGEST_OVERNIGHT
    ):
        raise refusal("period", N_("A session must end after it starts, and one over midnight within 12 hours."))
    return period


def ends_before(period: SessionPeriod, day: date, today: date) -> bool:
    """Tell whether a session of a day is over before today begins."""
    return datetime.combine(day, time(0)) + period.end() <= datetime.combine(today, time(0))


def read_stay(
    arrived_text: str, departed_text: str, period: SessionPeriod, attended: list[date]
) -> tuple[str | None, str | None]:
    """Read when a person came and left, as times of day for `import_attendance`, None for an empty cell.

    attended: the days of the sessions at which the person was. A cell with a day must be about the only one of them.
    """
    arrived, departed = parse_moment(arrived_text), parse_moment(departed_text)
    starts, came, left = since_midnight(period.starts), None, None
    if arrived is not None:
        came = _place(arrived, arrived_text, period, attended)
        if came >= period.end():
            raise refusal("arrived", N_("The check-in would be after the end of the session."))
    if departed is not None:
        left = _place(departed, departed_text, period, attended)
        if left < max(starts if came is None else came, starts):
            raise refusal("departed", N_("The check-out would be before the check-in."))
    return _stored(arrived, period), _stored(departed, period)


def since_midnight(at: time) -> timedelta:
    """Return a time of day as the time since midnight."""
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _place(moment: Moment, text: str, period: SessionPeriod, attended: list[date]) -> timedelta:
    """Return when a moment is, counted from midnight before the start of the session."""
    turn = period.turn
    later = moment.ends_day or (turn is not None and moment.time <= turn)
    if moment.day is not None and not (
        len(attended) == 1 and moment.day == attended[0] + (_DAY if later else timedelta(0))
    ):
        raise _other_day(text)
    return since_midnight(moment.time) + (_DAY if later else timedelta(0))


def _stored(moment: Moment | None, period: SessionPeriod) -> str | None:
    """Return a moment for COPY. The database places times after midnight by the turn of the session, see past.sql."""
    if moment is None:
        return None
    return END_OF_DAY if moment.ends_day and not period.overnight else str(moment.time)


def _names(moment: Moment, days: list[date], *, after: int) -> bool:
    """Tell whether a moment is on the only day of an offering, or `after` days later; one without a day always is."""
    return moment.day is None or (len(days) == 1 and moment.day == days[0] + after * _DAY)


def _other_day(text: str) -> Exception:
    return refusal(
        "other_day",
        N_("“%(text)s” does not fit the day of the session. Write the time alone, such as 09:00."),
        text=text,
    )


def _time(since: timedelta) -> time:
    return time(*divmod(since.seconds // 60, 60), since.seconds % 60)
