"""Pages of bulk verification: a pasted list or a spreadsheet, answered as a table or as a spreadsheet.

Nothing is stored of a list that is answered at once; a longer one becomes a job, and its sender is led to its own page.
"""

import io
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from limits import parse
from werkzeug.exceptions import TooManyRequests

from certificates.forms import ListForm
from certificates.states import verdict_label
from certificates.verification import bulk, list_checks, list_files, list_results
from certificates.verification.bulk import BulkResult
from certificates.verification.list_files import ListFile
from certificates.verification.views.verification import branch, keys, private, today
from lms.core import exports, limits
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.exports import Cell, Format, Sheet
from lms.core.headings import letter_of
from lms.core.languages import LANGUAGES, language
from lms.core.limits import Place, limiter
from lms.core.request_db import db

blueprint = Blueprint("verification_list", __name__)

LISTS = "5 per 10 minutes"
PAGES = "60/minute"
LONG_LISTS = parse("6/hour")
PASTED_BYTES = 4 << 20  # 5,000 addresses of codes with names


@blueprint.before_request
def _take_long_texts() -> None:
    request.max_form_memory_size = PASTED_BYTES


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
        source = list_files.read(content, form.sheet.data or "" if form.file.data else "", form.columns())
    except DomainError as error:
        form.form_errors.append(message_of(error))
        return _page(form, [], error.status)
    if len(source.items) > bulk.AT_ONCE:
        return private(redirect(url_for("list_checks.page", token=begin_job(source)), 303))
    results = list(bulk.verify(db(), source.items, today=today(), keys=keys(), scheme=branch().scheme))
    if form.answer.data in set(Format):
        return file_of(results, source.headings, Format(form.answer.data))
    return _page(form, results, 200, source)


def begin_job(source: ListFile) -> str:
    """Hand a long list to the worker, and return the token of its page. Long lists of one network are limited."""
    place = Place(LONG_LISTS, ("long-list", limits.network(request.remote_addr or "")))
    wait = limits.reserve([place])
    if wait:
        raise TooManyRequests(retry_after=wait)
    try:
        return list_checks.begin(db(), source)
    except DomainError:
        limits.give_back([place])
        raise


def _page(form: ListForm, results: list[BulkResult], status: int, source: ListFile | None = None) -> Response:
    html = render_template(
        "verification/list.html",
        form=form,
        most=bulk.MAX_ITEMS,
        at_once=bulk.AT_ONCE,
        **answers_of(results, source),
    )
    return private(make_response(html, status))


def answers_of(results: list[BulkResult], source: ListFile | None) -> dict[str, Any]:
    """Return what the template of the answers needs."""
    return {
        "results": results,
        "summary": list_results.summary(results, today()),
        "remarks": _remarks,
        "course_name": _course_name,
        "course_names": list_results.course_names,
        "source": source,
        "letter_of": letter_of,
        "verdict_label": verdict_label,
    }


def _remarks(result: BulkResult) -> list[str]:
    return [_(remark.message, **remark.params) for remark in list_results.remarks(result, today())]


def _course_name(names: tuple[str, str]) -> str:
    return names[LANGUAGES.index(language())]


def file_of(results: list[BulkResult], headings: Sequence[str], form: Format) -> Response:
    """Return the list as it was sent, with its own columns in their order, and the answers behind them."""
    width = max((len(result.item.cells) for result in results), default=0)
    own = [*headings, *[""] * width][:width]
    sheet = Sheet(
        title=_("Verification of %(day)s", day=today().isoformat()),
        headings=(
            _("Row"),
            *(text or _("Column %(letter)s", letter=letter_of(at)) for at, text in enumerate(own)),
            _("State"),
            _("Remark"),
            _("Name on the paper"),
            _("Certificate number"),
            _("Holder"),
            _("Type"),
            _("Issued on"),
            _("Last valid day"),
            _("Signed code"),
        ),
        preamble=_preamble(results),
        rows=(_row(result, width) for result in results),
    )
    file = io.BytesIO()
    exports.write(sheet, form, file)
    response = Response(file.getvalue(), content_type=exports.MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="verification.{form.value}"'
    return private(response)


def _preamble(results: list[BulkResult]) -> list[tuple[str, str]]:
    counted = list_results.summary(results, today())
    states = [(_(verdict_label(*kind)), str(number)) for kind, number in counted.states.items()]
    courses = [(_course_name(names), str(number)) for names, number in counted.courses.items()]
    return [
        (_("Valid, and the name does not differ"), str(counted.good)),
        (_("Of the valid ones, ending within 90 days"), str(counted.ending)),
        *states,
        *courses,
    ]


def _row(result: BulkResult, width: int) -> list[Cell]:
    labels = {True: _("Yes"), False: _("No"), None: ""}
    certificate, legacy, item = result.verdict.certificate, result.legacy, result.item
    state = _(verdict_label(result.verdict.state, result.verdict.reason))
    own = [*item.cells, *[""] * width][:width]
    row: list[Cell] = [item.line or None, *own, state, " ".join(_remarks(result)), labels[result.name_matches]]
    known = certificate or legacy
    if known is not None:
        course = _course_name(list_results.course_names(result))
        signed = _("Yes") if certificate is not None else _("Without a signed code")
        row += [known.number, known.masked_name, course, known.issued_on, known.valid_until, signed]
    return row


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(page)


blueprint.record_once(_prepare)
