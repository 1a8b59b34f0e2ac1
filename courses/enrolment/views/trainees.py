"""Pages of the register of trainees: the list, a trainee, corrections, and reading an ID number or a phone."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import labels, listings, trainees
from courses.enrolment.forms.trainees import ReasonToReadForm, TraineeEditForm, TraineeFilterForm
from courses.models.trainees import Trainee
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import STAFF, STAFF_READERS, fetch
from lms.core.sealed_search import redirect_to_search

blueprint = Blueprint("trainees", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*STAFF_READERS, reading=True)
def index() -> ResponseReturnValue:
    """The trainees in the user's scope, or those that a search finds, newest first."""
    if request.method == "POST":
        return redirect_to_search(TraineeFilterForm)
    form = TraineeFilterForm(request.args)
    form.validate()
    listing = trainees.search(db(), form.words.data or "", scope(), request.args.get("page", 1, type=edge.page_number))
    return render_template("trainees/index.html", form=form, listing=listing, mask_phone=mask_phone)


@blueprint.get("/<int:trainee_id>")
@requires(*STAFF_READERS)
def page(trainee_id: int) -> ResponseReturnValue:
    """The facts of a trainee, masked, and the trainee's enrolments."""
    return _render_page(fetch(db(), Trainee, trainee_id, scope()), ReasonToReadForm())


@blueprint.route("/<int:trainee_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
def edit(trainee_id: int) -> ResponseReturnValue:
    """Correct a trainee's facts."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = TraineeEditForm() if request.method == "POST" else TraineeEditForm.of(trainee)
    if form.validate_on_submit():
        with refused_on(form):
            trainees.change(db(), trainee, form.facts(), reason=form.reason.data)
            flash(_("The trainee's record was saved."))
            return redirect(url_for("trainees.page", trainee_id=trainee_id))
    body = render_template("trainees/edit.html", form=form, trainee=trainee, masked=trainees.masked_facts(trainee))
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:trainee_id>/id-number")
@requires(*STAFF)
def read_id_number(trainee_id: int) -> ResponseReturnValue:
    """Show an ID number once. The reason for it is recorded."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _render_page(trainee, form, id_number=trainees.read_id_number(db(), trainee, form.why.data))
    return make_response(_render_page(trainee, form), 422)


@blueprint.post("/<int:trainee_id>/phone")
@requires(*STAFF)
def read_phone(trainee_id: int) -> ResponseReturnValue:
    """Show the phones once, for example to call a trainee without e-mail. The reason for it is recorded."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _render_page(trainee, form, phones=trainees.read_phones(db(), trainee, form.why.data))
    return make_response(_render_page(trainee, form), 422)


def _render_page(
    trainee: Trainee,
    form: ReasonToReadForm,
    *,
    id_number: str | None = None,
    phones: tuple[str | None, str | None] | None = None,
) -> str:
    return render_template(
        "trainees/page.html",
        trainee=trainee,
        masked=trainees.masked_facts(trainee),
        enrolments=listings.list_of_trainee(db(), trainee.id, scope()),
        states=labels.STATES,
        id_types=labels.ID_TYPES,
        form=form,
        id_number=id_number,
        phones=phones,
    )
