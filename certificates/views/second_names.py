"""The second writing of the holder's name, by ticket: pinyin with the ticket alone, any other with a code to the phone."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import documents, holding
from certificates.branch import Branch
from certificates.forms import SecondNameForm
from certificates.models import Certificate
from certificates.second_names import second_names
from certificates.second_names.models import Way
from certificates.views.holding import DOCUMENTS
from certificates.views.unlisted import unlisted
from lms.accounts import contact_checks, proven_here
from lms.accounts.forms import ButtonForm
from lms.core.access import public
from lms.core.contacts import ContactKind
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("second_names", __name__)


@blueprint.route("/<ticket>/second-name", methods=["GET", "POST"])
@public
@limiter.limit(DOCUMENTS, methods=["POST"])
@unlisted
def page(ticket: str) -> ResponseReturnValue:
    """Choose the writing beneath the name; the pinyin is proposed."""
    certificate = holding.of_ticket(db(), ticket)
    if second_names.refusal(certificate) is not None:
        return redirect(url_for("holding.page", ticket=ticket))
    present = documents.second_name(certificate)
    form = SecondNameForm(data={"writing": present or second_names.proposal(certificate)})
    way = _way(certificate)
    if form.validate_on_submit():
        with refused_on(form):
            branch = Branch.of(current_app.config["SETTINGS"])
            row = second_names.record(db(), certificate, form.writing.data, way, branch=branch)
            flash(_("Recorded. The certificate now also shows %(writing)s.", writing=row.writing))
            return redirect(url_for("holding.page", ticket=ticket))
    body = render_template(
        "holding/second_name.html",
        ticket=ticket,
        certificate=certificate,
        form=form,
        present=present,
        proposal=second_names.proposal(certificate),
        proven=way is Way.PROOF,
        can_send=certificate.enrolment.trainee.phone is not None
        and contact_checks.can_send(second_names.PROOF, ContactKind.PHONE),
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<ticket>/second-name/withdraw")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def withdraw(ticket: str) -> ResponseReturnValue:
    """Print the name alone again."""
    certificate = holding.of_ticket(db(), ticket)
    try:
        second_names.withdraw(db(), certificate, _way(certificate))
    except DomainError as error:
        flash(message_of(error), "warning")
        return redirect(url_for("second_names.page", ticket=ticket))
    flash(_("The certificate shows the name alone again."))
    return redirect(url_for("holding.page", ticket=ticket))


@blueprint.post("/<ticket>/second-name/code")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def ask_for_code(ticket: str) -> ResponseReturnValue:
    """Send a code to the record's phone, which lets the holder choose any writing."""
    certificate = holding.of_ticket(db(), ticket)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            check = second_names.ask_for_code(db(), certificate, language=language(), address=request.remote_addr or "")
            return redirect(contact_checks.page_of(check))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("second_names.page", ticket=ticket))


def _way(certificate: Certificate) -> Way:
    """The proof that this browser has given."""
    check = proven_here.find(db(), second_names.PROOF, second_names.subject_of(certificate.enrolment))
    return Way.PROOF if check is not None else Way.READING
