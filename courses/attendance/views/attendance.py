"""The roster of a session, and the door's addresses: tap, scan, photograph, walk-in."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.attendance import recording, review_queue, scanning, walk_ins
from courses.attendance import roster as rosters
from courses.attendance.forms.attendance import EventBody, RosterSearchForm, WalkInForm, event_of
from courses.attendance.recording import Outcome, Recorded
from courses.models.attendance import AttendanceMethod
from courses.models.offerings import CourseSession, OfferingState
from courses.offerings import rights, staffing
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.errors import N_, DomainError
from lms.core.languages import clock_time
from lms.core.names import norm
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role
from lms.core.sought import narrowed
from lms.core.web import db, refused_on, wants_json

blueprint = Blueprint("attendance", __name__)

REASONS = (N_("Tapped the wrong name"), N_("Not this person"), N_("Did not stay for the training"))
SHOWN = ("all", "missing", "present")


@blueprint.get("/<int:session_id>/attendance")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def roster(session_id: int) -> ResponseReturnValue:
    """The session on one phone screen."""
    meeting = rosters.meeting(db(), session_id, scope())
    people = rosters.read(db(), meeting)
    form = RosterSearchForm(request.args)
    form.validate()
    words = form.q.data or ""
    shown = request.args.get("show", "all")
    shown = shown if shown in SHOWN else "all"
    rows = [
        row for row in rosters.matching(people.rows, words) if shown == "all" or row.present == (shown == "present")
    ]
    now = clock.now()
    return render_template(
        "attendance/roster.html",
        meeting=meeting,
        people=people,
        rows=people.rows,
        visible={row.enrolment_id for row in rows},
        form=form,
        q=request.args.get("q"),
        shown=shown,
        norm=norm,
        running=_is_writable(meeting) and recording.opens_at(meeting) <= now,
        opens_at=recording.opens_at(meeting) if recording.opens_at(meeting) > now else None,
        is_over=meeting.ends_at < now,
        teaching=staffing.teaching_of(db(), meeting, current_user.id),
        may_close=_may(*EXAMINERS) and _is_writable(meeting) and meeting.starts_at <= now,
        may_correct=meeting.closed_at is not None
        and rights.is_allowed(meeting.offering, scope(), now=now, meeting=meeting),
        writable=_is_writable(meeting),
        reasons=REASONS,
        in_doubt=review_queue.count(db(), scope(), session_id=meeting.id),
    )


@blueprint.post("/<int:session_id>/attendance/search")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR, reading=True)
def search(session_id: int) -> ResponseReturnValue:
    """Look for somebody in the roster, for browsers without scripts."""
    meeting = rosters.meeting(db(), session_id, scope())
    return narrowed(RosterSearchForm, url_for(".roster", session_id=meeting.id))


@blueprint.post("/<int:session_id>/attendance")
@requires(*ATTENDANCE_TAKERS)
def record(session_id: int) -> ResponseReturnValue:
    """One event, from the script as JSON or from a plain form."""
    meeting = rosters.meeting(db(), session_id, scope())
    body = event_of(request.get_json(silent=True) if request.is_json else request.form)
    return _answer(meeting, _recorded(meeting, body))


@blueprint.post("/<int:session_id>/attendance/photo")
@requires(*ATTENDANCE_TAKERS)
def photo(session_id: int) -> ResponseReturnValue:
    """A photograph of a ticket: read, used and forgotten."""
    meeting = rosters.meeting(db(), session_id, scope())
    sent = request.files.get("photo")
    if sent is None or not sent.filename:
        raise DomainError("no_picture", N_("Choose or take a picture of the ticket first."), status=422)
    fields = {name: value for name, value in request.form.items() if name in {"id", "happened_at"}}
    body = event_of({**fields, "method": AttendanceMethod.PHOTO, "ticket": scanning.ticket_on(sent.read())})
    return _answer(meeting, _recorded(meeting, body))


@blueprint.get("/<int:session_id>/attendance/scan")
@requires(*ATTENDANCE_TAKERS)
def scan(session_id: int) -> ResponseReturnValue:
    """The page for a photograph, for browsers without scripts."""
    return render_template("attendance/scan.html", meeting=rosters.meeting(db(), session_id, scope()))


@blueprint.get("/<int:session_id>/attendance/<int:enrolment_id>/undo")
@requires(*ATTENDANCE_TAKERS)
def undo(session_id: int, enrolment_id: int) -> ResponseReturnValue:
    """The page that asks why, for browsers without scripts."""
    meeting = rosters.meeting(db(), session_id, scope())
    row = rosters.row_of(db(), meeting, enrolment_id)
    return render_template("attendance/undo.html", meeting=meeting, row=row, reasons=REASONS)


@blueprint.post("/<int:session_id>/attendance/<int:enrolment_id>/let-in")
@requires(*ATTENDANCE_TAKERS)
def let_in(session_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Give somebody who waits a place, and check them in."""
    meeting = rosters.meeting(db(), session_id, scope())
    answer = walk_ins.let_in(db(), meeting, enrolment_id, event_id=uuid4(), now=clock.now())
    return _answer(meeting, answer)


