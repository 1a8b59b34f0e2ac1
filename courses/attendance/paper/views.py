"""Paper: the sign-in sheet as a PDF, and the grid in which a signed one is entered afterwards."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.attendance import recording
from courses.attendance import roster as rosters
from courses.attendance.paper import entry, sign_in_sheet
from courses.attendance.paper.entry import WALK_INS, Checked, Saved, Typed
from courses.attendance.roster import Row
from courses.models.offerings import CourseSession, OfferingState
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.errors import DomainError
from lms.core.languages import clock_time
from lms.core.scope import ATTENDANCE_TAKERS
from lms.core.web import db, text_of

blueprint = Blueprint("paper", __name__)

FIELD_LIMIT = 60


@blueprint.get("/<int:session_id>/sign-in-sheet.pdf")
@requires(*ATTENDANCE_TAKERS)
def sheet(session_id: int) -> ResponseReturnValue:
    """The sheet to print; `names=masked` for one that lies open."""
    meeting = rosters.meeting(db(), session_id, scope())
    made = sign_in_sheet.pdf(db(), meeting, masked=request.args.get("names") == "masked", zone=_zone(), now=clock.now())
    headers = {"Content-Disposition": f'inline; filename="sign-in-sheet-{meeting.id}.pdf"', "Cache-Control": "no-store"}
    return Response(made, mimetype="application/pdf", headers=headers)


@blueprint.route("/<int:session_id>/paper", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def grid(session_id: int) -> ResponseReturnValue:
    """Type, look at what would change, confirm. Nothing typed is lost on the way."""
    meeting = rosters.meeting(db(), session_id, scope())
    rows = rosters.read(db(), meeting).rows
    if request.method == "GET":
        return _page(meeting, rows, _as_it_is(rows), Checked(), status=200)
    typed = _typed()
    step = request.form.get("step", "preview")
    checked = entry.check(meeting, rows, typed, zone=_zone(), now=clock.now())
    if step == "save":
        return _saved(meeting, rows, typed, checked)
    if step == "edit" or checked.errors:
        return _page(meeting, rows, typed, checked, status=422 if step != "edit" else 200)
    return _page(meeting, rows, typed, checked, status=200, confirming=bool(checked.changes))


def _saved(meeting: CourseSession, rows: list[Row] | Any, typed: dict[str, Typed], checked: Checked) -> Any:
    try:
        with db().begin_nested():
            seen = request.form.get("seen", "")
            done = entry.save(db(), meeting, checked, batch=_batch(), seen=seen, now=clock.now())
    except DomainError as error:
        return _page(meeting, rows, typed, checked, status=422, confirming=not checked.errors, refusal=text_of(error))
    _tell(done)
    return redirect(url_for("attendance.roster", session_id=meeting.id))


def _page(
    meeting: CourseSession,
    rows: Any,
    typed: dict[str, Typed],
    checked: Checked,
    *,
    status: int,
    confirming: bool = False,
    refusal: str = "",
) -> ResponseReturnValue:
    now = clock.now()
    content = render_template(
        "paper/grid.html",
        meeting=meeting,
        rows=rows,
        typed=typed,
        empty_row=Typed(),
        walk_ins=[f"new{number}" for number in range(WALK_INS)],
        checked=checked,
        confirming=confirming,
        refusal=refusal,
        nothing=request.method == "POST" and not checked.changes and not checked.errors,
        batch=_batch(),
        opens_at=recording.opens_at(meeting) if recording.opens_at(meeting) > now else None,
        running=meeting.offering.state in {OfferingState.PUBLISHED, OfferingState.CLOSED},
        closed=meeting.closed_at is not None,
    )
    return make_response(content, status)


def _as_it_is(rows: Any) -> dict[str, Typed]:
    found = {}
    for row in rows:
        came, left = clock_time(row.arrived_at), clock_time(row.left_at)
        found[str(row.enrolment_id)] = Typed(came, left, came, left)
    return found


def _typed() -> dict[str, Typed]:
    """The rows as sent, by enrolment or by the walk-in's place."""
    fields = {name: " ".join(value.replace("\0", " ").split())[:FIELD_LIMIT] for name, value in request.form.items()}
    keys = [name.removeprefix("came-") for name in fields if name.startswith("came-")]
    return {
        key: Typed(
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


def _tell(done: Saved) -> None:
    if done.changed:
        flash(_("Times are entered. People changed: %(number)s.", number=done.changed))
    if done.waiting:
        flash(
            _("People waiting in the review queue to be accepted: %(number)s.", number=done.waiting),
            "warning",
        )
    if done.refused:
        flash(
            _(
                "These times have no effect, because a later change on the roster undid them: %(names)s. Check these"
                " people in on the roster.",
                names="、".join(done.refused),
            ),
            "warning",
        )
