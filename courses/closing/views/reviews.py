"""The pages of the review queue: check-ins that need a decision are accepted, merged, admitted or rejected."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.attendance import review_queue, roster
from courses.attendance.forms.attendance import NewcomerForm
from courses.attendance.review_queue import REVIEW_LABELS
from courses.closing import reviews
from courses.closing.forms.reviews import MergeForm
from courses.closing.reviews import ReviewOutcome
from courses.closing.views.sessions import flash_unentitled
from courses.models.offerings import CourseSession
from lms.core import clock, edge
from lms.core.access import requires, scope
from lms.core.errors import N_, NotFound
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, Role

blueprint = Blueprint("reviews", __name__)

REJECTION_REASONS = (
    N_("Was not there"),
    N_("Scanned or tapped by mistake"),
    N_("Entered twice"),
    N_("Not for this training"),
)


@blueprint.get("")
@requires(*ATTENDANCE_TAKERS, Role.AUDITOR)
def index() -> ResponseReturnValue:
    """List the queue by session; with `?session=<id>` only the cases of that session."""
    session_id = request.args.get("session", type=edge.row_id)
    meeting = roster.load_session(db(), session_id, scope()) if session_id is not None else None
    return render_template(
        "reviews/index.html",
        queue=review_queue.cases_by_session(db(), scope(), session_id=session_id),
        meeting=meeting,
        cause_labels=REVIEW_LABELS,
        rejection_reasons=REJECTION_REASONS,
        may_decide=not scope().read_only,
    )


@blueprint.get("/<uuid:event_id>")
@requires(*ATTENDANCE_TAKERS)
def page(event_id: UUID) -> ResponseReturnValue:
    """Show one case: choose the trainee, register a new one, or reject it."""
    return _page(event_id, MergeForm(formdata=None), NewcomerForm(formdata=None))


@blueprint.post("/<uuid:event_id>/accept")
@requires(*ATTENDANCE_TAKERS)
def accept(event_id: UUID) -> ResponseReturnValue:
    """Accept one check-in for the trainee it names."""
    return _counted([reviews.accept(db(), event_id, **_rule_context())])


@blueprint.post("/accept")
@requires(*ATTENDANCE_TAKERS)
def accept_all() -> ResponseReturnValue:
    """Accept several check-ins at once; the page sends those of a session that name a trainee."""
    try:
        events = [UUID(text) for text in request.form.getlist("event")]
    except ValueError as error:
        raise NotFound from error
    return _counted(reviews.accept_all(db(), events, **_rule_context()))


@blueprint.post("/<uuid:event_id>/merge")
@requires(*ATTENDANCE_TAKERS)
def merge(event_id: UUID) -> ResponseReturnValue:
    """Assign a check-in to an enrolment of the offering, or to a trainee of the register."""
    trainee_id = request.form.get("trainee", type=edge.row_id)
    if trainee_id is not None:
        return _counted([reviews.merge_trainee(db(), event_id, trainee_id, **_rule_context())])
    enrolment_id = request.form.get("enrolment", type=edge.row_id)
    return _counted([reviews.merge(db(), event_id, enrolment_id, **_rule_context())])


@blueprint.post("/<uuid:event_id>/admit")
@requires(*ATTENDANCE_TAKERS)
def admit(event_id: UUID) -> ResponseReturnValue:
    """Register a new trainee and assign the check-in to that trainee."""
    form = NewcomerForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _counted([reviews.admit(db(), event_id, form.facts(), **_rule_context())])
    return make_response(_page(event_id, MergeForm(formdata=None), form), 422)


@blueprint.post("/<uuid:event_id>/reject")
@requires(*ATTENDANCE_TAKERS)
def reject(event_id: UUID) -> ResponseReturnValue:
    """Reject a check-in, with one of the offered reasons or a typed one."""
    reason = request.form.get("reason") or request.form.get("choice") or ""
    outcome = reviews.reject(db(), event_id, reason, scope=scope(), now=clock.now())
    flash(_("The check-in was rejected. It stays on record with the reason."))
    return _back(outcome.session_id)


def _page(event_id: UUID, merge_form: MergeForm, admit_form: NewcomerForm) -> str:
    queued = review_queue.case_of(db(), event_id, scope())
    (case,) = queued.cases
    meeting = roster.load_session(db(), queued.meeting.id, scope())
    merge_form.enrolment.choices = _choices(meeting)
    if not admit_form.is_submitted():
        admit_form.name.data = case.name or ""
    return render_template(
        "reviews/page.html",
        case=case,
        meeting=meeting,
        merge_form=merge_form,
        mergeable=bool(merge_form.enrolment.choices),
        admit_form=admit_form,
        cause_labels=REVIEW_LABELS,
        rejection_reasons=REJECTION_REASONS,
    )


def _choices(meeting: CourseSession) -> list[tuple[str, str]]:
    """The trainees of the offering as choices of `MergeForm`, those who are absent first."""
    people = roster.read_roster(db(), meeting)
    rows = sorted([*people.rows, *people.waiting], key=lambda row: row.present)
    choices = [(str(row.enrolment_id), f"{row.name} {row.told_apart}".rstrip()) for row in rows]
    return [("", _("Choose…")), *choices] if choices else []


def _rule_context() -> dict[str, Any]:
    return {"scope": scope(), "now": clock.now(), "zone": current_app.config["SETTINGS"].zone}


def _counted(outcomes: Sequence[ReviewOutcome]) -> ResponseReturnValue:
    if not outcomes:
        return redirect(url_for(".index"))
    if len(outcomes) == 1:
        flash(_("The check-in of %(name)s counts now.", name=outcomes[0].name))
    else:
        flash(ngettext("%(num)s check-in counts now.", "%(num)s check-ins count now.", len(outcomes)))
    flash_unentitled(outcomes[0].unentitled)
    return _back(outcomes[0].session_id)


def _back(session_id: int) -> ResponseReturnValue:
    """Redirect to the list: to that of the one session where the decision was made there (field `only`)."""
    return redirect(url_for(".index", session=session_id if request.form.get("only") else None))
