"""A signed-in person's own data: consent, export, correction, and asking for erasure."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import consents, labels, listings, own_corrections, privacy_texts
from courses.enrolment.forms.consents import ConsentForm, WithdrawalForm
from courses.models.privacy import ConsentWay
from courses.models.trainees import Trainee
from courses.privacy import erasure
from courses.privacy import labels as privacy_labels
from courses.privacy.forms.personal_data import ContactForm, CorrectionForm
from courses.privacy.views import files
from lms.accounts import contact_checks
from lms.accounts.current import confirmed
from lms.accounts.forms import ButtonForm
from lms.core.access import requires
from lms.core.contacts import ContactKind
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.request_db import db
from lms.core.scope import Role

blueprint = Blueprint("own_data", __name__)


@blueprint.get("/")
@requires(Role.TRAINEE)
def page() -> ResponseReturnValue:
    """The page of the own data, with all that the person can do about it."""
    return _render(_own())


@blueprint.post("/export")
@requires(Role.TRAINEE)
@confirmed
def export() -> ResponseReturnValue:
    """Send everything about the person as a file."""
    return files.answer(_own(), reason=None)


@blueprint.post("/consent")
@requires(Role.TRAINEE)
def consent() -> ResponseReturnValue:
    """Agree to the privacy notice in force."""
    trainee = _own()
    form = ConsentForm()
    if form.validate_on_submit():
        with refused_on(form):
            text = consents.version_shown(db(), form.privacy_version.data)
            guardian = None
            if consents.needs_guardian(trainee):
                guardian = consents.guardian_of(
                    form.guardian_name.data or trainee.guardian_name, form.guardian_relation.data
                )
            consents.give(db(), trainee, ConsentWay.ACCOUNT, guardian=guardian, version=text.version)
            flash(_("Thank you. Your consent was recorded."))
            return redirect(url_for("own_data.page"))
    return make_response(_render(trainee, consent_form=form), 422)


@blueprint.post("/consent/withdraw")
@requires(Role.TRAINEE)
def withdraw() -> ResponseReturnValue:
    """Withdraw the consent."""
    consents.withdraw(db(), _own(), WithdrawalForm().reason.data)
    flash(_("Your consent was withdrawn."))
    return redirect(url_for("own_data.page"))


@blueprint.post("/correction")
@requires(Role.TRAINEE)
def correct() -> ResponseReturnValue:
    """Ask for a correction of the own record."""
    trainee = _own()
    form = CorrectionForm()
    if form.validate_on_submit():
        with refused_on(form):
            own_corrections.ask(db(), trainee, form.facts(), form.reason.data)
            flash(_("Your request was sent. You get the answer by a message."))
            return redirect(url_for("own_data.page"))
    return make_response(_render(trainee, correction_form=form), 422)


@blueprint.post("/contact")
@requires(Role.TRAINEE)
@confirmed
def contact() -> ResponseReturnValue:
    """Send a code to a new contact of the own record. Its return changes the record."""
    trainee = _own()
    form = ContactForm()
    if form.validate_on_submit():
        with refused_on(form):
            kind = ContactKind.PHONE if form.phone.data else ContactKind.EMAIL
            value = form.phone.data or form.email.data
            if value:
                check = own_corrections.ask_for_code(
                    db(), trainee, kind, value, language=language(), address=request.remote_addr
                )
                return redirect(contact_checks.page_of(check))
            form.form_errors.append(_("Enter the new phone or e-mail address."))
    return make_response(_render(trainee, contact_form=form), 422)


@blueprint.post("/erasure")
@requires(Role.TRAINEE)
@confirmed
def ask_erasure() -> ResponseReturnValue:
    """Ask for the erasure of the own data."""
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            erasure.ask(db(), _own(), by_staff=False)
            flash(_("Your request was sent. The branch erases your data, or tells you why it cannot."))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("own_data.page"))


@blueprint.post("/erasure/take-back")
@requires(Role.TRAINEE)
def take_back() -> ResponseReturnValue:
    """Take back the request for erasure."""
    erasure.take_back(db(), _own())
    flash(_("Your request was taken back."))
    return redirect(url_for("own_data.page"))


def _own() -> Trainee:
    return listings.record_of_user(db(), current_user.id)


def _render(
    trainee: Trainee,
    *,
    consent_form: ConsentForm | None = None,
    correction_form: CorrectionForm | None = None,
    contact_form: ContactForm | None = None,
) -> str:
    return render_template(
        "own_data/page.html",
        trainee=trainee,
        text=privacy_texts.current(db()),
        asked=consents.is_asked(db(), trainee),
        consents=consents.history(db(), trainee.id),
        needs_guardian=consents.needs_guardian(trainee),
        consent_form=consent_form or ConsentForm(formdata=None),
        correction_form=correction_form or CorrectionForm(formdata=None),
        contact_form=contact_form or ContactForm(formdata=None),
        corrections=own_corrections.listing(db(), trainee.id),
        correction_states=labels.PROPOSAL_STATES,
        request_open=erasure.open_request(db(), trainee.id),
        ways=privacy_labels.WAYS,
    )
