"""What each role finds in the bar at the top."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _

from lms.core.access import holds
from lms.core.errors import N_
from lms.core.scope import ADMINISTRATORS, READERS, STAFF, Role

# Label, endpoint, and who sees it. The endpoint's blueprint marks where one is.
ITEMS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    (N_("Overview"), "home.page", READERS),
    (N_("Today"), "today.page", (Role.INSTRUCTOR,)),
    (N_("My training"), "my_training.page", (Role.TRAINEE,)),
    (N_("Offerings"), "offerings.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (N_("Trainees"), "trainees.index", (*STAFF, Role.AUDITOR)),
    (N_("Certificates"), "certificates.index", (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)),
    (N_("Reports"), "reports.enrolment", READERS),
    (N_("Instructors"), "instructors.index", READERS),
    (N_("Organisations"), "organisations.index", READERS),
    (N_("Courses"), "catalogue.index", READERS),
    (N_("Users"), "users.index", ADMINISTRATORS),
    (N_("Audit"), "audit.index", (Role.CITY_ADMINISTRATOR, Role.AUDITOR)),
)


@dataclass(frozen=True)
class Item:
    """One entry of the bar."""

    label: str
    address: str
    current: bool


def navigation() -> Iterator[Item]:
    """The entries for the user of this request."""
    here = request.blueprint
    for label, endpoint, roles in ITEMS:
        if holds(*roles):
            yield Item(_(label), url_for(endpoint), endpoint.partition(".")[0] == here)
