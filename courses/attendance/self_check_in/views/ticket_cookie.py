"""Cookies of the tickets that a browser has opened, by which self check-in knows the trainee without asking.

A ticket is a secret that the browser had in an address anyway. Each has its own cookie, which is sent to the check-in page
alone, since a shared computer may have many, and expires a day after the training.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Response

from courses.models.enrolment import Enrolment
from lms.core import cookies

PREFIX = "ticket_"
PATH = "/check-in"
TICKET_LIMIT = 12
KEPT_AFTER = timedelta(days=1)
_TICKET = re.compile(r"[A-Za-z0-9_-]{22}")


def remember(answer: Response, enrolment: Enrolment, *, now: datetime) -> None:
    """Set the cookie of a ticket that the browser shows, unless its training was over more than a day ago."""
    ends = max((meeting.ends_at for meeting in enrolment.offering.sessions), default=now) + KEPT_AFTER
    if ends > now:
        cookies.put(answer, f"{PREFIX}{enrolment.id}", enrolment.ticket, ends - now, path=PATH)


def remembered() -> Sequence[str]:
    """Return the tickets of the request's cookies, at most `TICKET_LIMIT`."""
    values = cookies.read_all(PREFIX, path=PATH)
    return [ticket for ticket in values if _TICKET.fullmatch(ticket)][:TICKET_LIMIT]
