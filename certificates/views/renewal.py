"""Pages that correct a certificate and have it issued again, or undo its revocation."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import revocation
from certificates.branch import Branch
from certificates.forms import ReissueForm, RestoreForm
from certificates.models import Certificate
from certificates.reissue import FACTS, Correction, holds_writing, refusal, request
from lms.core import clock, fonts
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, fetch

blueprint = Blueprint("renewal", __name__)


@blueprint.route("/<int:certificate_id>/reissue", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def reissue(certificate_id: int) -> ResponseReturnValue:
    """Correct what is printed and have the certificate made again."""
    certificate = fetch(db(), Certificate, certificate_id, scope(), lock=True)
    facts = {fact: certificate.facts.get(fact, "") for fact in FACTS}
    facts["hours"] = facts["hours"].removesuffix(".0")
    name = certificate.enrolment.trainee.name
    form = ReissueForm(data={"holder_name": holds_writing(db(), certificate) or name} | facts)
    if form.validate_on_submit():
        correction = Correction(
            form.holder_name.data or "",
            {fact: form[fact].data or "" for fact in FACTS},
            as_writing=bool(form.as_writing.data),
        )
        with refused_on(form):
            request(db(), certificate, correction, form.reason.data or "", branch=_branch(), scope=scope())
            flash(_("The corrected certificate is being made. This page shows it as soon as it is signed."))
            return redirect(url_for("certificates.page", certificate_id=certificate.id))
    return make_response(
        render_template(
            "certificates/reissue.html",
            certificate=certificate,
            printed={"holder_name": certificate.holder_name} | facts,
            name=name,
            lacking=fonts.named(fonts.unprintable(name)),
            refused=refusal(certificate, clock.today(_branch().zone)),
            form=form,
        ),
        422 if form.is_submitted() else 200,
    )


@blueprint.route("/<int:certificate_id>/restore", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def restore(certificate_id: int) -> ResponseReturnValue:
    """Undo a revocation."""
    certificate = fetch(db(), Certificate, certificate_id, scope(), lock=True)
    form = RestoreForm()
    if form.validate_on_submit():
        with refused_on(form):
            revocation.restore(db(), certificate, form.reason.data or "", contact=_branch().contact)
            flash(_("The revocation has been undone. Verification shows this from now on."))
            return redirect(url_for("certificates.page", certificate_id=certificate.id))
    return make_response(
        render_template("certificates/restore.html", certificate=certificate, form=form),
        422 if form.is_submitted() else 200,
    )


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
