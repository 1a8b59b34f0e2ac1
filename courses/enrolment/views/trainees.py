"""Pages of the register of trainees: the list, a trainee, corrections, proofs at the desk, and reading a phone or ID number."""

from datetime import date

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import (
    consents,
    daily_counts,
    desk_proofs,
    disclosures,
    identity_conflicts,
    labels,
    listings,
    merged_records,
    proposals,
    trainee_search,
    trainee_sections,
    trainees,
    trainees_rights,
)
from courses.enrolment.forms.consents import PaperConsentForm
from courses.enrolment.forms.trainees import (
    DayForm,
    DeskProofForm,
    ReasonToReadForm,
    TraineeEditForm,
    TraineeFilterForm,
)
from courses.models.daily_counts import CountedAct
from courses.models.trainees import IdType, Trainee
from lms.accounts.current import confirmed
from lms.core import clock, list_addresses
from lms.core.access import requires, scope
from lms.core.contacts import ContactKind
from lms.core.errors import NotFound
from lms.core.form_errors import refused_on
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import STAFF, STAFF_READERS, Role, fetch
from lms.core.sealed_search import redirect_to_search

blueprint = Blueprint("trainees", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*STAFF_READERS, reading=True)
def index() -> ResponseReturnValue:
    """The trainees in the user's scope, by name or by their registration, or those that a search finds."""
    if request.method == "POST":
        return redirect_to_search(TraineeFilterForm)
    form = TraineeFilterForm(request.args)
    form.validate()
    order = list_addresses.order_of(trainee_search.ORDERS)
    listing = trainee_search.search(db(), form.words.data or "", scope(), list_addresses.place(), order=order)
    return render_template(
        "trainees/index.html",
        form=form,
        listing=listing,
        order=order,
        legible=trainees_rights.legible_ids(db(), [trainee.id for trainee in listing.rows], scope()),
        to_decide=proposals.count_to_decide(db(), scope()),
        mask_phone=mask_phone,
    )


@blueprint.get("/reads")
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR)
def reads() -> ResponseReturnValue:
    """How many phones and ID numbers each user read on a day, and how many ID numbers did not agree with the name."""
    form = DayForm(request.args)
    form.validate()
    day = form.day.data or _today()
    return render_template(
        "trainees/reads.html",
        form=form,
        day=day,
        reads=daily_counts.list_of_day(db(), CountedAct.READ, day),
        calls=daily_counts.list_of_day(db(), CountedAct.CALL, day),
        conflicts=daily_counts.list_of_day(db(), CountedAct.CONFLICT, day),
        limit=_limit(),
    )


@blueprint.get("/<int:trainee_id>")
@requires(*STAFF_READERS)
def page(trainee_id: int) -> ResponseReturnValue:
    """The facts of a trainee, masked, and the trainee's enrolments. A merged record leads to the one that was kept."""
    try:
        trainee = fetch(db(), Trainee, trainee_id, scope())
    except NotFound:
        kept_id = merged_records.kept_id(db(), trainee_id)
        if kept_id is None:
            raise
        return redirect(url_for("trainees.page", trainee_id=fetch(db(), Trainee, kept_id, scope()).id))
    return _render_page(trainee, ReasonToReadForm())


