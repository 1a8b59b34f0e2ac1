"""The second writing of a holder's name, as staff record it for somebody who asks at the desk."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import documents
from certificates.branch import Branch
from certificates.forms import SecondNameForm
from certificates.models import Certificate
from certificates.second_names import second_names
from certificates.second_names.models import Way
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, fetch

blueprint = Blueprint("staff_second_names", __name__)


@blueprint.route("/<int:certificate_id>/second-name", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def page(certificate_id: int) -> ResponseReturnValue:
    """Record what the holder wants beneath the name."""
    certificate = fetch(db(), Certificate, certificate_id, scope())
    present = documents.second_name(certificate)
    form = SecondNameForm(data={"writing": present or second_names.proposal(certificate)})
    if form.validate_on_submit():
        with refused_on(form):
            branch = Branch.of(current_app.config["SETTINGS"])
            row = second_names.record(db(), certificate, form.writing.data, Way.STAFF, branch=branch)
            flash(_("Recorded. The certificate now also shows %(writing)s.", writing=row.writing))
            return redirect(url_for("certificates.page", certificate_id=certificate.id))
    body = render_template("holding/staff_second_name.html", certificate=certificate, form=form, present=present)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:certificate_id>/second-name/withdraw")
@requires(*ADMINISTRATORS)
def withdraw(certificate_id: int) -> ResponseReturnValue:
    """Print the name alone again."""
    certificate = fetch(db(), Certificate, certificate_id, scope())
    second_names.withdraw(db(), certificate, Way.STAFF)
    flash(_("The certificate shows the name alone again."))
    return redirect(url_for("certificates.page", certificate_id=certificate.id))
