"""The page on which staff record the writing of a name that no font can print, as the holder chose it."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import listings, name_writings
from courses.enrolment.forms.name_writings import WithdrawForm, WritingForm
from courses.models.enrolment import Enrolment
from lms.core import fonts
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import STAFF

blueprint = Blueprint("name_writings", __name__)


@blueprint.route("/<int:enrolment_id>/writing", methods=["GET", "POST"])
@requires(*STAFF)
def page(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show what lacks and the writings so far, and record another."""
    enrolment = listings.get_in_offering(db(), offering_id, enrolment_id, scope())
    form = WritingForm(data={"writing": name_writings.suggestion(db(), enrolment)})
    if form.validate_on_submit():
        with refused_on(form):
            row = name_writings.record(db(), enrolment, form.writing.data, form.reason.data or "")
            flash(_("Recorded. The certificate will print %(writing)s.", writing=row.writing))
            return redirect(url_for(".page", offering_id=offering_id, enrolment_id=enrolment_id))
    return make_response(_render(enrolment, form, WithdrawForm(formdata=None)), 422 if form.is_submitted() else 200)


@blueprint.post("/<int:enrolment_id>/writing/withdraw")
@requires(*STAFF)
def withdraw(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Undo the writing, with a reason, as long as no certificate was issued with it."""
    enrolment = listings.get_in_offering(db(), offering_id, enrolment_id, scope())
    form = WithdrawForm()
    if form.validate_on_submit():
        with refused_on(form):
            name_writings.withdraw(db(), enrolment, form.reason.data or "")
            flash(_("The writing was undone. The certificate waits for a decision."))
            return redirect(url_for(".page", offering_id=offering_id, enrolment_id=enrolment_id))
    return make_response(_render(enrolment, WritingForm(formdata=None), form), 422)


def _render(enrolment: Enrolment, form: WritingForm, withdraw_form: WithdrawForm) -> str:
    name = enrolment.trainee.name
    return render_template(
        "enrolment/writing.html",
        enrolment=enrolment,
        offering=enrolment.offering,
        lacking=fonts.named(fonts.unprintable(name)),
        writing=name_writings.current(db(), enrolment),
        history=name_writings.history(db(), enrolment.id),
        form=form,
        withdraw_form=withdraw_form,
    )
