"""Pages of bulk verification: a pasted list or a spreadsheet, answered as a table or as a spreadsheet. Nothing is
stored.
"""

import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates.forms import ListForm
from certificates.states import verdict_label
from certificates.verification import bulk, list_files
from certificates.verification.bulk import BulkResult
from certificates.verification.list_files import ListFile
from certificates.verification.views.verification import branch, keys, private, today
from lms.core import exports
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.exports import Cell, Format, Sheet
from lms.core.headings import letter_of
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("verification_list", __name__)

LISTS = "5 per 10 minutes"
PAGES = "60/minute"
_LINE = 10  # the column of the row's number in the file of the results, behind those that programs know


@blueprint.route("/verify/list", methods=["GET", "POST"])
@public
@limiter.limit(LISTS, methods=["POST"])
@limiter.limit(PAGES, methods=["GET"])
def page() -> ResponseReturnValue:
    """Show the form, or verify the list that was sent."""
    form = ListForm()
    if not form.is_submitted():
        return _page(form, [], 200)
    try:
        content = form.file.data.read() if form.file.data else (form.certificates.data or "").encode()
        source = list_files.read(content, form.sheet.data or "" if form.file.data else "")
    except DomainError as error:
        form.form_errors.append(message_of(error))
        return _page(form, [], error.status)
    results = list(bulk.verify(db(), source.items, today=today(), keys=keys(), scheme=branch().scheme))
    if form.answer.data in set(Format):
        return _file(results, Format(form.answer.data))
    return _page(form, results, 200, source)


def _page(form: ListForm, results: list[BulkResult], status: int, source: ListFile | None = None) -> Response:
    html = render_template(
        "verification/list.html",
        form=form,
        results=results,
        source=source,
        letter_of=letter_of,
        verdict_label=verdict_label,
        most=bulk.MAX_ITEMS,
    )
    return private(make_response(html, status))


def _file(results: list[BulkResult], form: Format) -> Response:
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
            _("Row"),
        ),
        rows=_rows(results),
    )
    file = io.BytesIO()
    exports.write(sheet, form, file)
    response = Response(file.getvalue(), content_type=exports.MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="verification.{form.value}"'
    return private(response)


def _rows(results: list[BulkResult]) -> Iterator[list[Cell]]:
    labels = {True: _("Yes"), False: _("No"), None: ""}
    for result in results:
        certificate = result.verdict.certificate
        item = result.item
        state = _(item.problem) if item.problem else _(verdict_label(result.verdict.state, result.verdict.reason))
        row: list[Cell] = [item.certificate, item.proof, state, labels[result.name_matches]]
        if certificate is not None:
            course: Any = certificate.facts[f"course_{language()}"]
            row += [
                certificate.number,
                certificate.masked_name,
                course,
                certificate.issued_on,
                certificate.valid_until,
                _("Yes"),
            ]
        elif result.legacy is not None:
            legacy = result.legacy
            row += [
                legacy.number,
                legacy.masked_name,
                legacy.course,
                legacy.issued_on,
                legacy.valid_until,
                _("Without a signed code"),
            ]
        yield [*row, *[None] * (_LINE - len(row)), item.line or None]


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(page)


blueprint.record_once(_prepare)
