"""Pages of one session: the instructor's check-in, the headcount, closing, and correcting what is closed."""

from collections.abc import Sequence

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from courses.assessment import entitlement
from courses.assessment.entitlement import SHORTFALL_LABELS, Shortfall
from courses.attendance import review_queue, roster
from courses.closing import closing, closing_requests, correction, instructor_check_in, spot_check
from courses.closing import headcount as headcounts
from courses.closing.closing import ClosingOutlook
from courses.closing.correction import CorrectionOutcome
from courses.closing.forms.sessions import CloseForm, CorrectionForm, HeadcountForm
from courses.closing.judging import Judgement
from courses.counting import person_time
from courses.enrolment import namesakes
from courses.offerings import class_hours, rights
from lms.core import clock, fonts
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.redirects import local_address
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, EXAMINERS, Role

blueprint = Blueprint("sessions", __name__)

# The closing page links these shortfalls to the trainee's results.
RESULT_SHORTFALLS = frozenset(
    {Shortfall.THEORY_MISSING, Shortfall.THEORY_FAILED, Shortfall.SKILLS_MISSING, Shortfall.SKILLS_FAILED}
)


@blueprint.post("/<int:session_id>/here")
@requires(Role.INSTRUCTOR)
def here(session_id: int) -> ResponseReturnValue:
    """Check the signed-in instructor in (the button “I am here”)."""
    meeting = roster.load_session(db(), session_id, scope())
    instructor_check_in.arrive(db(), meeting, current_user.id, now=clock.now())
    flash(_("You are checked in."))
    return redirect(local_address(request.form.get("next"), url_for("attendance.roster", session_id=session_id)))


@blueprint.post("/<int:session_id>/leave")
@requires(Role.INSTRUCTOR)
def leave(session_id: int) -> ResponseReturnValue:
    """Check the signed-in instructor out (the button “I am leaving”)."""
    meeting = roster.load_session(db(), session_id, scope())
    instructor_check_in.leave(db(), meeting, current_user.id, now=clock.now())
    flash(_("You are checked out."))
    return redirect(local_address(request.form.get("next"), url_for("attendance.roster", session_id=session_id)))


