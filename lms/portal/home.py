"""The first page: verification and open training for visitors, the overview of staff, and the start page of each role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from certificates.verification import alarms
from instructors.register import Validity
from lms.core import clock
from lms.core.access import guard_of, holds, public, scope_of
from lms.core.request_db import db
from lms.core.scope import READERS, Role, Scope
from lms.portal import overview
from lms.portal.labels import SENTENCES, TITLES
from lms.portal.needs import Need
from lms.portal.pictures import described, drawn, figures_scope

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class NeedList:
    """The page that lists exactly what a need counts: its endpoint and the arguments of its address."""

    endpoint: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


LISTS: Mapping[Need, NeedList] = {
    Need.ALARMS: NeedList("audit.index", {"action": alarms.ACTION}),
    Need.UNCLOSED: NeedList("unclosed.page"),
    Need.CLOSINGS: NeedList("unclosed.page", {"requested": 1}),
    Need.REVIEWS: NeedList("reviews.index"),
    Need.UNPRINTABLE: NeedList("unprintable.page", {"due": 1}),
    Need.TO_CALL: NeedList("to_call.page"),
    Need.TRAINING_REQUESTS: NeedList("training_requests.index"),
    Need.PROPOSALS: NeedList("proposals.index", {"waiting": 1}),
    Need.ERASURES: NeedList("processing.requests"),
    Need.TARGETS: NeedList("targets.behind"),
    Need.QUALIFICATIONS: NeedList("instructors.index", {"validity": Validity.EXPIRING}),
    Need.IMPORTS: NeedList("imports.index", {"left": 1}),
    Need.EXPORTS: NeedList("exports.index", {"failed": 1}),
}


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """A visitor's landing page, the overview of staff and auditors, or the start page of the user's role."""
    if not current_user.is_authenticated:
        return render_template("home/visitor.html")
    if holds(*READERS, Role.COORDINATOR):
        return _overview(figures_scope())
    if holds(Role.INSTRUCTOR):
        return redirect(url_for("today.page"))
    return redirect(url_for("my_training.page"))


def _overview(reach: Scope) -> str:
    zone = current_app.config["SETTINGS"].zone
    figures = overview.read(db(), reach, _list_scopes(), _scope_as(_roles_of("offerings.index")), zone)
    return render_template(
        "home/overview.html",
        overview=figures,
        year=figures.year,
        titles=TITLES,
        sentences=SENTENCES,
        address_of=_address_of,
        may_open=_may_open,
        described=described,
        drawn=drawn,
        Need=Need,
    )


def _list_scopes() -> dict[Need, Scope]:
    """By need, the user's scope on the page of its list. A list that the user may not open, or decides nothing in, is no need.

    The guard of the page says which of the user's roles it accepts, so that the number and the list have the same reach.
    """
    scopes = {need: _scope_as(_roles_of(place.endpoint)) for need, place in LISTS.items()}
    return {need: scope for need, scope in scopes.items() if _may_open(LISTS[need].endpoint)}


def _roles_of(endpoint: str) -> tuple[Role, ...]:
    guard = guard_of(current_app, endpoint)
    return tuple(guard.roles or ()) if guard is not None else ()


def _may_open(endpoint: str) -> bool:
    return holds(*_roles_of(endpoint))


def _scope_as(roles: tuple[Role, ...]) -> Scope:
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in roles])


def _address_of(need: Need) -> str:
    arguments: dict[str, Any] = dict(LISTS[need].arguments)
    if need is Need.TARGETS:
        arguments["year"] = clock.branch_today().year
    if need is Need.ALARMS:
        arguments["since"] = overview.alarms_since(current_app.config["SETTINGS"].zone)
    return url_for(LISTS[need].endpoint, **arguments)
