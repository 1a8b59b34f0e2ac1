"""Pages of an offering's enrolments: the list, enrolling by staff, cancelling, and the waiting list."""

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import (
    consents,
    enrolment_keys,
    labels,
    listings,
    name_writings,
    namesakes,
    place_counts,
    place_offers,
    places,
    prerequisites,
    proposals,
    trainee_search,
    trainees,
    trainees_rights,
    waiting_groups,
)
from courses.enrolment.forms.enrolment import (
    ConflictForm,
    EnrolmentReasonForm,
    GroupForm,
    RegisteredTraineeForm,
    StaffEnrolmentForm,
)
from courses.enrolment.forms.trainees import TraineeSearchForm
from courses.enrolment.places import StaffEnrolmentResult
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from courses.models.privacy import ConsentWay
from courses.models.trainees import Trainee
from lms.core import clock, fonts, form_keys
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import OFFERING_READERS, STAFF, fetch

blueprint = Blueprint("enrolment", __name__)


@blueprint.get("/")
@requires(*OFFERING_READERS)
def index(offering_id: int) -> ResponseReturnValue:
    """The enrolments of an offering: those with a place, the waiting list, and the cancelled ones."""
    offering = fetch(db(), Offering, offering_id, scope())
    rows = listings.list_of_offering(db(), offering_id)
    standing_rows = [row.enrolment for row in rows if row.enrolment.state != EnrolmentState.CANCELLED]
    standing = [enrolment.trainee_id for enrolment in standing_rows]
    without_consent = consents.without(db(), standing)
    only_these = request.args.get("consent") == "missing"
    if only_these:
        rows = [row for row in rows if row.enrolment.trainee_id in without_consent]
    standings = prerequisites.of_enrolled(db(), offering, standing_rows)
    trainee_ids = [row.enrolment.trainee_id for row in rows if standings or not row.enrolment.phone_sealed]
    return render_template(
        "enrolment/index.html",
        offering=offering,
        rows=rows,
        without_consent=without_consent,
        only_without_consent=only_these,
        legible=trainees_rights.legible_ids(db(), trainee_ids, scope()),
        standings=standings,
        places=place_counts.count_places(db(), offering),
        state_of=labels.state_of,
        groups=waiting_groups.of_offering(db(), offering),
        sources=labels.SOURCES,
        mask_phone=mask_phone,
        unprintable={name.enrolment_id: name for name in name_writings.of_enrolments(db(), standing_rows)},
        named=fonts.named,
        hints=namesakes.hints(db(), {row.enrolment.id: row.enrolment.trainee.name for row in rows}),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*STAFF)
def new(offering_id: int) -> ResponseReturnValue:
    """Enrol a person by the facts that staff enter. A person without a record is registered.

    The same form sent again, as by a double tap, gets the answer of the first time.
    """
    offering = fetch(db(), Offering, offering_id, scope())
    form = StaffEnrolmentForm()
    form_hash = _form_hash(offering_id)
    result = StaffEnrolmentResult(None)
    if form.validate_on_submit():
        with refused_on(form):
            answered = enrolment_keys.claim(db(), form_hash)
            if answered is not None:
                return _redirect_enrolled(answered)
            confirmed = form.confirmed.data == "yes"
            result = places.enrol_by_staff(
                db(), offering, form.facts(), scope(), confirmed=confirmed, today=clock.branch_today()
            )
            if result.enrolment is not None:
                if form.consent_given.data:
                    guardian = None
                    if trainees.needs_guardian(form.facts()):
                        guardian = consents.guardian_of(form.guardian_name.data, form.guardian_relation.data)
                    consents.give(db(), result.enrolment.trainee, ConsentWay.DESK, guardian=guardian)
                enrolment_keys.remember(db(), form_hash, result.enrolment)
                return _redirect_enrolled(result.enrolment)
    body = _render_new(offering, form=form, warnings=result, search=TraineeSearchForm(formdata=None))
    # A conflict is counted and audited, and an answer of 400 or more would roll that back.
    return make_response(body, 422 if form.is_submitted() and not result.conflict else 200)


