"""Certificates by their end, for those who look after the people who hold them."""

import io
from collections.abc import Iterable, Iterator
from datetime import date

from flask import Blueprint, current_app, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from certificates import expiring, register, reminders
from certificates.expiring import Ending, Ends, Filters
from certificates.forms import ExpiringForm
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.errors import N_
from lms.core.exports import MEDIA_TYPES, Cell, Format, Sheet, write
from lms.core.forms import choices
from lms.core.languages import language, moment, named, organisation_name
from lms.core.scope import STAFF, Role
from lms.core.sought import address, narrowed
from lms.core.web import db

blueprint = Blueprint("expiring", __name__)

SEEN_BY = (*STAFF, Role.AUDITOR)
NAMES = {
    Ends.EXPIRED: N_("Expired"),
    Ends.WITHIN_30: N_("Within 30 days"),
    Ends.WITHIN_90: N_("In 31 to 90 days"),
    Ends.LATER: N_("In more than 90 days"),
}


@blueprint.route("/", methods=["GET", "POST"])
@requires(*SEEN_BY, reading=True)
def page() -> ResponseReturnValue:
    """The list, one group at a time."""
    if request.method == "POST":
        return narrowed(ExpiringForm)
    form, filters, ends = _asked()
    numbers = expiring.counts(db(), scope(), filters, today=_today())
    listing = expiring.listing(
        db(),
        scope(),
        filters,
        ends,
        today=_today(),
        total=numbers[ends],
        page=request.args.get("page", 1, type=int),
    )
    refreshers = reminders.refreshers(db(), {row.certificate_type for row in listing.rows})
    return render_template(
        "certificates/expiring.html",
        form=form,
        asked=address(filters.address(), {"holder"}),
        ends=ends,
        counts=numbers,
        names=NAMES,
        listing=listing,
        refreshers=sorted((one for each in refreshers.values() for one in each), key=lambda one: one.starts_at)[:10],
        course_of=_course,
        host_of=_host,
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*SEEN_BY)
def export(form: str) -> ResponseReturnValue:
    """The group that the page shows, all of it, as a file."""
    _form, filters, ends = _asked()
    rows = expiring.every(db(), scope(), filters, ends, today=_today())
    file = io.BytesIO()
    number = write(_sheet(rows, filters, ends), Format(form), file)
    expiring.note_export(db(), filters, ends, Format(form), number)
    file.seek(0)
    name = f"certificates-{ends.value}-{_today().isoformat()}.{form}"
    return send_file(file, mimetype=MEDIA_TYPES[Format(form)], as_attachment=True, download_name=name)


def _sheet(rows: Iterable[Ending], filters: Filters, ends: Ends) -> Sheet:
    asked = " · ".join(filters.address().values())
    return Sheet(
        title=_("Certificates by expiry"),
        headings=[
            _("Holder"),
            _("Phone"),
            _("Certificate number"),
            _("Course"),
            _("Host"),
            _("Last valid day"),
            _("Days left"),
            _("Reminded"),
            _("Newer certificate"),
        ],
        rows=_cells(rows),
        preamble=[
            (_("Organisation"), organisation_name()),
            (_("Valid until"), _(NAMES[ends])),
            (_("Filters"), asked or _("none")),
            (_("Made"), moment(clock.now())),
        ],
    )


def _cells(rows: Iterable[Ending]) -> Iterator[list[Cell]]:
    for row in rows:
        yield [
            row.holder,
            row.phone,
            row.number,
            _course(row),
            _host(row),
            row.valid_until,
            row.days_left,
            " · ".join(
                ngettext("%(num)s day before: %(moment)s", "%(num)s days before: %(moment)s", days, moment=moment(at))
                for days, at in row.reminders
            ),
            _("yes") if row.newer else "",
        ]


def _asked() -> tuple[ExpiringForm, Filters, Ends]:
    form = ExpiringForm(request.args)
    form.programme.choices = choices([("", _("All")), *((row.code, named(row)) for row in register.programmes(db()))])
    form.programme.data = form.programme.data or ""
    filters = Filters()
    if form.validate():
        filters = Filters(form.holder.data, form.programme.data or None, form.host.data)
    wanted = request.args.get("ends", "")
    return form, filters, Ends(wanted) if wanted in set(Ends) else Ends.WITHIN_30


def _course(row: Ending) -> str:
    return row.course_en if language() == "en" else row.course_zh


def _host(row: Ending) -> str:
    return (row.host_en or row.host_zh) if language() == "en" else row.host_zh


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)