@blueprint.route("/<int:trainee_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
@confirmed
def edit(trainee_id: int) -> ResponseReturnValue:
    """Correct a trainee's facts; whoever does not see all of the record proposes the change."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    may_change = trainees_rights.may_change(db(), trainee, scope())
    form = TraineeEditForm() if request.method == "POST" else TraineeEditForm.of(trainee, may_change=may_change)
    known = False
    if form.validate_on_submit():
        with refused_on(form):
            facts = form.facts()
            if not may_change:
                proposal = proposals.propose(db(), trainee, facts, form.reason.data)
                flash(_("The change was proposed. The record stays as it is until somebody decides."))
                return redirect(url_for("proposals.page", proposal_id=proposal.id))
            identity_conflicts.refuse_after_many(db(), [facts], _today())
            try:
                trainees.change(db(), trainee, facts, scope(), reason=form.reason.data)
            except trainees.PersonKnown as refusal:
                known = True
                identity_conflicts.count(db(), [trainee], _today())
                form.form_errors.append(_(refusal.message))
            else:
                flash(_("The trainee's record was saved."))
                return redirect(url_for("trainees.page", trainee_id=trainee_id))
    body = render_template(
        "trainees/edit.html",
        form=form,
        trainee=trainee,
        may_change=may_change,
        masked=trainees.masked_facts(trainee) if may_change else {},
    )
    # What was counted of a refusal is saved, and an answer of 400 or more would roll it back.
    return make_response(body, 422 if form.is_submitted() and not known else 200)


@blueprint.route("/<int:trainee_id>/proof", methods=["GET", "POST"])
@requires(*STAFF)
@confirmed
def prove(trainee_id: int) -> ResponseReturnValue:
    """Record that staff saw the person and a document, which proves contacts of the record."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    trainees_rights.demand_change(db(), trainee, scope())
    form = DeskProofForm()
    if form.validate_on_submit():
        with refused_on(form):
            desk_proofs.record(db(), trainee, form.kinds(), IdType(form.document.data), scope())
            flash(_("The contact is verified now. Your name and the time are recorded."))
            return redirect(url_for("trainees.page", trainee_id=trainee_id))
    body = render_template("trainees/prove.html", form=form, trainee=trainee, masked=trainees.masked_facts(trainee))
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:trainee_id>/id-number")
@requires(*STAFF)
@confirmed
def read_id_number(trainee_id: int) -> ResponseReturnValue:
    """Show an ID number once. The reason for it is recorded."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            number = disclosures.read_id_number(db(), trainee, form.reading(_today(), _limit()), scope())
            return _render_page(trainee, form, id_number=number)
    return make_response(_render_page(trainee, form), 422)


@blueprint.post("/<int:trainee_id>/phone")
@requires(*STAFF)
def read_phone(trainee_id: int) -> ResponseReturnValue:
    """Show the phones once, for example to call a trainee without e-mail. The reason for it is recorded."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            phones = disclosures.read_phones(db(), trainee, form.reading(_today(), _limit()), scope())
            return _render_page(trainee, form, phones=phones)
    return make_response(_render_page(trainee, form), 422)


def _render_page(
    trainee: Trainee,
    form: ReasonToReadForm,
    *,
    id_number: str | None = None,
    phones: disclosures.Phones | None = None,
) -> str:
    may_change = trainees_rights.may_change(db(), trainee, scope())
    enrolments = listings.list_of_trainee(db(), trainee.id, scope())
    return render_template(
        "trainees/page.html",
        trainee=trainee,
        masked=trainees.masked_facts(trainee),
        may_change=may_change,
        legible=may_change or scope().read_only,
        phone_proven=trainee.is_proven(ContactKind.PHONE),
        email_proven=trainee.is_proven(ContactKind.EMAIL),
        may_hand_over=may_change and desk_proofs.is_fresh(trainee, current_user.id),
        enrolments=enrolments,
        given_phones=dict.fromkeys(mask_phone(row.phone) for row in enrolments if row.phone),
        consent=consents.standing(db(), trainee.id),
        consent_withdrawn=consents.has_withdrawn(db(), trainee.id),
        needs_guardian=consents.needs_guardian(trainee),
        consent_form=PaperConsentForm(formdata=None),
        proposals=proposals.list_of_trainee(db(), trainee.id, scope()),
        reads_today=disclosures.reads_today(db(), _today()),
        reads_per_day=_limit(),
        state_of=labels.state_of,
        id_types=labels.ID_TYPES,
        form=form,
        id_number=id_number,
        phones=phones,
        **trainee_sections.facts(db(), trainee, scope()),
    )


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)


def _limit() -> int:
    limit: int = current_app.config["SETTINGS"].reads_per_day
    return limit
