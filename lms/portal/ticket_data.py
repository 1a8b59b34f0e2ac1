"""Consent and the writing of a name by ticket, for people without an account; and, after a code to the record's phone,
asking for a correction.
"""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates.views.unlisted import unlisted
from courses.enrolment import consents, name_writings, own_corrections, privacy_texts, ticket_accounts
from courses.enrolment.forms.consents import ConsentForm, WithdrawalForm
from courses.enrolment.forms.name_writings import OwnWritingForm
from courses.models.enrolment import Enrolment
from courses.models.privacy import ConsentWay
from courses.privacy.forms.personal_data import CorrectionForm
from lms.accounts import proven_here
from lms.core import fonts
from lms.core.access import public
from lms.core.errors import NotFound
from lms.core.form_errors import refused_on
from lms.core.limits import limiter
from lms.core.request_db import db
from lms.portal import tickets

blueprint = Blueprint("ticket_data", __name__)

CEILING = "600 per 10 minutes"


@blueprint.route("/<ticket>/consent", methods=["GET", "POST"])
@public
@limiter.limit(CEILING, methods=["POST"])
@unlisted
def consent(ticket: str) -> ResponseReturnValue:
    """Agree to the privacy notice, or see what was agreed to and withdraw it."""
    enrolment = tickets.of_ticket(ticket)
    form = ConsentForm()
    if form.validate_on_submit():
        with refused_on(form):
            text = consents.version_shown(db(), form.privacy_version.data)
            guardian = None
            if consents.needs_guardian(enrolment.trainee):
                name = form.guardian_name.data
                guardian = consents.guardian_of(name, form.guardian_relation.data)
            consents.give(db(), enrolment.trainee, ConsentWay.TICKET, guardian=guardian, version=text.version)
            flash(_("Thank you. Your consent was recorded."))
            return redirect(url_for("tickets.page", ticket=ticket))
    return make_response(_render(enrolment, form), 422 if form.is_submitted() else 200)


@blueprint.post("/<ticket>/consent/withdraw")
@public
@limiter.limit(CEILING)
@unlisted
def withdraw(ticket: str) -> ResponseReturnValue:
    """Withdraw the consent."""
    enrolment = tickets.of_ticket(ticket)
    consents.withdraw(db(), enrolment.trainee, WithdrawalForm().reason.data)
    flash(_("Your consent was withdrawn."))
    return redirect(url_for("ticket_data.consent", ticket=ticket))


@blueprint.route("/<ticket>/correction", methods=["GET", "POST"])
@public
@limiter.limit(CEILING, methods=["POST"])
@unlisted
def correct(ticket: str) -> ResponseReturnValue:
    """Ask for a correction, after the code that was sent to the record's phone came back in this browser.

    A ticket alone shows that somebody has the link, and not that it is the person.
    """
    enrolment = tickets.of_ticket(ticket)
    check = proven_here.find(db(), ticket_accounts.TICKET, ticket_accounts.subject_of(enrolment))
    if check is None:
        if not ticket_accounts.may_claim(db(), enrolment):
            raise NotFound
        return redirect(url_for("tickets.account", ticket=ticket))
    form = CorrectionForm()
    if form.validate_on_submit():
        with refused_on(form):
            own_corrections.ask(db(), enrolment.trainee, form.facts(), form.reason.data)
            flash(_("Your request was sent. You get the answer by a message."))
            return redirect(url_for("tickets.page", ticket=ticket))
    body = render_template("ticket_data/correction.html", enrolment=enrolment, form=form)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.route("/<ticket>/writing", methods=["GET", "POST"])
@public
@limiter.limit(CEILING, methods=["POST"])
@unlisted
def writing(ticket: str) -> ResponseReturnValue:
    """Choose how the certificate prints a name that no font has all characters of."""
    enrolment = tickets.of_ticket(ticket)
    if not name_writings.may_choose(db(), enrolment):
        return redirect(url_for("tickets.page", ticket=ticket))
    form = OwnWritingForm(data={"writing": name_writings.suggestion(db(), enrolment)})
    if form.validate_on_submit():
        with refused_on(form):
            row = name_writings.choose(db(), enrolment, form.writing.data)
            flash(_("Recorded. The certificate will print %(writing)s.", writing=row.writing))
            return redirect(url_for("tickets.page", ticket=ticket))
    lacking = fonts.named(fonts.unprintable(enrolment.trainee.name))
    body = render_template("ticket_data/writing.html", enrolment=enrolment, form=form, lacking=lacking)
    return make_response(body, 422 if form.is_submitted() else 200)


def _render(enrolment: Enrolment, form: ConsentForm) -> str:
    trainee = enrolment.trainee
    return render_template(
        "ticket_data/consent.html",
        enrolment=enrolment,
        form=form,
        text=privacy_texts.current(db()),
        asked=consents.is_asked(db(), trainee),
        standing=consents.standing(db(), trainee.id),
        needs_guardian=consents.needs_guardian(trainee),
    )