@blueprint.post("/conflict")
@requires(*STAFF)
def report_conflict(offering_id: int) -> ResponseReturnValue:
    """Hand an ID number that does not agree with the name to the city. The answer says nothing of any record."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = ConflictForm()
    if form.validate_on_submit():
        with refused_on(form):
            proposals.propose_after_conflict(db(), form.facts(), form.reason.data)
            flash(_("The matter was handed to the city."))
            return redirect(url_for("enrolment.index", offering_id=offering_id))
    staff_form = StaffEnrolmentForm()
    warnings = StaffEnrolmentResult(None, conflict=True)
    search = TraineeSearchForm(formdata=None)
    body = _render_new(offering, form=staff_form, warnings=warnings, search=search, conflict_form=form)
    return make_response(body, 422)


@blueprint.post("/find")
@requires(*STAFF)
def find(offering_id: int) -> ResponseReturnValue:
    """Search the register for a trainee to enrol."""
    offering = fetch(db(), Offering, offering_id, scope())
    search = TraineeSearchForm()
    search.validate()
    people = trainee_search.search(db(), search.words.data, scope()).rows if search.words.data else ()
    form = StaffEnrolmentForm(formdata=None)
    return _render_new(offering, form=form, warnings=StaffEnrolmentResult(None), search=search, people=people)


@blueprint.post("/known")
@requires(*STAFF)
def known(offering_id: int) -> ResponseReturnValue:
    """Enrol a trainee of the register."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = RegisteredTraineeForm()
    if not form.validate_on_submit():
        return redirect(url_for("enrolment.new", offering_id=offering_id))
    trainee = fetch(db(), Trainee, form.trainee_id.data, scope())
    form_hash = _form_hash(offering_id)
    result = StaffEnrolmentResult(None)
    with refused_on(form):
        answered = enrolment_keys.claim(db(), form_hash)
        if answered is not None:
            return _redirect_enrolled(answered)
        result = places.enrol_registered(
            db(), offering, trainee, confirmed=form.confirmed.data == "yes", given=form.given(trainee.name)
        )
        if result.enrolment is not None:
            if form.consent_given.data and not consents.needs_guardian(trainee):
                consents.give(db(), trainee, ConsentWay.DESK)
            enrolment_keys.remember(db(), form_hash, result.enrolment)
            return _redirect_enrolled(result.enrolment)
    body = render_template(
        "enrolment/known.html",
        offering=offering,
        trainee=trainee,
        form=form,
        form_key=form_keys.key_of(_form_name(offering_id)),
        warnings=result,
    )
    return make_response(body, 422)


