"""The roster of a session, and the addresses that record check-ins on it: tap, scan, photograph, undo, walk-in."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.attendance import check_in_window, recording, review_queue, scanning, walk_ins
from courses.attendance.check_ins import AttendanceInput, CheckInAnswer
from courses.attendance.forms.attendance import EventBody, EveryoneForm, RosterSearchForm, WalkInForm, read_event
from courses.attendance.roster import (
    enrolment_of_ticket,
    load_session,
    matching_rows,
    present_without_certificate,
    read_roster,
    roster_row,
    trainee_name,
)
from courses.device_events import BATCH_LIMIT
from courses.models.attendance import AttendanceMethod
from courses.models.offerings import CourseSession
from courses.offerings import rights, staffing
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.error_pages import wants_json
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import clock_time
from lms.core.names import norm
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role
from lms.core.sealed_search import redirect_to_search

blueprint = Blueprint("attendance", __name__)

REASONS = (N_("Tapped the wrong name"), N_("Not this person"), N_("Did not stay for the training"))
FILTERS = ("all", "missing", "present")


@blueprint.get("/<int:session_id>/attendance")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def roster(session_id: int) -> ResponseReturnValue:
    """Show the roster: the session on one phone screen, with its search and the filter `show`."""
    meeting = load_session(db(), session_id, scope())
    people = read_roster(db(), meeting)
    form = RosterSearchForm(request.args)
    form.validate()
    filtered = request.args.get("show", "all")
    filtered = filtered if filtered in FILTERS else "all"
    visible_rows = [
        row
        for row in matching_rows(people.rows, form.q.data or "")
        if filtered == "all" or row.present == (filtered == "present")
    ]
    now = clock.now()
    opening = check_in_window.opening_ahead(meeting, now)
    return render_template(
        "attendance/roster.html",
        meeting=meeting,
        people=people,
        rows=people.rows,
        without_certificate=present_without_certificate(db(), meeting, people.rows),
        visible={row.enrolment_id for row in visible_rows},
        form=form,
        q=request.args.get("q"),
        shown=filtered,
        norm=norm,
        running=_is_writable(meeting) and opening is None,
        opens_at=opening,
        is_over=meeting.ends_at < now,
        now=now,
        own_opens_at=check_in_window.instructors_open_at(meeting),
        teaching=staffing.session_instructor_of(db(), meeting, current_user.id),
        may_close=_may(*EXAMINERS) and _is_writable(meeting) and meeting.starts_at <= now,
        may_correct=meeting.closed_at is not None
        and rights.may_correct(meeting.offering, scope(), now=now, meeting=meeting),
        writable=_is_writable(meeting),
        reasons=REASONS,
        in_doubt=review_queue.count_cases(db(), scope(), session_id=meeting.id),
    )


@blueprint.post("/<int:session_id>/attendance/search")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR, reading=True)
def search(session_id: int) -> ResponseReturnValue:
    """Search in the roster, for browsers without scripts: redirect to the roster with the sealed search text."""
    meeting = load_session(db(), session_id, scope())
    return redirect_to_search(RosterSearchForm, url_for(".roster", session_id=meeting.id))


@blueprint.post("/<int:session_id>/attendance")
@requires(*ATTENDANCE_TAKERS)
def record(session_id: int) -> ResponseReturnValue:
    """Record one event, sent by the script as JSON or by a plain form."""
    meeting = load_session(db(), session_id, scope())
    body = read_event(request.get_json(silent=True) if request.is_json else request.form)
    return _answer(meeting, _recorded(meeting, body))


@blueprint.post("/<int:session_id>/attendance/photo")
@requires(*ATTENDANCE_TAKERS)
def photo(session_id: int) -> ResponseReturnValue:
    """Record an arrival by a photograph of a ticket, which is not stored."""
    meeting = load_session(db(), session_id, scope())
    picture = request.files.get("photo")
    if picture is None or not picture.filename:
        raise DomainError("no_picture", N_("First take or choose a photo of the ticket."), status=422)
    fields = {name: value for name, value in request.form.items() if name in {"id", "happened_at"}}
    body = read_event({**fields, "method": AttendanceMethod.PHOTO, "ticket": scanning.ticket_on(picture.read())})
    return _answer(meeting, _recorded(meeting, body))


@blueprint.get("/<int:session_id>/attendance/scan")
@requires(*ATTENDANCE_TAKERS)
def scan(session_id: int) -> ResponseReturnValue:
    """Show the form for a photograph of a ticket, for browsers without scripts."""
    return render_template("attendance/scan.html", meeting=load_session(db(), session_id, scope()))


@blueprint.get("/<int:session_id>/attendance/<int:enrolment_id>/undo")
@requires(*ATTENDANCE_TAKERS)
def undo(session_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show the form for an undo and its reason, for browsers without scripts."""
    meeting = load_session(db(), session_id, scope())
    row = roster_row(db(), meeting, enrolment_id)
    return render_template("attendance/undo.html", meeting=meeting, row=row, reasons=REASONS)


