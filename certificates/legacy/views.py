"""Pages of legacy certificates: the list, one certificate, its revocation and restoring. Only the city sees them."""

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import history
from certificates.forms import LegacyFilterForm, RevokeForm
from certificates.legacy import holding, legacy, listings
from certificates.legacy.holding import HeldLegacy
from certificates.legacy.listings import LegacyCertificateFilters
from certificates.legacy.models import LegacyCertificate, Match
from certificates.states import STATE_COLOURS, STATE_LABELS
from lms.core import clock, list_addresses
from lms.core.access import holds, requires, scope
from lms.core.errors import N_
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import Role, fetch
from lms.core.sealed_search import redirect_to_search

blueprint = Blueprint("legacy", __name__)

MATCH_LABELS = {
    Match.ID_NUMBER: N_("ID number and name agree"),
    Match.NAME_AND_PHONE: N_("Name and phone agree"),
    Match.BY_HAND: N_("Decided by a user"),
}
VIEWERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)


@blueprint.route("/", methods=["GET", "POST"])
@requires(*VIEWERS, reading=True)
def index() -> ResponseReturnValue:
    """Show the list."""
    if request.method == "POST":
        return redirect_to_search(LegacyFilterForm)
    form = LegacyFilterForm(request.args)
    form.validate()
    filters = LegacyCertificateFilters(number=form.number.data or None, holder=form.holder.data or None)
    order = list_addresses.order_of(listings.ORDERS)
    listing = listings.listing(db(), scope(), filters, list_addresses.place(), order)
    return render_template(
        "certificates/legacy.html",
        form=form,
        listing=listing,
        order=order,
        filtered=filters != LegacyCertificateFilters(),
        **_words(),
    )


@blueprint.get("/<int:legacy_id>")
@requires(*VIEWERS)
def page(legacy_id: int) -> ResponseReturnValue:
    """Show one certificate."""
    return _page(fetch(db(), LegacyCertificate, legacy_id, scope()), RevokeForm())


@blueprint.post("/<int:legacy_id>/revoke")
@requires(Role.CITY_ADMINISTRATOR)
def revoke(legacy_id: int) -> ResponseReturnValue:
    """Revoke a legacy certificate."""
    certificate = fetch(db(), LegacyCertificate, legacy_id, scope(), lock=True)
    form = RevokeForm()
    if form.validate_on_submit():
        with refused_on(form):
            legacy.revoke(db(), certificate.number, form.reason.data or "", contact=_contact())
            flash(_("The certificate has been revoked. Verification shows this from now on."))
            return redirect(url_for("legacy.page", legacy_id=certificate.id))
    return make_response(_page(certificate, form), 422)


@blueprint.post("/<int:legacy_id>/restore")
@requires(Role.CITY_ADMINISTRATOR)
def restore(legacy_id: int) -> ResponseReturnValue:
    """Undo a revocation."""
    certificate = fetch(db(), LegacyCertificate, legacy_id, scope(), lock=True)
    form = RevokeForm()
    if form.validate_on_submit():
        with refused_on(form):
            legacy.restore(db(), certificate.number, form.reason.data or "", contact=_contact())
            flash(_("The revocation has been undone. Verification shows this from now on."))
            return redirect(url_for("legacy.page", legacy_id=certificate.id))
    return make_response(_page(certificate, form), 422)


@blueprint.app_template_global()
def held_legacy(trainee_id: int) -> Sequence[HeldLegacy]:
    """Return the legacy certificates of a person whom the page may show."""
    return holding.of_trainee(db(), trainee_id, zone=current_app.config["SETTINGS"].zone)


@blueprint.app_template_global()
def legacy_state(row: HeldLegacy) -> tuple[str, str]:
    """Return msgid and colour of the state of a legacy certificate."""
    return STATE_LABELS[row.state], STATE_COLOURS[row.state]


def _contact() -> str | None:
    contact: str | None = current_app.config["SETTINGS"].verification_contact
    return contact


def _page(certificate: LegacyCertificate, form: RevokeForm) -> str:
    return render_template(
        "certificates/legacy_page.html",
        certificate=certificate,
        form=form,
        history=history.of_legacy_certificate(db(), certificate),
        changeable=holds(Role.CITY_ADMINISTRATOR),
        match_label=MATCH_LABELS,
        **_words(),
    )


def _words() -> dict[str, object]:
    today: date = clock.today(current_app.config["SETTINGS"].zone)
    return {
        "state_label": STATE_LABELS,
        "state_colour": STATE_COLOURS,
        "state_of": lambda certificate: listings.state(certificate, today),
    }
