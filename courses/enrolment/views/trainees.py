"""Trainees: the register, a person's page, corrections, and reading an ID number."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import listings, trainees
from courses.enrolment.forms.trainees import ID_TYPES, ReasonToReadForm, RegisterForm, TraineeEditForm
from courses.models.trainees import Trainee
from lms.core.access import requires, scope
from lms.core.masks import mask_phone
from lms.core.scope import STAFF, Role, fetch
from lms.core.sought import narrowed
from lms.core.web import db, refused_on

blueprint = Blueprint("trainees", __name__)

READERS = (*STAFF, Role.AUDITOR)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*READERS, reading=True)
def index() -> ResponseReturnValue:
    """The trainees in reach, or those who were sought, newest first."""
    if request.method == "POST":
        return narrowed(RegisterForm)
    form = RegisterForm(request.args)
    form.validate()
    found = trainees.search(db(), form.words.data or "", scope(), request.args.get("page", 1, type=int))
    return render_template("trainees/index.html", form=form, listing=found, mask_phone=mask_phone)


@blueprint.get("/<int:trainee_id>")
@requires(*READERS)
def page(trainee_id: int) -> ResponseReturnValue:
    """A trainee's facts, masked, and their enrolments."""
    return _page(fetch(db(), Trainee, trainee_id, scope()), ReasonToReadForm())


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
    body = render_template("trainees/edit.html", form=form, trainee=trainee, masked=trainees.masked(trainee))
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:trainee_id>/id-number")
@requires(*STAFF)
def read_id_number(trainee_id: int) -> ResponseReturnValue:
    """Show an ID number once, in answer to a reason that is kept."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _page(trainee, form, number=trainees.read_id_number(db(), trainee, form.why.data))
    return make_response(_page(trainee, form), 422)


@blueprint.post("/<int:trainee_id>/phone")
@requires(*STAFF)
def read_phone(trainee_id: int) -> ResponseReturnValue:
    """Show the phones once, in answer to a reason that is kept: somebody without e-mail has to be called."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = ReasonToReadForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _page(trainee, form, phones=trainees.read_phones(db(), trainee, form.why.data))
    return make_response(_page(trainee, form), 422)


def _page(
    trainee: Trainee,
    form: ReasonToReadForm,
    *,
    number: str | None = None,
    phones: tuple[str | None, str | None] | None = None,
) -> str:
    return render_template(
        "trainees/page.html",
        trainee=trainee,
        masked=trainees.masked(trainee),
        enrolments=listings.of_person(db(), trainee.id, scope()),
        states=listings.STATES,
        id_types=dict(ID_TYPES),
        form=form,
        number=number,
        phones=phones,
    )
