"""The review list: check-ins in doubt, each accepted, merged or rejected with a tap."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.attendance import roster as rosters
from courses.attendance.forms.attendance import NewcomerForm
from courses.attendance.review_queue import WORDS
from courses.closing import reviews
from courses.closing.forms.reviews import MergeForm
from courses.closing.reviews import Settled
from courses.models.offerings import CourseSession
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.errors import N_, NotFound
from lms.core.scope import STAFF, Role
from lms.core.web import db, refused_on

blueprint = Blueprint("reviews", __name__)

TAKERS = (Role.INSTRUCTOR, *STAFF)
REASONS = (N_("Was not there"), N_("Scanned or tapped by mistake"), N_("Entered twice"), N_("Not for this training"))


@blueprint.get("")
@requires(*TAKERS, Role.AUDITOR)
def index() -> ResponseReturnValue:
    """All that waits, by session; one session's alone with `?session=`."""
    only = request.args.get("session", type=int)
    meeting = rosters.meeting(db(), only, scope()) if only is not None else None
    sittings = reviews.waiting(db(), scope(), session_id=only)
    return render_template(
        "reviews/index.html",
        sittings=sittings,
        meeting=meeting,
        words=WORDS,
        reasons=REASONS,
        may_decide=not scope().read_only,
    )


@blueprint.get("/<uuid:event_id>")
@requires(*TAKERS)
def page(event_id: UUID) -> ResponseReturnValue:
    """One case: choose whose it is, register somebody new, or reject it."""
    return _page(event_id, MergeForm(formdata=None), NewcomerForm(formdata=None))


@blueprint.post("/<uuid:event_id>/accept")
@requires(*TAKERS)
def accept(event_id: UUID) -> ResponseReturnValue:
    """It counts for whom it names."""
    return _done([reviews.accept(db(), event_id, **_who_and_when())])


@blueprint.post("/accept")
@requires(*TAKERS)
def accept_all() -> ResponseReturnValue:
    """Several at once: those of a session that name somebody."""
    try:
        events = [UUID(one) for one in request.form.getlist("event")]
    except ValueError as error:
        raise NotFound from error
    return _done(reviews.accept_all(db(), events, **_who_and_when()))


@blueprint.post("/<uuid:event_id>/merge")
@requires(*TAKERS)
def merge(event_id: UUID) -> ResponseReturnValue:
    """It counts for somebody of the training, or of the register."""
    trainee_id = request.form.get("trainee", type=int)
    if trainee_id is not None:
        return _done([reviews.merge_trainee(db(), event_id, trainee_id, **_who_and_when())])
    enrolment_id = request.form.get("enrolment", type=int)
    return _done([reviews.merge(db(), event_id, enrolment_id, **_who_and_when())])


@blueprint.post("/<uuid:event_id>/admit")
@requires(*TAKERS)
def admit(event_id: UUID) -> ResponseReturnValue:
    """It counts for somebody who is registered now."""
    form = NewcomerForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _done([reviews.admit(db(), event_id, form.facts(), **_who_and_when())])
    return make_response(_page(event_id, MergeForm(formdata=None), form), 422)


@blueprint.post("/<uuid:event_id>/reject")
@requires(*TAKERS)
def reject(event_id: UUID) -> ResponseReturnValue:
    """It never counts, for a reason."""
    reason = request.form.get("reason") or request.form.get("choice") or ""
    done = reviews.reject(db(), event_id, reason, scope=scope(), now=clock.now())
    flash(_("The check-in was rejected. It stays on record with the reason."))
    return _back(done.session_id)


def _page(event_id: UUID, choosing: MergeForm, admitting: NewcomerForm) -> str:
    sitting = reviews.case_of(db(), event_id, scope())
    (case,) = sitting.cases
    meeting = rosters.meeting(db(), sitting.meeting.id, scope())
    choosing.enrolment.choices = _people(meeting)
    if not admitting.is_submitted():
        admitting.name.data = case.name
    return render_template(
        "reviews/page.html",
        case=case,
        meeting=meeting,
        choosing=choosing,
        merging_choices=bool(choosing.enrolment.choices),
        admitting=admitting,
        words=WORDS,
        reasons=REASONS,
    )


def _people(meeting: CourseSession) -> list[tuple[str, str]]:
    """Who may be meant: those of the training, whoever is missing first."""
    people = rosters.read(db(), meeting)
    rows = sorted([*people.rows, *people.waiting], key=lambda row: row.present)
    named = [(str(row.enrolment_id), f"{row.name} ··{row.phone_tail}" if row.phone_tail else row.name) for row in rows]
    return [("", _("Choose…")), *named] if named else []


def _who_and_when() -> dict[str, Any]:
    return {"scope": scope(), "now": clock.now(), "zone": current_app.config["SETTINGS"].zone}


def _done(settled: Sequence[Settled]) -> ResponseReturnValue:
    if not settled:
        return redirect(url_for(".index"))
    if len(settled) == 1:
        flash(_("The check-in of %(name)s counts now.", name=settled[0].name))
    else:
        flash(ngettext("%(num)s check-in counts now.", "%(num)s check-ins count now.", len(settled)))
    names = "、".join(one.enrolment.trainee.name for one in settled[0].unentitled)
    if names:
        flash(
            _(
                "A certificate was issued to %(names)s, who no longer meets what the course asks. Certificates are not"
                " withdrawn by themselves: revoke it if it should not stand.",
                names=names,
            ),
            "warning",
        )
    return _back(settled[0].session_id)


def _back(session_id: int) -> ResponseReturnValue:
    only = session_id if request.form.get("only") else None
    return redirect(url_for(".index", session=only))
