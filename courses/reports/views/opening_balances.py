"""The pages of opening balances: totals from before this system, by source, with the imported file."""

import io

from flask import Blueprint, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import opening_balances
from courses.reports.forms.baselines import WithdrawForm
from courses.reports.labels import baselines
from courses.reports.views.questions import today
from courses.reports.views.sheets import send_sheet
from lms.core.access import holds, requires
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import Role

blueprint = Blueprint("opening_balances", __name__)

BRANCH_READERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)  # those who read for the whole branch


@blueprint.get("/")
@requires(*BRANCH_READERS)
def index() -> ResponseReturnValue:
    """Show every source with its sums."""
    return render_template(
        "opening_balances/index.html",
        rows=opening_balances.listing(db()),
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*BRANCH_READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the table of sources as a file."""
    sheet = baselines.sources(opening_balances.listing(db()))
    return send_sheet(
        sheet, form, report="opening_balances", name=f"opening-balances-{today().isoformat()}", arguments={}
    )


@blueprint.get("/<int:source_id>/export/<any(csv, xlsx, parquet):form>")
@requires(*BRANCH_READERS)
def source_export(source_id: int, form: str) -> ResponseReturnValue:
    """Send the balances of a source as the reports read them."""
    source = opening_balances.source(db(), source_id)
    sheet = baselines.balances(source, opening_balances.balances_of(db(), source_id))
    arguments = {"source": str(source_id)}
    return send_sheet(sheet, form, report="opening_balance", name=f"opening-balance-{source_id}", arguments=arguments)


@blueprint.get("/<int:source_id>")
@requires(*BRANCH_READERS)
def page(source_id: int) -> ResponseReturnValue:
    """Show a source, month by month."""
    return _page(source_id, WithdrawForm())


@blueprint.get("/<int:source_id>/file")
@requires(*BRANCH_READERS)
def file(source_id: int) -> ResponseReturnValue:
    """Send the file that was imported, as it was uploaded."""
    source = opening_balances.source(db(), source_id)
    return send_file(
        io.BytesIO(source.file), mimetype=source.media_type, as_attachment=True, download_name=source.file_name
    )


@blueprint.post("/<int:source_id>/withdraw")
@requires(Role.CITY_ADMINISTRATOR)
def withdraw(source_id: int) -> ResponseReturnValue:
    """Withdraw a source, with a reason: the figures no longer count it."""
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
