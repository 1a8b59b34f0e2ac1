"""Printing many: choose an offering or a period, see how many, download a ZIP or one PDF."""

from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField
from wtforms.validators import Optional

from certificates import printing
from certificates.branch import Branch
from certificates.printing import MEDIA_TYPES, Choice
from certificates.views.certificates import SEEN_BY
from courses.models.offerings import Offering
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.forms import Question
from lms.core.scope import fetch
from lms.core.web import db

blueprint = Blueprint("printing", __name__)


class ChoiceForm(Question):
    """An offering, or a period of issue days."""

    offering = IntegerField(validators=[Optional()])
    since = DateField(_l("Issued from"), validators=[Optional()])
    until = DateField(_l("Issued until"), validators=[Optional()])


@blueprint.get("/")
@requires(*SEEN_BY)
def page() -> ResponseReturnValue:
    """What there is to print."""
    choice, offering = _choice()
    form = ChoiceForm(data={"since": choice.since, "until": choice.until})
    return render_template(
        "certificates/printing.html",
        form=form,
        offering=offering,
        choice=choice,
        amount=printing.amount(db(), scope(), choice),
    )


@blueprint.get("/certificates.zip")
@requires(*SEEN_BY)
def archive() -> ResponseReturnValue:
    """A PDF of each, in a ZIP."""
    return _download(printing.Form.ZIP)


@blueprint.get("/certificates.pdf")
@requires(*SEEN_BY)
def document() -> ResponseReturnValue:
    """All in one PDF."""
    return _download(printing.Form.PDF)


def _download(form: printing.Form) -> Response:
    choice, _offering = _choice()
    ids = printing.choose(db(), scope(), choice, form)
    branch = Branch.of(current_app.config["SETTINGS"])
    pieces: Iterator[bytes] = printing.write(current_app.extensions["sessions"], ids, branch, form)
    answer = Response(pieces, mimetype=MEDIA_TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="certificates.{form.value}"'
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep it on disk first
    return answer


def _choice() -> tuple[Choice, Offering | None]:
    """What the address asks for: an offering in reach, else a period, this month unless told."""
    form = ChoiceForm(request.args)
    form.validate()
    if form.offering.data is not None:
        offering = fetch(db(), Offering, form.offering.data, scope())
        return Choice(offering_id=offering.id), offering
    today: date = clock.today(current_app.config["SETTINGS"].zone)
    since = form.since.data if not form.since.errors else None
    until = form.until.data if not form.until.errors else None
    return Choice(since=since or (until or today).replace(day=1), until=until or max(today, since or today)), None
