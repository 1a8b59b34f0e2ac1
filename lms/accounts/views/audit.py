"""The audit trail's page, for the city's administrators and for auditors."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import audit_trail, places
from lms.accounts.audit_trail import TrailEntry, TrailFilter
from lms.accounts.forms import ROLES, AuditFilterForm
from lms.core import audit_labels, edge
from lms.core.access import guard_of, holds, requires
from lms.core.audit_labels import AuditLabels
from lms.core.forms import choices
from lms.core.languages import moment, named
from lms.core.request_db import db
from lms.core.scope import EVERYTHING, Role
from lms.core.sealed_search import redirect_to_search

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
blueprint = Blueprint("audit", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR, reading=True)
def index() -> ResponseReturnValue:
    """List audit entries, the latest first, narrowed by action, subject, user and days."""
    if request.method == "POST":
        return redirect_to_search(AuditFilterForm)
    labels = audit_labels.registered()
    form = AuditFilterForm(request.args)
    actions = sorted((code, _(label)) for code, label in labels.actions.items())
    form.action.choices = choices([("", _("All actions")), *actions])
    form.validate()
    filters = TrailFilter(
        action=form.action.data or None,
        subject=form.subject.data,
        user=form.user.data,
        since=form.since.data,
        until=form.until.data,
    )
    zone = current_app.config["SETTINGS"].zone
    return render_template(
        "audit/index.html",
        entries=audit_trail.listing(db(), filters, zone, request.args.get("page", 1, type=edge.page_number)),
        form=form,
        action_name=partial(_label, labels.actions),
        noun_name=partial(_label, labels.nouns),
        field_name=partial(_label, labels.fields),
        key_name=partial(_key_name, labels),
        value_text=_ValueText(labels, {place.id: named(place) for place in places.districts(db(), EVERYTHING)}),
        address=partial(_address, labels),
    )


class _ValueText:
    """Recorded values as text: lists on one line, yes and no, a dash for nothing, districts and roles by name."""

    def __init__(self, labels: AuditLabels, districts: dict[int, str]) -> None:
        self._labels = labels
        self._districts = districts

    def __call__(self, field: str, value: Any) -> str:
        if value is None or value in ("", [], {}):
            return "—"
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list):
            return "；".join(self(field, item) for item in value)
        if isinstance(value, dict):
            return "，".join(f"{_label(self._labels.fields, key)} {self(key, item)}" for key, item in value.items())
        return self._text(field, str(value))

    def _text(self, field: str, text: str) -> str:
        if field in {"district", "district_id"} and text.isdecimal():
            return self._districts.get(int(text), text)
        if field == "roles":
            return self._role(text)
        return moment(datetime.fromisoformat(text)) if MOMENT.match(text) else _label(self._labels.values, text)

    def _role(self, text: str) -> str:
        """Translate "coordinator organisation:17", the form in which `roles.described` writes a grant."""
        role, _space, place = text.partition(" ")
        noun, _colon, key = place.partition(":")
        where = self._text("district", key) if noun == "district" else f"{_label(self._labels.nouns, noun)} {key}"
        name = str(ROLES[Role(role)]) if role in set(Role) else role
        return f"{name} · {where}" if place else name


def _label(labels: Mapping[str, str], code: str) -> str:
    """Translate a code; a code without a label stands for itself."""
    return _(labels[code]) if code in labels else code


def _key_name(labels: AuditLabels, entry: TrailEntry) -> str:
    """Name the subject of an entry: its number, but a report by its name."""
    return _label(labels.reports, entry.key) if entry.noun == "report" else entry.key


def _address(labels: AuditLabels, entry: TrailEntry) -> str | None:
    """The page of an entry's subject, if it has one that this reader may open."""
    endpoint, argument = labels.pages.get(entry.noun, (None, ""))
    if endpoint is None or endpoint not in current_app.view_functions or not entry.key.isdecimal():
        return None
    guard = guard_of(current_app, endpoint)
    if guard is None or (guard.roles is not None and not holds(*guard.roles)):
        return None
    arguments: dict[str, Any] = {argument: int(entry.key)}
    return url_for(endpoint, **arguments)
