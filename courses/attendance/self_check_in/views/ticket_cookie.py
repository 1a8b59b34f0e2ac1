"""The tickets that a browser has shown, so that it need not be asked who it is when it scans the code at the door.

Each is a secret that its holder's browser had in an address anyway. A cookie for each, sent to the check-in page alone, and
forgotten a day after the training.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Response, current_app, request

from courses.models.enrolment import Enrolment

PREFIX = "ticket_"
PATH = "/check-in"
MOST = 12
KEPT_AFTER = timedelta(days=1)
_TICKET = re.compile(r"[A-Za-z0-9_-]{22}")


def remember(answer: Response, enrolment: Enrolment, *, now: datetime) -> None:
    """Let the browser keep a ticket that it shows until the training is over."""
    ends = max((meeting.ends_at for meeting in enrolment.offering.sessions), default=now) + KEPT_AFTER
    if ends > now:
        answer.set_cookie(
            f"{PREFIX}{enrolment.id}",
            enrolment.ticket,
            max_age=ends - now,
            path=PATH,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SETTINGS"].secure,
        )


def remembered() -> Sequence[str]:
    """The tickets that this browser has."""
    found = [value for name, value in request.cookies.items() if name.startswith(PREFIX)]
    return [ticket for ticket in found if _TICKET.fullmatch(ticket)][:MOST]
