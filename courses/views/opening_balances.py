"""Totals from before this system: sent as a file, looked at row by row, kept with their source, withdrawn with a reason."""

import io
from pathlib import PurePath

from flask import Blueprint, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses import opening_balances
from courses.forms.yardsticks import OpeningForm, WithdrawForm
from courses.opening_balances import HEADINGS, Reading
from courses.views import yardstick_words
from courses.views.report_files import exported
from courses.views.report_question import today
from lms.core.access import holds, requires
from lms.core.exports import MEDIA_TYPES, Format, Sheet, write
from lms.core.languages import language
from lms.core.scope import Role
from lms.core.web import refused_on, session

blueprint = Blueprint("opening_balances", __name__)

PROBLEMS_SHOWN = 100
READERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)


@blueprint.get("/")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """Every source with its sums."""
    return render_template(
        "opening_balances/index.html",
        rows=opening_balances.listing(session()),
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def new() -> ResponseReturnValue:
    """Send a file. All of it goes in, or nothing does and each row at fault is named."""
    form = OpeningForm()
    reading: Reading | None = None
    if form.validate_on_submit():
        content = form.file.data.read()
        with refused_on(form):
            reading = opening_balances.read(session(), content)
            source = opening_balances.add(
                session(),
                title=form.title.data,
                file_name=PurePath(form.file.data.filename).name[:100],
                media_type=MEDIA_TYPES[Format.XLSX if content.startswith(b"PK") else Format.CSV],
                content=content,
            )
            flash(_("%(number)s person-times were added.", number=f"{reading.person_times:,}"))
            return redirect(url_for(".page", source_id=source.id))
    page = render_template("opening_balances/new.html", form=form, reading=reading, problems_shown=PROBLEMS_SHOWN)
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.get("/template.<any(csv, xlsx):form>")
@requires(Role.CITY_ADMINISTRATOR)
def template(form: str) -> ResponseReturnValue:
    """An empty file with the columns."""
    headings = [words[1] if language() == "zh" else words[0] for words in HEADINGS.values()]
    file = io.BytesIO()
    write(Sheet(title=_("Totals from before this system"), headings=headings, rows=[]), Format(form), file)
    file.seek(0)
    return send_file(
        file, mimetype=MEDIA_TYPES[Format(form)], as_attachment=True, download_name=f"opening-balances.{form}"
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Every source as a file."""
    sheet = yardstick_words.sources(opening_balances.listing(session()))
    return exported(sheet, form, report="opening_balances", name=f"opening-balances-{today().isoformat()}", asked={})


@blueprint.get("/<int:source_id>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def source_export(source_id: int, form: str) -> ResponseReturnValue:
    """One source as the reports read it; the file as it was sent stands beside."""
    source = opening_balances.source(session(), source_id)
    sheet = yardstick_words.balances(source, opening_balances.balances_of(session(), source_id))
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
    source = opening_balances.source(session(), source_id)
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
            opening_balances.withdraw(session(), source_id, form.reason.data)
            flash(_("Withdrawn. The totals no longer count; the source stays on record."))
            return redirect(url_for(".index"))
    return _page(source_id, form)


def _page(source_id: int, form: WithdrawForm) -> ResponseReturnValue:
    page = render_template(
        "opening_balances/page.html",
        form=form,
        source=opening_balances.source(session(), source_id),
        rows=opening_balances.balances_of(session(), source_id),
        may_change=holds(Role.CITY_ADMINISTRATOR),
    )
    return make_response(page, 422 if request.method == "POST" else 200)
