"""The audit trail, for the city's administrator and for auditors."""

import re
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import audit_trail, places
from lms.accounts.audit_trail import Entry, Filter
from lms.accounts.audit_words import ACTIONS, FIELDS, NOUNS, PAGES, REPORTS, VALUES
from lms.accounts.forms import ROLES, AuditFilterForm
from lms.core.access import guard_of, holds, requires
from lms.core.forms import choices
from lms.core.languages import moment, named
from lms.core.scope import EVERYTHING, Role
from lms.core.sought import narrowed
from lms.core.web import db

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
blueprint = Blueprint("audit", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR, reading=True)
def index() -> ResponseReturnValue:
    """What was done, the latest first."""
    if request.method == "POST":
        return narrowed(AuditFilterForm)
    form = AuditFilterForm(request.args)
    form.action.choices = choices([("", _("All actions")), *sorted((code, _(name)) for code, name in ACTIONS.items())])
    form.validate()
    wanted = Filter(
        action=form.action.data or None,
        subject=form.subject.data,
        user=form.user.data,
        since=form.since.data,
        until=form.until.data,
    )
    zone = current_app.config["SETTINGS"].zone
    found = audit_trail.listing(db(), wanted, zone, request.args.get("page", 1, type=int))
    return render_template(
        "audit/index.html",
        found=found,
        form=form,
        action_name=partial(_word, ACTIONS),
        noun_name=partial(_word, NOUNS),
        field_name=partial(_word, FIELDS),
        key_name=_key,
        shown=_Shown({place.id: named(place) for place in places.districts(db(), EVERYTHING)}),
        address=_address,
    )


class _Shown:
    """Recorded values as text: lists on one line, yes and no, a dash for nothing, districts and roles by name."""

    def __init__(self, districts: dict[int, str]) -> None:
        self.districts = districts

    def __call__(self, field: str, value: Any) -> str:
        if value is None or value in ("", [], {}):
            return "—"
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list):
            return "；".join(self(field, item) for item in value)
        if isinstance(value, dict):
            return "，".join(f"{_word(FIELDS, key)} {self(key, item)}" for key, item in value.items())
        return self._text(field, str(value))

    def _text(self, field: str, text: str) -> str:
        if field in {"district", "district_id"} and text.isdecimal():
            return self.districts.get(int(text), text)
        if field == "roles":
            return self._role(text)
        return moment(datetime.fromisoformat(text)) if MOMENT.match(text) else _word(VALUES, text)

    def _role(self, text: str) -> str:
        """ "coordinator organisation:17", as `roles.described` writes it."""
        role, _space, place = text.partition(" ")
        noun, _colon, key = place.partition(":")
        where = self._text("district", key) if noun == "district" else f"{_word(NOUNS, noun)} {key}"
        name = str(ROLES[Role(role)]) if role in set(Role) else role
        return f"{name} · {where}" if place else name


def _word(words: dict[str, str], code: str) -> str:
    """A code in words; one that has none stands for itself."""
    return _(words[code]) if code in words else code


def _key(entry: Entry) -> str:
    """Which one an entry is about: its number, but a report by its name."""
    return _word(REPORTS, entry.key) if entry.noun == "report" else entry.key


def _address(entry: Entry) -> str | None:
    """The page of what an entry is about, if it has one that this reader may open."""
    endpoint, argument = PAGES.get(entry.noun, (None, ""))
    if endpoint is None or endpoint not in current_app.view_functions or not entry.key.isdecimal():
        return None
    guard = guard_of(current_app, endpoint)
    if guard is None or (guard.roles is not None and not holds(*guard.roles)):
        return None
    arguments: dict[str, Any] = {argument: int(entry.key)}
    return url_for(endpoint, **arguments)