@blueprint.post("/<int:session_id>/attendance/<int:enrolment_id>/let-in")
@requires(*ATTENDANCE_TAKERS)
def let_in(session_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Enrol a trainee of the waiting list and check them in."""
    meeting = load_session(db(), session_id, scope())
    answer = walk_ins.let_in(db(), meeting, enrolment_id, event_id=uuid4(), now=clock.now())
    return _answer(meeting, answer)


@blueprint.route("/<int:session_id>/attendance/everyone", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def everyone(session_id: int) -> ResponseReturnValue:
    """Check in everybody who is missing and ticked, each by an event of their own; for browsers without scripts."""
    meeting = load_session(db(), session_id, scope())
    if not _is_writable(meeting) or check_in_window.opening_ahead(meeting, clock.now()) is not None:
        return redirect(url_for(".roster", session_id=meeting.id))
    rows = read_roster(db(), meeting).rows
    form = EveryoneForm()
    form.enrolments.choices = [(row.enrolment_id, row.name) for row in rows]
    if form.validate_on_submit():
        ids = form.event_ids()
        events = [AttendanceInput(ids[key], meeting.id, key) for key in ids]
        answers = [
            answer
            for start in range(0, len(events), BATCH_LIMIT)
            for answer in recording.record_all(
                db(), events[start : start + BATCH_LIMIT], user_id=current_user.id, now=clock.now()
            )
        ]
        marked = sum(answer.outcome == Outcome.ACCEPTED for answer in answers)
        flash(_("Marked as present: %(number)s.", number=marked))
        return redirect(url_for(".roster", session_id=meeting.id))
    form.batch.data = form.batch.data or str(uuid4())
    missing = [row for row in rows if not row.present]
    page = render_template("attendance/everyone.html", meeting=meeting, missing=missing, form=form)
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:session_id>/attendance/walk-in", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def walk_in(session_id: int) -> ResponseReturnValue:
    """Register, enrol and check in a person who came without a place."""
    meeting = load_session(db(), session_id, scope())
    form = WalkInForm()
    if form.validate_on_submit():
        with refused_on(form):
            answer = walk_ins.admit(db(), meeting, form.facts(), scope(), event_id=form.event_id(), now=clock.now())
            flash(_("%(name)s is checked in.", name=form.name.data))
            return _back(meeting, answer.enrolment_id)
    form.event.data = form.event.data or str(uuid4())
    page = render_template("attendance/walk_in.html", form=form, meeting=meeting)
    return make_response(page, 422 if form.is_submitted() else 200)


def _may(*roles: Role) -> bool:
    return any(grant.role in roles for grant in current_user.grants)


def _is_writable(meeting: CourseSession) -> bool:
    return check_in_window.is_running(meeting) and not scope().read_only


def _recorded(meeting: CourseSession, body: EventBody) -> CheckInAnswer:
    ticket = body.scanned()
    enrolment_id = enrolment_of_ticket(db(), meeting, ticket) if ticket is not None else body.enrolment
    assert enrolment_id is not None  # noqa: S101  # `read_event` demands one of the two
    return recording.record(db(), body.event(meeting.id, enrolment_id), now=clock.now())


def _answer(meeting: CourseSession, recorded: CheckInAnswer) -> ResponseReturnValue:
    name = trainee_name(db(), recorded.enrolment_id)
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


def _message(name: str, recorded: CheckInAnswer) -> str:
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
        return str(_("%(name)s was already checked in by %(by)s at %(time)s.", **facts))
    return str(_("%(name)s was already checked in at %(time)s.", **facts))


def _back(meeting: CourseSession, enrolment_id: int | None) -> ResponseReturnValue:
    arguments: dict[str, Any] = {name: value for name in ("show", "q") if (value := request.form.get(name))}
    return redirect(url_for(".roster", session_id=meeting.id, **arguments, _anchor=f"person-{enrolment_id}"))
