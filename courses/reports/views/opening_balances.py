"""Totals from before this system: what was imported, with its source and file; withdrawn with a reason."""

import io

from flask import Blueprint, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import opening_balances
from courses.reports.forms.baselines import WithdrawForm
from courses.reports.labels import baselines
from courses.reports.views.files import exported
from courses.reports.views.question import today
from lms.core.access import holds, requires
from lms.core.scope import Role
from lms.core.web import db, refused_on

blueprint = Blueprint("opening_balances", __name__)

READERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)


@blueprint.get("/")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """Every source with its sums."""
    return render_template(
        "opening_balances/index.html",
        rows=opening_balances.listing(db()),
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Every source as a file."""
    sheet = baselines.sources(opening_balances.listing(db()))
    return exported(sheet, form, report="opening_balances", name=f"opening-balances-{today().isoformat()}", asked={})


@blueprint.get("/<int:source_id>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def source_export(source_id: int, form: str) -> ResponseReturnValue:
    """One source as the reports read it; the file as it was sent stands beside."""
    source = opening_balances.source(db(), source_id)
    sheet = baselines.balances(source, opening_balances.balances_of(db(), source_id))
    asked = {"source": str(source_id)}
    return exported(sheet, form, report="opening_balance", name=f"opening-balance-{source_id}", asked=asked)


@blueprint.get("/<int:source_id>")
@requires(*READERS)
def page(source_id: int) -> ResponseReturnValue:
    """One source, month by month."""
    return _page(source_id, WithdrawForm())


@blueprint.get("/<int:source_id>/file")
@requires(*READERS)
def file(source_id: int) -> ResponseReturnValue:
    """The file as it was sent."""
    source = opening_balances.source(db(), source_id)
    return send_file(
        io.BytesIO(source.file), mimetype=source.media_type, as_attachment=True, download_name=source.file_name
    )


@blueprint.post("/<int:source_id>/withdraw")
@requires(Role.CITY_ADMINISTRATOR)
def withdraw(source_id: int) -> ResponseReturnValue:
    """Take a source out of all figures."""
    form = WithdrawForm()
    if form.validate_on_submit():
        with refused_on(form):
            opening_balances.withdraw(db(), source_id, form.reason.data)
            flash(_("Withdrawn. The totals no longer count; the source stays on record."))
            return redirect(url_for(".index"))
    return _page(source_id, form)


def _page(source_id: int, form: WithdrawForm) -> ResponseReturnValue:
    page = render_template(
        "opening_balances/page.html",
        form=form,
        source=opening_balances.source(db(), source_id),
        rows=opening_balances.balances_of(db(), source_id),
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )
    return make_response(page, 422 if request.method == "POST" else 200)
