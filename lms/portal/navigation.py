"""Entries of the navigation bar, by role."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select

from certificates import unprintable
from courses.attendance import review_queue
from lms.core import counts
from lms.core.access import holds, scope_of
from lms.core.errors import N_
from lms.core.messages import calling
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, STAFF, STAFF_READERS, Role, Scope

REVIEWS = N_("To review")
TO_CALL = N_("To call")
CERTIFICATES = N_("Certificates")

# By label the SELECT that counts what waits there.
COUNTS: dict[str, Callable[[Scope], Select[int]]] = {
    REVIEWS: review_queue.counting_cases,
    TO_CALL: calling.counting_due,
    CERTIFICATES: unprintable.counting,
}
NavigationItem = tuple[str, str, tuple[Role, ...]]

# Label, endpoint, and who sees it. The first part of the address marks where one is.
ITEMS: tuple[NavigationItem, ...] = (
    (N_("Overview"), "home.page", (*READERS, Role.COORDINATOR)),
    (N_("Today"), "today.page", (Role.INSTRUCTOR,)),
    (N_("My training"), "my_training.page", (Role.TRAINEE,)),
    (N_("Offerings"), "offerings.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (REVIEWS, "reviews.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (TO_CALL, "to_call.page", STAFF),
    (N_("Trainees"), "trainees.index", (*STAFF, Role.AUDITOR)),
    (CERTIFICATES, "certificates.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (N_("Organisation"), "organisation.own", (Role.COORDINATOR,)),
    (N_("Reports"), "reports.enrolment", STAFF_READERS),
    (N_("Instructors"), "instructors.index", READERS),
    (N_("Organisations"), "organisations.index", READERS),
    (N_("Courses"), "catalogue.index", READERS),
    (N_("Imports"), "imports.index", ADMINISTRATORS),
    (N_("Users"), "users.index", ADMINISTRATORS),
    (N_("Audit"), "audit.index", (Role.CITY_ADMINISTRATOR, Role.AUDITOR)),
    (N_("Personal data"), "processing.page", (Role.CITY_ADMINISTRATOR, Role.AUDITOR)),
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
    items = [item for item in ITEMS if holds(*item[2])]
    waiting = _waiting(items)
    for label, endpoint, _roles in items:
        address = url_for(endpoint)
        yield Item(_(label), address, _area(address) == here, waiting.get(label, 0))


def _area(path: str) -> str:
    return path.split("/")[1]


def _waiting(items: Sequence[NavigationItem]) -> dict[str, int]:
    """By label the work that an entry leads to: check-ins in the review queue, people to call, or names that cannot be
    printed. One statement.

    It is counted for all of the user's roles that see the entry, so that each page shows the same number.
    """
    counted = [(label, roles) for label, _endpoint, roles in items if label in COUNTS]
    numbers = counts.read(db(), [COUNTS[label](_reach(roles)) for label, roles in counted])
    return {label: number for (label, _roles), number in zip(counted, numbers, strict=True)}


def _reach(roles: tuple[Role, ...]) -> Scope:
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in roles]).reach
