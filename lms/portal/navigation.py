"""Entries of the navigation bar, by role."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from courses.attendance import review_queue
from lms.core.access import holds, scope_of
from lms.core.errors import N_
from lms.core.messages import calling
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, STAFF, Role

REVIEWS = N_("To review")
TO_CALL = N_("To call")

# Label, endpoint, and who sees it. The first part of the address marks where one is.
ITEMS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    (N_("Overview"), "home.page", READERS),
    (N_("Today"), "today.page", (Role.INSTRUCTOR,)),
    (N_("My training"), "my_training.page", (Role.TRAINEE,)),
    (N_("Offerings"), "offerings.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (REVIEWS, "reviews.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (TO_CALL, "to_call.page", STAFF),
    (N_("Trainees"), "trainees.index", (*STAFF, Role.AUDITOR)),
    (N_("Certificates"), "certificates.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (N_("Reports"), "reports.enrolment", READERS),
    (N_("Instructors"), "instructors.index", READERS),
    (N_("Organisations"), "organisations.index", READERS),
    (N_("Courses"), "catalogue.index", READERS),
    (N_("Imports"), "imports.index", ADMINISTRATORS),
    (N_("Users"), "users.index", ADMINISTRATORS),
    (N_("Audit"), "audit.index", (Role.CITY_ADMINISTRATOR, Role.AUDITOR)),
)


@dataclass(frozen=True)
class Item:
    """An entry of the navigation bar."""

    label: str
    address: str
    current: bool
    waiting: int = 0


def navigation() -> Iterator[Item]:
    """The entries for the user of this request. An entry is current when the request's address begins as the entry's does."""
    here = _area(request.path)
    for label, endpoint, roles in ITEMS:
        if holds(*roles):
            waiting = _waiting(label, roles)
            address = url_for(endpoint)
            yield Item(_(label), address, _area(address) == here, waiting)


def _area(path: str) -> str:
    return path.split("/")[1]


def _waiting(label: str, roles: tuple[Role, ...]) -> int:
    """The work that an entry leads to: check-ins in the review queue, or people to call; 0 for other entries.

    It is counted for all of the user's roles that see the entry, so that each page shows the same number.
    """
    counts = {REVIEWS: review_queue.count_cases, TO_CALL: calling.count_due}
    if label not in counts:
        return 0
    grants = [grant for grant in current_user.grants if grant.role in roles]
    return counts[label](db(), scope_of(current_user.id, grants))
