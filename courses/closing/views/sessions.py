"""A session's own acts: the instructor's check-in, the headcount, closing, and correcting what is closed."""

from collections.abc import Sequence

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from courses.assessment import entitlement
from courses.assessment.entitlement import SHORTFALLS, Shortfall
from courses.attendance import roster as rosters
from courses.closing import closing as sessions
from courses.closing import correction, reviews, spot_check
from courses.closing.correction import Corrected
from courses.closing.forms.sessions import CloseForm, CorrectionForm, HeadcountForm
from courses.closing.judging import Judged
from courses.models.offerings import OfferingState
from courses.offerings import rights
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.scope import ADMINISTRATORS, STAFF, Role
from lms.core.web import db, local_address, refused_on

blueprint = Blueprint("sessions", __name__)

TAKERS = (Role.INSTRUCTOR, *STAFF)
CLOSERS = (Role.INSTRUCTOR, *ADMINISTRATORS)
RESULTS = frozenset(
    {Shortfall.THEORY_MISSING, Shortfall.THEORY_FAILED, Shortfall.SKILLS_MISSING, Shortfall.SKILLS_FAILED}
)


@blueprint.post("/<int:session_id>/here")
@requires(Role.INSTRUCTOR)
def here(session_id: int) -> ResponseReturnValue:
    """“I am here.”"""
    meeting = rosters.meeting(db(), session_id, scope())
    sessions.arrive(db(), meeting, current_user.id, now=clock.now())
    flash(_("You are checked in."))
    return redirect(local_address(request.form.get("next"), url_for("attendance.roster", session_id=session_id)))


@blueprint.post("/<int:session_id>/leave")
@requires(Role.INSTRUCTOR)
def leave(session_id: int) -> ResponseReturnValue:
    """“I am leaving.”"""
    meeting = rosters.meeting(db(), session_id, scope())
    sessions.leave(db(), meeting, current_user.id, now=clock.now())
    flash(_("You are checked out."))
    return redirect(local_address(request.form.get("next"), url_for("attendance.roster", session_id=session_id)))


@blueprint.route("/<int:session_id>/headcount", methods=["GET", "POST"])
@requires(*TAKERS)
def headcount(session_id: int) -> ResponseReturnValue:
    """How many people are there who are not on the roster."""
    meeting = rosters.meeting(db(), session_id, scope())
    form = HeadcountForm(number=meeting.headcount)
    if form.validate_on_submit():
        with refused_on(form):
            sessions.count_heads(db(), meeting, form.number.data, now=clock.now())
            flash(_("Headcount: %(number)s.", number=form.number.data))
            return redirect(url_for("attendance.roster", session_id=session_id))
    page = render_template("sessions/headcount.html", form=form, meeting=meeting)
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:session_id>/close", methods=["GET", "POST"])
@requires(*CLOSERS)
def close(session_id: int) -> ResponseReturnValue:
    """Show what closing means, ask once, close."""
    meeting = rosters.meeting(db(), session_id, scope())
    form = CloseForm()
    if form.is_submitted() and meeting.closed_at is not None:
        flash(_("This session is closed already."), "info")
        return redirect(url_for("attendance.roster", session_id=session_id))
    if form.validate_on_submit():
        with refused_on(form):
            done = sessions.close(
                db(),
                meeting,
                zone=current_app.config["SETTINGS"].zone,
                seen=form.seen.data or None,
                heads=form.counted(),
            )
            flash(_closed(done))
            return redirect(url_for("attendance.roster", session_id=session_id))
    closing = sessions.outlook(db(), meeting)
    form.seen.data = closing.seen
    page = render_template(
        "sessions/close.html",
        form=form,
        meeting=meeting,
        rows=rosters.read(db(), meeting).rows,
        closing=closing,
        tally=entitlement.tally(one.verdict.shortfalls for one in closing.judged),
        begun=meeting.starts_at <= clock.now(),
        open=meeting.closed_at is None and meeting.offering.state == OfferingState.PUBLISHED,
        words=SHORTFALLS,
        results=RESULTS,
        no_certificates=meeting.offering.course.certificate_type is None,
        counted=spot_check.of(db(), meeting),
        in_doubt=reviews.count(db(), scope(), session_id=meeting.id),
    )
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:session_id>/correction", methods=["GET", "POST"])
@requires(*CLOSERS)
def correct(session_id: int) -> ResponseReturnValue:
    """Correct a closed session: who was there, how many heads, and why."""
    meeting = rosters.meeting(db(), session_id, scope())
    now, zone = clock.now(), current_app.config["SETTINGS"].zone
    if not rights.is_allowed(meeting.offering, scope(), now=now, meeting=meeting):
        raise rights.denied()
    people = rosters.read(db(), meeting)
    form = CorrectionForm(headcount=meeting.headcount)
    ticked = {row.enrolment_id: row.present for row in people.rows}
    if form.is_submitted():
        sent = set(request.form.getlist("present"))
        # Only who was on the page is judged by the page: somebody added meanwhile has no box.
        listed = set(request.form.getlist("listed"))
        ticked = {one: str(one) in sent if str(one) in listed else there for one, there in ticked.items()}
    if form.validate_on_submit():
        with refused_on(form):
            done = correction.of_session(
                db(), meeting, present=ticked, headcount=form.headcount.data, reason=form.reason.data,
                scope=scope(), now=now, zone=zone,
            )  # fmt: skip
            tell(done)
            return redirect(url_for("attendance.roster", session_id=session_id))
    page = render_template(
        "sessions/correction.html", form=form, meeting=meeting, people=people, ticked=ticked, zone=zone
    )
    return make_response(page, 422 if form.is_submitted() else 200)


def tell(done: Corrected) -> None:
    """Say what a correction did, and whose certificate should be looked at."""
    if not done.changes:
        flash(_("Nothing was different, so nothing was changed."), "info")
        return
    flash(_("Corrected. Results and totals follow the correction."))
    names = names_of(done.unentitled)
    if names:
        flash(
            _(
                "A certificate was issued to %(names)s, who no longer meets what the course asks. Certificates are not"
                " withdrawn by themselves: revoke it if it should not stand.",
                names=names,
            ),
            "warning",
        )


def names_of(judged: Sequence[Judged]) -> str:
    """Names in a row."""
    return "、".join(one.enrolment.trainee.name for one in judged)


def _closed(done: sessions.Closing) -> str:
    if not done.last:
        return str(_("The session is closed."))
    if done.certified:
        return ngettext(
            "The offering is closed. %(num)s certificate is being issued.",
            "The offering is closed. %(num)s certificates are being issued.",
            done.certified,
        )
    return str(_("The offering is closed."))
