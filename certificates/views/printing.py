"""Pages for printing many certificates: choose an offering or a period, see the number, download them.

They come as a ZIP, as one PDF, or as sheets of wallet cards.
"""

from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms.validators import Optional

from certificates import printing
from certificates.branch import Branch
from certificates.printing import FILE_NAMES, MEDIA_TYPES, PrintSelection
from certificates.rendering import Layout
from certificates.views.certificates import VIEWERS
from courses.models.offerings import Offering
from lms.core import clock, edge
from lms.core.access import requires, scope
from lms.core.forms import DayField, QueryForm, RowIdField
from lms.core.request_db import db
from lms.core.scope import fetch

blueprint = Blueprint("printing", __name__)

MAX_CHOSEN = 200  # certificates of an address: those that one page of the list shows, and more


class SelectionForm(QueryForm):
    """An offering, or a period of issue days."""

    offering = RowIdField(validators=[Optional()])
    since = DayField(_l("Issued from"), validators=[Optional()])
    until = DayField(_l("Issued until"), validators=[Optional()])


@blueprint.get("/")
@requires(*VIEWERS)
def page() -> ResponseReturnValue:
    """Show how many certificates there are to print."""
    selection, offering = _selection()
    form = SelectionForm(data={"since": selection.since, "until": selection.until})
    return render_template(
        "certificates/printing.html",
        form=form,
        offering=offering,
        selection=selection,
        count=printing.count(db(), scope(), selection),
        left_out=printing.left_out(db(), scope(), selection, _branch()),
        papers=Layout,
    )


@blueprint.get("/certificates.zip")
@requires(*VIEWERS)
def archive() -> ResponseReturnValue:
    """Download a ZIP with a PDF of each certificate."""
    return _download(printing.PrintFormat.ZIP)


@blueprint.get("/certificates.pdf")
@requires(*VIEWERS)
def document() -> ResponseReturnValue:
    """Download one PDF of all certificates."""
    return _download(printing.PrintFormat.PDF)


@blueprint.get("/cards.pdf")
@requires(*VIEWERS)
def cards() -> ResponseReturnValue:
    """Download wallet cards on sheets for cutting."""
    return _download(printing.PrintFormat.CARDS)


def _download(form: printing.PrintFormat) -> Response:
    selection, _offering = _selection()
    ids = printing.select_ids(db(), scope(), selection, form)
    pieces: Iterator[bytes] = printing.stream(current_app.extensions["sessions"], ids, _branch(), form)
    response = Response(pieces, mimetype=MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAMES[form]}"'
    response.headers["X-Accel-Buffering"] = "no"  # otherwise nginx buffers the file on disk first
    return response


def _selection() -> tuple[PrintSelection, Offering | None]:
    """Return the selection of the address: chosen certificates, an offering within the scope, else a period.

    Without any of them it is this month.
    """
    form = SelectionForm(request.args)
    form.validate()
    ids = request.args.getlist("certificate", type=edge.row_id)
    if ids:
        return PrintSelection(certificate_ids=tuple(ids[:MAX_CHOSEN])), None
    if form.offering.data is not None:
        offering = fetch(db(), Offering, form.offering.data, scope())
        return PrintSelection(offering_id=offering.id), offering
    today: date = clock.today(current_app.config["SETTINGS"].zone)
    since = form.since.data if not form.since.errors else None
    until = form.until.data if not form.until.errors else None
    return PrintSelection(
        since=since or (until or today).replace(day=1), until=until or max(today, since or today)
    ), None


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
