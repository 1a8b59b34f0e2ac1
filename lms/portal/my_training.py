"""A signed-in trainee's own trainings, tickets and certificates."""

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from certificates import holding
from certificates.legacy import holding as legacy_holding
from certificates.states import STATE_COLOURS, STATE_LABELS
from courses.enrolment import labels, listings, proposals, ticket_accounts
from lms.core.access import requires
from lms.core.request_db import db
from lms.core.scope import Role

blueprint = Blueprint("my_training", __name__)


@blueprint.get("/")
@requires(Role.TRAINEE)
def page() -> ResponseReturnValue:
    """Coming and past trainings, with the certificate of each."""
    zone = current_app.config["SETTINGS"].zone
    rows = listings.list_of_user(db(), current_user.id)
    trainee_id = listings.find_record_id(db(), current_user.id)
    certificates = holding.of_trainee(db(), trainee_id, zone=zone) if rows and trainee_id is not None else ()
    # Newest first, so the last one put in is overwritten by none that is older.
    held = {certificate.enrolment_id: certificate for certificate in reversed(certificates)}
    return render_template(
        "my_training/page.html",
        proposals=proposals.list_own(db(), current_user.id),
        enrolments=rows,
        held=held,
        legacy=legacy_holding.of_trainee(db(), trainee_id, zone=zone) if trainee_id is not None else (),
        state_of=labels.state_of,
        certificate_states=STATE_LABELS,
        certificate_tones=STATE_COLOURS,
        own_record=None if rows else ticket_accounts.find_own(db(), current_user.user),
    )


@blueprint.post("/link")
@requires(Role.TRAINEE)
def link() -> ResponseReturnValue:
    """Add the record that has the user's name and proven phone to the account."""
    ticket_accounts.link_own(db(), current_user.user)
    flash(_("Your trainings are now shown in your account."))
    return redirect(url_for("my_training.page"))


@blueprint.post("/changes/<int:proposal_id>/accept")
@requires(Role.TRAINEE)
def accept(proposal_id: int) -> ResponseReturnValue:
    """Accept a change of the own record that a host organisation proposed."""
    proposals.decide_own(db(), proposal_id, current_user.id, accepted=True)
    flash(_("Your record was changed."))
    return redirect(url_for(".page"))


@blueprint.post("/changes/<int:proposal_id>/refuse")
@requires(Role.TRAINEE)
def refuse(proposal_id: int) -> ResponseReturnValue:
    """Refuse a change of the own record that a host organisation proposed."""
    proposals.decide_own(db(), proposal_id, current_user.id, accepted=False)
    flash(_("The change was refused. Your record stays as it is."))
    return redirect(url_for(".page"))
