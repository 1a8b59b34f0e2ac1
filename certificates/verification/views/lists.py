"""A list of certificates at once: pasted or sent as a spreadsheet, answered as a table or as one. Nothing is kept."""

import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates.forms import ListForm
from certificates.states import NAMES
from certificates.verification import lists
from certificates.verification.lists import Answer
from certificates.verification.views.verification import branch, keys, private, today
from lms.core import exports, spreadsheets
from lms.core.access import public
from lms.core.errors import DomainError
from lms.core.exports import Cell, Format, Sheet
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.web import db, text_of

blueprint = Blueprint("verification_list", __name__)

LISTS = "5 per 10 minutes"
PAGES = "60/minute"


@blueprint.route("/verify/list", methods=["GET", "POST"])
@public
@limiter.limit(LISTS, methods=["POST"])
@limiter.limit(PAGES, methods=["GET"])
def page() -> ResponseReturnValue:
    """Paste or send, and read."""
    form = ListForm()
    if not form.is_submitted():
        return _page(form, [], 200)
    try:
        content = form.file.data.read() if form.file.data else (form.certificates.data or "").encode()
        asked = lists.questions(spreadsheets.read(content))
    except DomainError as error:
        form.form_errors.append(text_of(error))
        return _page(form, [], error.status)
    found = list(lists.answers(db(), asked, today=today(), keys=keys(), scheme=branch().scheme))
    if form.answer.data in set(Format):
        return _file(found, Format(form.answer.data))
    return _page(form, found, 200)


def _page(form: ListForm, found: list[Answer], status: int) -> Response:
    html = render_template("verification/list.html", form=form, found=found, state_name=NAMES, most=lists.MOST)
    return private(make_response(html, status))


def _file(found: list[Answer], form: Format) -> Response:
    sheet = Sheet(
        title=_("Verification of %(day)s", day=today().isoformat()),
        headings=(
            _("In your list"),
            _("Name"),
            _("State"),
            _("Name on the paper"),
            _("Certificate number"),
            _("Holder"),
            _("Type"),
            _("Issued on"),
            _("Last valid day"),
            _("Signed code"),
        ),
        rows=_rows(found),
    )
    file = io.BytesIO()
    exports.write(sheet, form, file)
    response = Response(file.getvalue(), content_type=exports.MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="verification.{form.value}"'
    return private(response)


def _rows(found: list[Answer]) -> Iterator[list[Cell]]:
    fits = {True: _("Yes"), False: _("No"), None: ""}
    for answer in found:
        shown = answer.verdict.certificate
        row: list[Cell] = [answer.question.certificate, answer.question.proof, _(NAMES[answer.verdict.state])]
        row.append(fits[answer.name_fits])
        if shown is not None:
            course: Any = shown.facts[f"course_{language()}"]
            row += [shown.number, shown.masked_name, course, shown.issued_on, shown.valid_until, _("Yes")]
        elif answer.legacy is not None:
            old = answer.legacy
            row += [old.number, old.masked_name, old.course, old.issued_on, old.valid_until, _("Without a signed code")]
        yield row


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(page)


blueprint.record_once(_prepare)