@blueprint.route("/<int:session_id>/attendance/walk-in", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def walk_in(session_id: int) -> ResponseReturnValue:
    """Somebody who came without a place."""
    meeting = rosters.meeting(db(), session_id, scope())
    form = WalkInForm()
    if form.validate_on_submit():
        with refused_on(form):
            answer = walk_ins.admit(db(), meeting, form.facts(), event_id=form.event_id(), now=clock.now())
            flash(_("%(name)s is checked in.", name=form.name.data))
            return _back(meeting, answer.enrolment_id)
    form.event.data = form.event.data or str(uuid4())
    page = render_template("attendance/walk_in.html", form=form, meeting=meeting)
    return make_response(page, 422 if form.is_submitted() else 200)


def _may(*roles: Role) -> bool:
    return any(grant.role in roles for grant in current_user.grants)


def _is_writable(meeting: CourseSession) -> bool:
    running = meeting.closed_at is None and meeting.offering.state == OfferingState.PUBLISHED
    return running and not scope().read_only


def _recorded(meeting: CourseSession, body: EventBody) -> Recorded:
    ticket = body.scanned()
    enrolment_id = rosters.enrolment_of(db(), meeting, ticket) if ticket is not None else body.enrolment
    assert enrolment_id is not None  # noqa: S101  # `event_of` saw to it
    return recording.record(db(), body.event(meeting.id, enrolment_id), now=clock.now())


def _answer(meeting: CourseSession, recorded: Recorded) -> ResponseReturnValue:
    name = rosters.name_of(db(), recorded.enrolment_id)
    message = _message(name, recorded)
    if wants_json():
        return jsonify(
            outcome=recorded.outcome,
            enrolment=recorded.enrolment_id,
            name=name,
            present=recorded.present,
            arrived=clock_time(recorded.arrived_at),
            left=clock_time(recorded.left_at),
            message=message,
        )
    flash(message, "message" if recorded.outcome == Outcome.ACCEPTED else "info")
    return _back(meeting, recorded.enrolment_id)


def _message(name: str, recorded: Recorded) -> str:
    facts: dict[str, Any] = {"name": name, "time": clock_time(recorded.arrived_at), "by": recorded.by}
    if not recorded.present:
        done = recorded.outcome == Outcome.ACCEPTED
        return str(
            _("%(name)s is no longer checked in.", **facts) if done else _("%(name)s was not checked in.", **facts)
        )
    if recorded.left_at is not None:
        return str(_("%(name)s checked out at %(left)s.", left=clock_time(recorded.left_at), **facts))
    if recorded.outcome == Outcome.ACCEPTED:
        return str(_("%(name)s is checked in.", **facts))
    if recorded.by:
        return str(_("%(name)s was checked in already, by %(by)s at %(time)s.", **facts))
    return str(_("%(name)s was checked in already at %(time)s.", **facts))


def _back(meeting: CourseSession, enrolment_id: int | None) -> ResponseReturnValue:
    kept: dict[str, Any] = {name: value for name in ("show", "q") if (value := request.form.get(name))}
    return redirect(url_for(".roster", session_id=meeting.id, **kept, _anchor=f"person-{enrolment_id}"))
