"""Paper sheets: the sign-in sheet as a PDF, and the grid in which the times of a signed sheet are entered."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.attendance import check_in_window
from courses.attendance.paper import entry, sign_in_sheet
from courses.attendance.paper.entry import WALK_IN_ROWS, CheckedSheet, SavedSheet, TypedRow
from courses.attendance.roster import RosterRow, load_session, read_roster
from courses.models.offerings import CourseSession, OfferingState
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.languages import clock_time
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS

blueprint = Blueprint("paper", __name__)

FIELD_LIMIT = 60


@blueprint.get("/<int:session_id>/sign-in-sheet.pdf")
@requires(*ATTENDANCE_TAKERS)
def sheet(session_id: int) -> ResponseReturnValue:
    """Serve the sheet as PDF. The query `names=masked` masks the names, for a sheet that lies open."""
    meeting = load_session(db(), session_id, scope())
    masked = request.args.get("names") == "masked"
    document = sign_in_sheet.pdf(db(), meeting, masked=masked, zone=_zone(), now=clock.now())
    headers = {"Content-Disposition": f'inline; filename="sign-in-sheet-{meeting.id}.pdf"', "Cache-Control": "no-store"}
    return Response(document, mimetype="application/pdf", headers=headers)


@blueprint.route("/<int:session_id>/paper", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def grid(session_id: int) -> ResponseReturnValue:
    """Show the grid, preview the typed changes, and save the confirmed ones; each page carries all that was typed."""
    meeting = load_session(db(), session_id, scope())
    rows = read_roster(db(), meeting).rows
    if request.method == "GET":
        return _page(meeting, rows, _untouched(rows), CheckedSheet(), status=200)
    typed = _typed()
    step = request.form.get("step", "preview")
    checked = entry.check_sheet(meeting, rows, typed, zone=_zone(), now=clock.now())
    if step == "save":
        return _save(meeting, rows, typed, checked)
    if step == "edit" or checked.errors:
        return _page(meeting, rows, typed, checked, status=422 if step != "edit" else 200)
    return _page(meeting, rows, typed, checked, status=200, confirming=bool(checked.changes))


def _save(
    meeting: CourseSession, rows: Sequence[RosterRow], typed: dict[str, TypedRow], checked: CheckedSheet
) -> ResponseReturnValue:
    try:
        with db().begin_nested():
            seen = request.form.get("seen", "")
            saved = entry.save_sheet(db(), meeting, checked, batch=_batch(), seen=seen, now=clock.now())
    except DomainError as error:
        return _page(
            meeting, rows, typed, checked, status=422, confirming=not checked.errors, refusal=message_of(error)
        )
    _flash_result(saved)
    return redirect(url_for("attendance.roster", session_id=meeting.id))


def _page(
    meeting: CourseSession,
    rows: Sequence[RosterRow],
    typed: dict[str, TypedRow],
    checked: CheckedSheet,
    *,
    status: int,
    confirming: bool = False,
    refusal: str = "",
) -> ResponseReturnValue:
    content = render_template(
        "paper/grid.html",
        meeting=meeting,
        rows=rows,
        hints={row.enrolment_id: row.hint for row in rows},
        typed=typed,
        empty_row=TypedRow(),
        walk_ins=[f"new{number}" for number in range(WALK_IN_ROWS)],
        checked=checked,
        confirming=confirming,
        refusal=refusal,
        nothing=request.method == "POST" and not checked.changes and not checked.errors,
        batch=_batch(),
        opens_at=check_in_window.opening_ahead(meeting, clock.now()),
        running=meeting.offering.state in {OfferingState.PUBLISHED, OfferingState.CLOSED},
        closed=meeting.closed_at is not None,
    )
    return make_response(content, status)


def _untouched(rows: Sequence[RosterRow]) -> dict[str, TypedRow]:
    """The roster as the grid shows it before anything is typed."""
    typed = {}
    for row in rows:
        came, left = clock_time(row.arrived_at), clock_time(row.left_at)
        typed[str(row.enrolment_id)] = TypedRow(came, left, came, left)
    return typed


def _typed() -> dict[str, TypedRow]:
    """The rows of the submitted form, by enrolment id as text, or by a walk-in's key (`new0` to `new4`)."""
    fields = {name: " ".join(value.replace("\0", " ").split())[:FIELD_LIMIT] for name, value in request.form.items()}
    keys = [name.removeprefix("came-") for name in fields if name.startswith("came-")]
    return {
        key: TypedRow(
            fields.get(f"came-{key}", ""),
            fields.get(f"left-{key}", ""),
            fields.get(f"was-came-{key}", ""),
            fields.get(f"was-left-{key}", ""),
            fields.get(f"name-{key}", ""),
        )
        for key in keys
    }


def _batch() -> UUID:
    try:
        return UUID(request.form.get("batch", ""))
    except ValueError:
        return uuid4()


def _zone() -> Any:
    return current_app.config["SETTINGS"].zone


def _flash_result(saved: SavedSheet) -> None:
    if saved.changed:
        flash(_("Times are entered. People changed: %(number)s.", number=saved.changed))
    if saved.waiting:
        flash(
            _("People waiting in the review queue to be accepted: %(number)s.", number=saved.waiting),
            "warning",
        )
    if saved.refused:
        flash(
            _(
                "These times have no effect, because a later change on the roster undid them: %(names)s. Check these"
                " people in on the roster.",
                names="、".join(saved.refused),
            ),
            "warning",
        )
