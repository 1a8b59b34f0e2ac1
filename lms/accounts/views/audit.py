"""The audit trail's page, for the city's administrators and for auditors."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import audit_trail, places
from lms.accounts.audit_trail import TrailChange, TrailEntry, TrailFilter
from lms.accounts.current import confirmed
from lms.accounts.forms import ROLES, AuditFilterForm
from lms.core import audit_labels, clock, file_answers, list_addresses
from lms.core.access import guard_of, holds, requires
from lms.core.audit_labels import AuditLabels
from lms.core.exports import Cell, Format, Reference, Sheet
from lms.core.forms import choices
from lms.core.languages import moment, named, whole
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
    form, filters = _filters_from_request(labels)
    zone = current_app.config["SETTINGS"].zone
    order = list_addresses.order_of(audit_trail.ORDERS)
    limit = current_app.config["SETTINGS"].export_limit_rows
    return render_template(
        "audit/index.html",
        entries=audit_trail.listing(db(), filters, zone, list_addresses.place(), order),
        order=order,
        form=form,
        file_arguments={name: value for name, value in request.args.items() if name not in list_addresses.OF_A_PAGE},
        limit=limit,
        fits=not audit_trail.count(db(), filters, zone, limit).over,
        action_name=partial(_label, labels.actions),
        noun_name=partial(_label, labels.nouns),
        field_name=partial(_label, labels.fields),
        key_name=partial(_key_name, labels),
        value_text=_value_text(labels),
        address=partial(_address, labels),
        whole=whole,
    )


@blueprint.get("/export.<any(csv, xlsx):form>")
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR)
@confirmed
def export(form: str) -> ResponseReturnValue:
    """Send the entries that match the filters of the page as a file; values are masked as the page shows them."""
    settings = current_app.config["SETTINGS"]
    labels = audit_labels.registered()
    filter_form, filters = _filters_from_request(labels)
    if audit_trail.count(db(), filters, settings.zone, settings.export_limit_rows).over:
        limit = whole(settings.export_limit_rows)
        flash(_("For a file, choose fewer days: it holds up to %(limit)s entries.", limit=limit), "warning")
        arguments: dict[str, Any] = request.args.to_dict()
        return redirect(url_for("audit.index", **arguments))
    sheet = Sheet(
        title=_("Audit"),
        headings=[
            _("No."), _("Time"), _("User"), _("Action"), _("Subject"), _("Number"), _("Changes"), _("Reason"),
        ],
        rows=_cells(audit_trail.stream(db(), filters, settings.zone), labels, settings.zone),
        preamble=_preamble(filter_form, labels, settings.zone),
        widths=(10, 20, 14, 24, 14, 14, 60, 30),
    )  # fmt: skip
    answer, rows = file_answers.of_sheet(sheet, Format(form), f"audit-{clock.today(settings.zone):%Y%m%d}")
    audit_trail.record_export(db(), filters, form, rows)
    return answer


def _filters_from_request(labels: AuditLabels) -> tuple[AuditFilterForm, TrailFilter]:
    form = AuditFilterForm(request.args)
    actions = sorted((code, _(label)) for code, label in labels.actions.items())
    form.action.choices = choices([("", _("All actions")), *actions])
    form.validate()
    return form, TrailFilter(
        action=form.action.data or None,
        subject=form.subject.data,
        user=form.user.data,
        since=form.since.data,
        until=form.until.data,
    )


def _cells(entries: Iterable[TrailEntry], labels: AuditLabels, zone: ZoneInfo) -> Iterator[list[Cell]]:
    value_text = _value_text(labels)
    for entry in entries:
        yield [
            Reference(entry.id),
            f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            entry.user or _("The system"),
            _label(labels.actions, entry.action),
            _label(labels.nouns, entry.noun),
            _key_name(labels, entry),
            "\n".join(_change(labels, change, value_text) for change in entry.changes),
            entry.reason,
        ]


def _change(labels: AuditLabels, change: TrailChange, value_text: "_ValueText") -> str:
    """A changed field in one line: "Name 张三 → 李四"; without what was before where nothing was."""
    before = "" if change.before is None else f"{value_text(change.field, change.before)} → "
    return f"{_label(labels.fields, change.field)} {before}{value_text(change.field, change.after)}"


def _preamble(form: AuditFilterForm, labels: AuditLabels, zone: ZoneInfo) -> list[tuple[str, str]]:
    chosen = [
        (_("Action"), _label(labels.actions, form.action.data) if form.action.data else ""),
        (_("Subject"), form.subject.data or ""),
        (_("User"), form.user.data or ""),
        (_("From"), f"{form.since.data or ''}"),
        (_("Until"), f"{form.until.data or ''}"),
    ]
    return [
        *((label, text) for label, text in chosen if text),
        (_("Created"), f"{clock.now().astimezone(zone):%Y-%m-%d %H:%M}"),
        (_("Created by"), current_user.name),
    ]


def _value_text(labels: AuditLabels) -> "_ValueText":
    return _ValueText(labels, {place.id: named(place) for place in places.districts(db(), EVERYTHING)})


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
        if MOMENT.match(text):
            # What somebody typed may look like a moment and be none: of the year 9999, or on the 31st of February.
            with suppress(ValueError, OverflowError):
                return moment(datetime.fromisoformat(text))
        return _label(self._labels.values, text)

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