@blueprint.route("/<int:enrolment_id>/cancel", methods=["GET", "POST"])
@requires(*STAFF)
def cancel(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Cancel a trainee's enrolment with a reason. The first trainee on the waiting list gets the place."""
    return _form_with_reason(
        "enrolment/cancel.html", offering_id, enrolment_id, places.cancel, _("The enrolment was cancelled.")
    )


@blueprint.route("/<int:enrolment_id>/place", methods=["GET", "POST"])
@requires(*STAFF)
def give_place(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Give a trainee on the waiting list a place out of turn, with a reason."""
    return _form_with_reason(
        "enrolment/give_place.html", offering_id, enrolment_id, places.give_place, _("The trainee has a place now.")
    )


@blueprint.route("/<int:enrolment_id>/withdraw-offer", methods=["GET", "POST"])
@requires(*STAFF)
def withdraw_offer(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Withdraw the offer of a place with a reason; the person goes to the end of the waiting list."""
    return _form_with_reason(
        "enrolment/withdraw_offer.html", offering_id, enrolment_id, place_offers.withdraw, _("The offer was withdrawn.")
    )


@blueprint.post("/<int:enrolment_id>/group")
@requires(*STAFF)
def group(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Record whether places may be given to a part of the people who wait together."""
    enrolment = _get_enrolment(offering_id, enrolment_id)
    form = GroupForm()
    if form.validate_on_submit():
        waiting_groups.set_may_split(db(), enrolment, may_split=form.split.data == "part")
    return redirect(url_for("enrolment.index", offering_id=offering_id, _anchor="waiting"))


@blueprint.post("/<int:enrolment_id>/up")
@requires(*STAFF)
def move_up(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Move a trainee up by one position on the waiting list."""
    places.move_up(db(), _get_enrolment(offering_id, enrolment_id))
    return redirect(url_for("enrolment.index", offering_id=offering_id, _anchor="waiting"))


def _get_enrolment(offering_id: int, enrolment_id: int) -> Enrolment:
    return listings.get_in_offering(db(), offering_id, enrolment_id, scope())


def _form_name(offering_id: int) -> str:
    return f"enrol_by_staff:{offering_id}"


def _form_hash(offering_id: int) -> bytes | None:
    """The hash of a form that staff sent, bound to the user: a browser may be used by one after the other."""
    return form_keys.hash_of_request(_form_name(offering_id), current_user.id) if request.method == "POST" else None


def _form_with_reason(
    template: str, offering_id: int, enrolment_id: int, rule: Callable[..., None], success_message: str
) -> ResponseReturnValue:
    """Show a form that asks for a reason, and call the rule with the enrolment and the reason."""
    enrolment = _get_enrolment(offering_id, enrolment_id)
    form = EnrolmentReasonForm()
    if form.validate_on_submit():
        with refused_on(form):
            rule(db(), enrolment, form.reason.data)
            flash(success_message)
            return redirect(url_for("enrolment.index", offering_id=offering_id))
    counts = place_counts.count_places(db(), enrolment.offering)
    body = render_template(template, enrolment=enrolment, offering=enrolment.offering, form=form, places=counts)
    return make_response(body, 422 if form.is_submitted() else 200)


def _render_new(
    offering: Offering,
    *,
    form: StaffEnrolmentForm,
    warnings: StaffEnrolmentResult,
    search: TraineeSearchForm,
    people: Sequence[Trainee] | None = None,
    conflict_form: ConflictForm | None = None,
) -> str:
    demands = prerequisites.of_offering(offering)
    return render_template(
        "enrolment/new.html",
        offering=offering,
        form=form,
        form_key=form_keys.key_of(_form_name(offering.id)),
        warnings=warnings,
        search=search,
        people=people,
        demands=demands,
        types=prerequisites.type_names(db(), demands),
        legible=trainees_rights.legible_ids(db(), [person.id for person in people or ()], scope()),
        conflict_form=conflict_form or (ConflictForm() if warnings.conflict else None),
        places=place_counts.count_places(db(), offering),
        mask_phone=mask_phone,
        has_searched=request.endpoint == "enrolment.find",
    )


def _redirect_enrolled(enrolment: Enrolment) -> ResponseReturnValue:
    """Say that a person is enrolled, and that a demanded certificate is not known of a person whose record may be seen."""
    standing = prerequisites.of_enrolled(db(), enrolment.offering, [enrolment]).get(enrolment.trainee_id)
    legible = trainees_rights.legible_ids(db(), [enrolment.trainee_id], scope()) if standing else ()
    if standing is not None and not standing.met and legible:
        flash(
            _(
                "No certificate is known of %(name)s that this course accepts. Without one there is no certificate at the"
                " end: check the paper.",
                name=enrolment.trainee.name,
            ),
            "warning",
        )
    if enrolment.state == EnrolmentState.WAITLISTED:
        flash(_("%(name)s is on the waiting list: the offering is full.", name=enrolment.trainee.name), "warning")
    else:
        flash(_("%(name)s is enrolled.", name=enrolment.trainee.name))
    return redirect(url_for("enrolment.index", offering_id=enrolment.offering_id))
