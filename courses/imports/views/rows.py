"""The rows of an import: those with one reason, to be corrected in place or downloaded, and the records that rows became."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.imports import choices, corrections, kinds, labels, made, preview, runs
from courses.imports.corrections import RowGroup
from courses.imports.kinds import ImportKind
from courses.models.imports import ImportRun
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.errors import NotFound
from lms.core.languages import language, whole
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS

blueprint = Blueprint("import_rows", __name__)

ROWS_SHOWN = 20
_CELL = re.compile(r"cell-(\d{1,9})-(\d{1,4})")


@blueprint.route("/<ref>/rows/<digest>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def group(ref: str, digest: str) -> ResponseReturnValue:
    """Show the rows with one reason, and keep corrected cells; with the button `check` the file is checked again."""
    run = runs.find(db(), ref, scope())
    if request.method == "POST":
        number = corrections.correct(db(), run, _corrected())
        if "check" in request.form:
            return check(ref)
        message = ngettext(
            "%(number)s cell is corrected. It counts once the file is checked again.",
            "%(number)s cells are corrected. They count once the file is checked again.",
            number,
            number=whole(number),
        )
        flash(message, "success")
        return redirect(url_for(".group", ref=ref, digest=digest, page=request.args.get("page", 1, edge.page_number)))
    reason = corrections.group(db(), run, digest)
    kind = kinds.kind_of(run.kind)
    page = request.args.get("page", 1, type=edge.page_number)
    pages = -(-reason.number // ROWS_SHOWN)
    if page > pages:
        raise NotFound
    corrections.audit_download(db(), run)
    shown = islice(corrections.rows_to_correct(db(), run, reason), (page - 1) * ROWS_SHOWN, page * ROWS_SHOWN)
    return render_template(
        "imports/rows.html",
        run=run,
        group=reason,
        reason=in_words(kind, reason.message, reason.params),
        rows=[(line, _cells(run, kind, cells, reason)) for line, cells, _message, _params in shown],
        page=page,
        pages=pages,
        may_correct=choices.may_reopen(run),
        whole=whole,
        waiting=labels.lines(reason.waiting),
    )


@blueprint.post("/<ref>/rows/check")
@requires(*ADMINISTRATORS)
def check(ref: str) -> ResponseReturnValue:
    """Check the file again, with the corrected cells."""
    run = runs.find(db(), ref, scope())
    choices.reopen(db(), run)
    runs.check(db(), run)
    return redirect(url_for("imports.page", ref=ref))


def _corrected() -> dict[int, dict[int, str]]:
    """Return the cells of the form that differ from what they were."""
    cells: dict[int, dict[int, str]] = {}
    for name, text in request.form.items():
        named = _CELL.fullmatch(name)
        if named is not None and text != request.form.get(f"was-{named[1]}-{named[2]}"):
            cells.setdefault(int(named[1]), {})[int(named[2])] = text
    return cells


def _cells(run: ImportRun, kind: ImportKind, cells: list[str], reason: RowGroup) -> list[tuple[int, str, str, bool]]:
    """Return position, heading and text of the cells of a row that have a field; those that the reason names come first."""
    named = {reason.code, str(reason.params.get("column", "")), str(reason.params.get("other", ""))}
    found = []
    for column in kind.columns:
        at = run.mapping.get(column.name)
        if at is not None:
            text = cells[at] if at < len(cells) else ""
            found.append((at, preview.heading(column, chinese=language() == "zh"), text, column.name in named))
    return sorted(found, key=lambda cell: not cell[3])


def in_words(kind: ImportKind, message: str, params: Mapping[str, Any]) -> str:
    """Return a message with its parameters in the reader's language."""
    return _(message, **preview.fill_params(kind, params, chinese=language() == "zh"))


@blueprint.get("/<ref>/made")
@requires(*ADMINISTRATORS)
def records(ref: str) -> ResponseReturnValue:
    """List the records that an import made."""
    run = runs.find(db(), ref, scope())
    listing = made.records(db(), run, after=request.args.get("after", 0, type=edge.count))
    return render_template(
        "imports/made.html",
        run=run,
        listing=listing[: made.SHOWN],
        following=listing[made.SHOWN - 1].position if len(listing) > made.SHOWN else None,
        record=labels.RECORDS.get(run.kind),
        destination=labels.DESTINATIONS.get(run.kind),
        whole=whole,
    )
