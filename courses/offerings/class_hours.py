"""The planned time of an offering, compared with the class hours of its course, which the certificate prints.

A class hour is an hour of planned time. An offering that plans less than its course has, and gives certificates, needs a
decision when it is published and again when it closes: either there is a reason why the certificates print the hours of the
course all the same, or they print the hours that were given.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from courses.models.offerings import Offering
from lms.core import reasons
from lms.core.errors import N_, DomainError

MINUTE = timedelta(minutes=1)
MINUTES_IN_HOUR = 60
TENTH = Decimal("0.1")
REASON_LIMIT = 200  # characters


@dataclass(frozen=True)
class HoursDecision:
    """The decision about fewer hours than the course has.

    reason: why the certificates print the hours of the course; None: they print the hours that were given.
    """

    reason: str | None = None


def planned_minutes(starts_at: datetime, ends_at: datetime) -> int:
    """The planned length of a session in whole minutes."""
    return (ends_at - starts_at) // MINUTE


def planned_total(offering: Offering) -> int:
    """The planned minutes of all sessions of an offering. A session that was cancelled is removed and counts nothing."""
    return sum(planned_minutes(meeting.starts_at, meeting.ends_at) for meeting in offering.sessions)


def is_below_course(offering: Offering) -> bool:
    """Tell whether an offering with sessions plans less time than its course has class hours."""
    return bool(offering.sessions) and planned_total(offering) < offering.course.hours * MINUTES_IN_HOUR


def needs_decision(offering: Offering) -> bool:
    """Tell whether the certificates of an offering would print more hours than it plans."""
    return is_below_course(offering) and offering.course.certificate_type is not None


def given_hours(minutes: int) -> Decimal:
    """The hours that a certificate prints for planned minutes: rounded down to a tenth, and at least a tenth.

    Example: 80 minutes are 1.3 hours.
    """
    return max(TENTH, (Decimal(minutes) / MINUTES_IN_HOUR).quantize(TENTH, ROUND_DOWN))


def require(offering: Offering, decision: HoursDecision | None) -> None:
    """Raise DomainError as `decide` does, and write nothing."""
    if needs_decision(offering):
        _decided(offering, decision)


def decide(offering: Offering, decision: HoursDecision | None) -> dict[str, Any]:
    """Write the decision to the offering, where one is needed, and return it as facts for the audit trail.

    Raises DomainError `fewer_hours` where a decision is needed and there is none, and `hours_reason` for a blank reason.
    """
    hours, reason = _decided(offering, decision) if needs_decision(offering) else (None, None)
    offering.certificate_hours, offering.hours_reason = hours, reason
    if hours is not None:
        return {"certificate_hours": float(hours)}
    return {"hours_reason": reason} if reason is not None else {}


def _decided(offering: Offering, decision: HoursDecision | None) -> tuple[Decimal | None, str | None]:
    """The hours that the certificates print, or the reason why they print those of the course."""
    if decision is None:
        raise DomainError(
            "fewer_hours",
            N_(
                "The sessions are shorter than the course, whose class hours the certificate states. Choose which hours"
                " the certificates state."
            ),
            field="hours_choice",
        )
    if decision.reason is None:
        return given_hours(planned_total(offering)), None
    try:
        return None, reasons.required(decision.reason)[:REASON_LIMIT]
    except DomainError as error:
        raise DomainError(
            "hours_reason",
            N_("Enter the reason why the certificates state the class hours of the course."),
            field="hours_reason",
        ) from error
