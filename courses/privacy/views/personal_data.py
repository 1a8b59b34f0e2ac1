"""Pages of a person's data for administrators: consents, the export, and the erasure."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import consents, trainees_rights
from courses.enrolment.forms.consents import PaperConsentForm, WithdrawalForm
from courses.models.privacy import ConsentWay
from courses.models.trainees import Trainee
from courses.privacy import erasure, labels
from courses.privacy.forms.personal_data import EraseForm, ExportForm, RefuseErasureForm
from courses.privacy.views import files
from lms.accounts.current import confirmed
from lms.accounts.forms import ButtonForm
from lms.core import personal_data
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, STAFF, Role, fetch

blueprint = Blueprint("personal_data", __name__)


@blueprint.get("/<int:trainee_id>/data")
@requires(*ADMINISTRATORS)
def page(trainee_id: int) -> ResponseReturnValue:
    """The consents of a person, the request for erasure, and the forms for export and erasure."""
    return _render(_person(trainee_id), ExportForm())


@blueprint.post("/<int:trainee_id>/data/export")
@requires(*ADMINISTRATORS)
@confirmed
def export(trainee_id: int) -> ResponseReturnValue:
    """Send everything about a person as a file. The reason is recorded."""
    trainee = _person(trainee_id)
    form = ExportForm()
    if form.validate_on_submit():
        with refused_on(form):
            return files.answer(trainee, reason=form.reason.data)
    return make_response(_render(trainee, form), 422)


@blueprint.post("/<int:trainee_id>/data/consent")
@requires(*STAFF)
def consent(trainee_id: int) -> ResponseReturnValue:
    """Record a consent that staff have on paper or heard in person."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    form = PaperConsentForm()
    if form.validate_on_submit():
        with refused_on(form):
            guardian = None
            if consents.needs_guardian(trainee) or form.guardian_name.data:
                name = form.guardian_name.data or trainee.guardian_name
                guardian = consents.guardian_of(name, form.guardian_relation.data)
            consents.give(db(), trainee, ConsentWay.DESK, guardian=guardian)
            flash(_("The consent was recorded."))
            return redirect(url_for("trainees.page", trainee_id=trainee_id))
    for messages in form.errors.values():
        flash(" ".join(map(str, messages)), "warning")
    return redirect(url_for("trainees.page", trainee_id=trainee_id))


@blueprint.post("/<int:trainee_id>/data/withdrawal")
@requires(*ADMINISTRATORS)
def withdraw(trainee_id: int) -> ResponseReturnValue:
    """Record that a person withdrew the consent on paper or in person."""
    trainee = _person(trainee_id)
    consents.withdraw(db(), trainee, WithdrawalForm().reason.data)
    flash(_("The withdrawal was recorded."))
    return redirect(url_for("personal_data.page", trainee_id=trainee_id))


@blueprint.post("/<int:trainee_id>/data/request")
@requires(*ADMINISTRATORS)
def ask(trainee_id: int) -> ResponseReturnValue:
    """Record a request for erasure that the person made on paper."""
    trainee = _person(trainee_id)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            erasure.ask(db(), trainee, by_staff=True)
            flash(_("The request was recorded. The city decides."))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("personal_data.page", trainee_id=trainee_id))


@blueprint.route("/<int:trainee_id>/data/erase", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
@confirmed
def erase(trainee_id: int) -> ResponseReturnValue:
    """Show what an erasure would remove and what would stay; then erase."""
    trainee = _person(trainee_id)
    form = EraseForm()
    if form.validate_on_submit():
        with refused_on(form):
            erasure.erase(db(), trainee_id, reason=form.reason.data)
            flash(_("The data of this person was erased."))
            return redirect(url_for("trainees.page", trainee_id=trainee_id))
    body = render_template(
        "personal_data/erase.html",
        trainee=trainee,
        form=form,
        refuse_form=RefuseErasureForm(formdata=None),
        preview=erasure.preview(db(), trainee) if trainee.erased_at is None else None,
        request_open=erasure.open_request(db(), trainee_id),
        kinds={kind.code: kind.label for kind in personal_data.registered()},
        remains=personal_data.REMAINS,
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:trainee_id>/data/refuse")
@requires(Role.CITY_ADMINISTRATOR)
def refuse(trainee_id: int) -> ResponseReturnValue:
    """Refuse a request for erasure, with an answer that the person gets."""
    trainee = _person(trainee_id)
    form = RefuseErasureForm()
    if form.validate_on_submit():
        with refused_on(form):
            erasure.refuse(db(), trainee, form.answer.data)
            flash(_("The request was refused, and the person was told."))
            return redirect(url_for("personal_data.page", trainee_id=trainee_id))
    flash(_("Enter an answer to the person."), "warning")
    return redirect(url_for("personal_data.erase", trainee_id=trainee_id))


def _person(trainee_id: int) -> Trainee:
    """The person, whose whole record the scope covers. Raises NotFound and Denied."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    trainees_rights.demand_change(db(), trainee, scope())
    return trainee


def _render(trainee: Trainee, form: ExportForm) -> str:
    return render_template(
        "personal_data/page.html",
        trainee=trainee,
        form=form,
        consents=consents.history(db(), trainee.id),
        request_open=erasure.open_request(db(), trainee.id),
        ways=labels.WAYS,
        givers=labels.GIVERS,
        relations=labels.RELATIONS,
        needs_guardian=consents.needs_guardian(trainee),
        paper_form=PaperConsentForm(formdata=None),
    )