@blueprint.route("/<int:session_id>/headcount", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def headcount(session_id: int) -> ResponseReturnValue:
    """Enter the headcount of a session."""
    meeting = roster.load_session(db(), session_id, scope())
    form = HeadcountForm(number=meeting.headcount)
    if form.validate_on_submit():
        with refused_on(form):
            headcounts.enter(db(), meeting, form.number.data, now=clock.now())
            flash(_("Headcount: %(number)s.", number=form.number.data))
            return redirect(url_for("attendance.roster", session_id=session_id))
    page = render_template("sessions/headcount.html", form=form, meeting=meeting)
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:session_id>/close", methods=["GET", "POST"])
@requires(*EXAMINERS)
def close(session_id: int) -> ResponseReturnValue:
    """Show the effects of closing the session, ask for one confirmation, close."""
    meeting = roster.load_session(db(), session_id, scope())
    form = CloseForm()
    if form.is_submitted() and not closing.may_close(meeting) and meeting.closed_at is not None:
        flash(_("This session is already closed."), "info")
        return redirect(url_for("attendance.roster", session_id=session_id))
    ending = "end_now" in request.form
    if ending and form.validate_on_submit():
        with refused_on(form):
            closing.end_now(db(), meeting)
            flash(_("The end of the session is set. Check the list again, then close."))
            return redirect(url_for(".close", session_id=session_id))
    if not ending and form.validate_on_submit():
        with refused_on(form):
            effects = closing.close(
                db(),
                meeting,
                zone=current_app.config["SETTINGS"].zone,
                seen=form.seen.data or None,
                heads=form.head_count(),
                before_end=form.before_end.data,
                hours=form.hours_decision(),
                request=form.request_id(),
            )
            flash(_closed_message(effects))
            return redirect(url_for("attendance.roster", session_id=session_id))
    outlook = closing.outlook(db(), meeting)
    rows = roster.read_roster(db(), meeting).rows
    form.seen.data = outlook.seen
    requests = closing_requests.waiting(db(), [meeting]).get(meeting.id, [])
    if not form.is_submitted():
        form.show_decided(meeting.offering)
        if requests:
            form.show_request(requests[-1])
    page = render_template(
        "sessions/close.html",
        form=form,
        meeting=meeting,
        requests=[closing_requests.judge(db(), row, scope(), outlook) for row in requests],
        rows=rows,
        hints={row.enrolment_id: row.hint for row in rows},
        outlook=outlook,
        tally=entitlement.count_shortfalls(judgement.verdict.shortfalls for judgement in outlook.judgements),
        named=fonts.named,
        begun=meeting.starts_at <= clock.now(),
        open=closing.may_close(meeting),
        verdicts={judgement.enrolment.id: judgement.verdict for judgement in outlook.judgements},
        planned=class_hours.planned_total(meeting.offering),
        given=class_hours.given_hours(class_hours.planned_total(meeting.offering)),
        shortfall_labels=SHORTFALL_LABELS,
        result_shortfalls=RESULT_SHORTFALLS,
        no_certificates=meeting.offering.course.certificate_type is None,
        spot_check=spot_check.of_session(db(), meeting),
        in_review=review_queue.count_cases(db(), scope(), session_id=meeting.id),
    )
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:session_id>/correction", methods=["GET", "POST"])
@requires(*EXAMINERS)
def correct(session_id: int) -> ResponseReturnValue:
    """Correct a closed session: the trainees present, the headcount, and the reason."""
    meeting = roster.load_session(db(), session_id, scope())
    now, zone = clock.now(), current_app.config["SETTINGS"].zone
    if not rights.may_correct(meeting.offering, scope(), now=now, meeting=meeting):
        raise rights.correction_denied()
    people = roster.read_roster(db(), meeting)
    form = CorrectionForm(headcount=meeting.headcount)
    ticked = {row.enrolment_id: row.present for row in people.rows}
    if form.is_submitted():
        sent = set(request.form.getlist("present"))
        # The page decides only about trainees whom it listed: a trainee added meanwhile has no box on it.
        listed = set(request.form.getlist("listed"))
        ticked = {
            enrolment_id: str(enrolment_id) in sent if str(enrolment_id) in listed else present
            for enrolment_id, present in ticked.items()
        }
    if form.validate_on_submit():
        with refused_on(form):
            outcome = correction.correct_session(
                db(), meeting, present=ticked, headcount=form.headcount.data, reason=form.reason.data,
                scope=scope(), now=now, zone=zone,
            )  # fmt: skip
            flash_correction(outcome)
            return redirect(url_for("attendance.roster", session_id=session_id))
    page = render_template(
        "sessions/correction.html",
        form=form,
        meeting=meeting,
        people=people,
        ticked=ticked,
        frozen=person_time.frozen_quarter(db(), meeting.offering_id),
    )
    return make_response(page, 422 if form.is_submitted() else 200)


def flash_correction(outcome: CorrectionOutcome) -> None:
    """Flash what a correction changed, and the trainees whose certificates a person should look at."""
    if not outcome.changes:
        flash(_("There were no differences, so nothing was changed."), "info")
        return
    flash(_("Corrected. The results and totals have been updated."))
    flash_unentitled(outcome.unentitled)


def flash_unentitled(judgements: Sequence[Judgement]) -> None:
    """Flash the names of trainees who hold a certificate that they no longer earn, if there are any."""
    names = "、".join(namesakes.told_name(db(), judgement.enrolment) for judgement in judgements)
    if names:
        flash(
            _(
                "A certificate was issued to %(names)s, who no longer meets the requirements of the course. Certificates"
                " are not revoked automatically: revoke it if it should not be valid.",
                names=names,
            ),
            "warning",
        )


def _closed_message(effects: ClosingOutlook) -> str:
    if not effects.last:
        return str(_("The session is closed."))
    if effects.certificates_waiting:
        return str(
            _(
                "The offering is closed. Certificates being issued: %(issued)s. Waiting, because a name cannot be printed yet:"
                " %(waiting)s.",
                issued=effects.certificates_due - effects.certificates_waiting,
                waiting=effects.certificates_waiting,
            )
        )
    if effects.certificates_due:
        return ngettext(
            "The offering is closed. %(num)s certificate is being issued.",
            "The offering is closed. %(num)s certificates are being issued.",
            effects.certificates_due,
        )
    return str(_("The offering is closed."))
