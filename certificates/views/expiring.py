"""Page of certificates by expiry date, for the people who look after their holders."""

import io
from collections.abc import Iterable, Iterator
from datetime import date

from flask import Blueprint, current_app, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from certificates import expiring, listings, reminders
from certificates.expiring import ExpiringCertificate, ExpiringFilters, ExpiryGroup
from certificates.forms import ExpiringForm
from lms.core import clock, edge
from lms.core.access import requires, scope
from lms.core.errors import N_
from lms.core.exports import MEDIA_TYPES, Cell, Format, Sheet, write
from lms.core.forms import choices
from lms.core.languages import language, moment, named, organisation_name
from lms.core.request_db import db
from lms.core.scope import STAFF, Role
from lms.core.sealed_search import redirect_to_search, search_arguments

blueprint = Blueprint("expiring", __name__)

VIEWERS = (*STAFF, Role.AUDITOR)
MAX_REFRESHERS = 10  # on the page
GROUP_LABELS = {
    ExpiryGroup.EXPIRED: N_("Expired"),
    ExpiryGroup.WITHIN_30: N_("Within 30 days"),
    ExpiryGroup.WITHIN_90: N_("In 31 to 90 days"),
    ExpiryGroup.LATER: N_("In more than 90 days"),
}


@blueprint.route("/", methods=["GET", "POST"])
@requires(*VIEWERS, reading=True)
def page() -> ResponseReturnValue:
    """Show the list, one group at a time."""
    if request.method == "POST":
        return redirect_to_search(ExpiringForm)
    form, filters, group = _filters_from_request()
    counts = expiring.counts(db(), scope(), filters, today=_today())
    listing = expiring.listing(
        db(),
        scope(),
        filters,
        group,
        today=_today(),
        total=counts[group],
        page=request.args.get("page", 1, type=edge.page_number),
        distances=current_app.config["SETTINGS"].reminder_days,
    )
    refreshers = reminders.refreshers(
        db(), {row.certificate_type for row in listing.rows if row.certificate_type is not None}
    )
    return render_template(
        "certificates/expiring.html",
        form=form,
        filter_arguments=search_arguments(filters.address(), {"holder"}),
        selected_group=group,
        counts=counts,
        group_labels=GROUP_LABELS,
        listing=listing,
        refreshers=sorted(
            (refresher for of_type in refreshers.values() for refresher in of_type),
            key=lambda refresher: refresher.starts_at,
        )[:MAX_REFRESHERS],
        course_of=_course,
        host_of=_host,
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*VIEWERS)
def export(form: str) -> ResponseReturnValue:
    """Export all certificates of the group that the page shows."""
    _form, filters, group = _filters_from_request()
    distances = current_app.config["SETTINGS"].reminder_days
    rows = expiring.rows(db(), scope(), filters, group, today=_today(), distances=distances)
    file = io.BytesIO()
    number = write(_sheet(rows, filters, group), Format(form), file)
    expiring.audit_export(db(), filters, group, Format(form), number)
    file.seek(0)
    name = f"certificates-{group.value}-{_today().isoformat()}.{form}"
    return send_file(file, mimetype=MEDIA_TYPES[Format(form)], as_attachment=True, download_name=name)


def _sheet(rows: Iterable[ExpiringCertificate], filters: ExpiringFilters, group: ExpiryGroup) -> Sheet:
    filter_text = " · ".join(filters.address().values())
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
            (_("Valid until"), _(GROUP_LABELS[group])),
            (_("Filters"), filter_text or _("none")),
            (_("Created"), moment(clock.now())),
        ],
    )


def _cells(rows: Iterable[ExpiringCertificate]) -> Iterator[list[Cell]]:
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


def _filters_from_request() -> tuple[ExpiringForm, ExpiringFilters, ExpiryGroup]:
    form = ExpiringForm(request.args)
    form.programme.choices = choices([("", _("All")), *((row.code, named(row)) for row in listings.programmes(db()))])
    form.programme.data = form.programme.data or ""
    filters = ExpiringFilters()
    if form.validate():
        filters = ExpiringFilters(form.holder.data, form.programme.data or None, form.host.data)
    group = request.args.get("ends", "")
    return form, filters, ExpiryGroup(group) if group in set(ExpiryGroup) else ExpiryGroup.WITHIN_30


def _course(row: ExpiringCertificate) -> str:
    return row.course_en if language() == "en" else row.course_zh


def _host(row: ExpiringCertificate) -> str:
    return (row.host_en or row.host_zh) if language() == "en" else row.host_zh


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)
