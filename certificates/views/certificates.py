"""Pages of certificates for the people who run the training: list, certificate, an offering's issuing, PDF and
revocation.
"""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import (
    documents,
    history,
    issuing_progress,
    listings,
    reissue,
    renewal,
    revocation,
    states,
    unprintable,
)
from certificates.branch import Branch
from certificates.export_order import CertificateOrder
from certificates.forms import FilterForm, RevokeForm
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.rendering import Layout
from certificates.second_names import second_names
from certificates.states import ISSUED, STATE_COLOURS, STATE_LABELS, State
from certificates.views import shortfalls
from certificates.views.unprintable import texts_of
from courses.models.offerings import Offering
from courses.reports.exports import labels
from courses.reports.exports.views import ExportRequest, order_page
from courses.reports.views.navigation import Breadcrumb
from lms.core import clock, list_addresses
from lms.core.access import holds, requires, scope
from lms.core.languages import named
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, STAFF, Role, fetch
from lms.core.sealed_search import redirect_to_search, search_arguments
from lms.organisations import districts

blueprint = Blueprint("certificates", __name__)

VIEWERS = (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)
REPORT = "report"  # the argument with the query string of the indicators page that led here


@blueprint.route("/", methods=["GET", "POST"])
@requires(*VIEWERS, reading=True)
def index() -> ResponseReturnValue:
    """Show the list."""
    if request.method == "POST":
        return redirect_to_search(FilterForm)
    form, filters = _filters_from_request()
    order = list_addresses.order_of(listings.ORDERS)
    listing = listings.listing(db(), scope(), filters, today=_today(), place=list_addresses.place(), order=order)
    return render_template(
        "certificates/index.html",
        form=form,
        listing=listing,
        order=order,
        here=_same_list(filters),
        filtered=filters != listings.CertificateFilters(),
        report=_way_back(),
        unprintable=unprintable.count(db(), scope()),
        **_state_values(),
    )


@blueprint.route("/export", methods=["GET", "POST"])
@requires(*READERS, reading=True)
def export() -> ResponseReturnValue:
    """Export all pages of the list as a file."""
    form, filters = _filters_from_request()
    order = CertificateOrder(filters=filters, today=_today(), scope=scope())
    choices_of = {field.name: dict(field.choices) for field in (form.programme, form.district, form.state)}
    # These lines stand beneath the title of the export page; the first names the day.
    heading = [(_("Status on"), _today().isoformat())] + [
        (str(form[name].label.text), choices_of.get(name, {}).get(value, value))
        for name, value in filters.address().items()
    ]
    up = Breadcrumb(_("Certificates"), url_for(".index", **_same_list(filters)))
    wording = replace(labels.wording(), states={state.value: _(STATE_LABELS[state]) for state in ISSUED})
    return order_page(ExportRequest(order, heading, up, wording))


@blueprint.get("/<int:certificate_id>")
@requires(*VIEWERS)
def page(certificate_id: int) -> ResponseReturnValue:
    """Show one certificate."""
    certificate = fetch(db(), Certificate, certificate_id, scope())
    return _page(certificate, RevokeForm())


@blueprint.post("/<int:certificate_id>/revoke")
@requires(*ADMINISTRATORS)
def revoke(certificate_id: int) -> ResponseReturnValue:
    """Revoke a certificate."""
    certificate = fetch(db(), Certificate, certificate_id, scope(), lock=True)
    form = RevokeForm()
    if form.validate_on_submit():
        contact = current_app.config["SETTINGS"].verification_contact
        revocation.revoke(db(), certificate, form.reason.data or "", contact=contact)
        flash(_("The certificate has been revoked. Verification shows this from now on."))
        return redirect(url_for("certificates.page", certificate_id=certificate.id))
    return make_response(_page(certificate, form), 422)


@blueprint.get("/<int:certificate_id>.pdf")
@requires(*VIEWERS)
def pdf(certificate_id: int) -> ResponseReturnValue:
    """Download the certificate to print."""
    certificate = fetch(db(), Certificate, certificate_id, scope())
    return as_pdf(certificate)


@blueprint.get("/<int:certificate_id>/card.pdf")
@requires(*VIEWERS)
def card(certificate_id: int) -> ResponseReturnValue:
    """Download the wallet card to print."""
    certificate = fetch(db(), Certificate, certificate_id, scope())
    return as_pdf(certificate, Layout.CARD)


@blueprint.get("/offering/<int:offering_id>")
@requires(*VIEWERS)
def of_offering(offering_id: int) -> ResponseReturnValue:
    """Show who has a certificate of an offering, who waits for one, and who gets none and why."""
    offering = fetch(db(), Offering, offering_id, scope())
    progress = issuing_progress.of_offering(db(), offering, today=_today())
    return render_template(
        "certificates/of_offering.html",
        offering=offering,
        progress=progress,
        shortfall=shortfalls.text_of,
        texts=texts_of,
        **_state_values(),
    )


def as_pdf(certificate: Certificate, layout: Layout = Layout.A4) -> Response:
    """Return the download of a certificate, or of its wallet card, under its number."""
    response = make_response(documents.pdf(certificate, Branch.of(current_app.config["SETTINGS"]), layout))
    suffix = "-card" if layout is Layout.CARD else ""
    response.content_type = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{certificate.number}{suffix}.pdf"'
    return response


def _page(certificate: Certificate, form: RevokeForm) -> str:
    state = states.of_certificate(certificate, _today())
    chain = renewal.chain(db(), certificate.id)
    return render_template(
        "certificates/page.html",
        certificate=certificate,
        state=state,
        digits=digits_of(certificate.payload),
        history=history.of_certificate(db(), certificate),
        form=form,
        chain=chain,
        renewed_legacy=renewal.renewed_legacy(db(), chain),
        correction=reissue.open_request(db(), certificate.id),
        correctable=reissue.refusal(certificate, _today()) is None and holds(*ADMINISTRATORS),
        restorable=state is State.REVOKED and holds(*ADMINISTRATORS),
        revocable=state is not State.REVOKED and holds(*ADMINISTRATORS),
        printable=documents.is_printable(certificate),
        nameable=second_names.refusal(certificate) is None and holds(*ADMINISTRATORS),
        second_name=documents.second_name(certificate),
        card_refusal=documents.card_refusal(certificate, Branch.of(current_app.config["SETTINGS"])),
        **_state_values(),
    )


def _same_list(filters: listings.CertificateFilters) -> dict[str, Any]:
    """Return the arguments of an address that asks for the same list and keeps the way back to the indicators."""
    report = {REPORT: request.args[REPORT]} if REPORT in request.args else {}
    return search_arguments(filters.address(), {"holder"}) | report


def _way_back() -> Breadcrumb | None:
    """Return the way back to the indicators with their filters.

    The page of indicators writes its own query string into one argument (`REPORT`) of the links to this list.
    """
    if REPORT not in request.args:
        return None
    query = urlencode(parse_qsl(request.args[REPORT]))
    return Breadcrumb(_("Indicators"), f"{url_for('indicators.page')}?{query}")


def _filters_from_request() -> tuple[FilterForm, listings.CertificateFilters]:
    """Return the filter form and the filters; no filters while a value in the form is not valid."""
    form = _filter_form()
    if not form.validate():
        return form, listings.CertificateFilters()
    return form, listings.CertificateFilters(
        number=form.number.data or None,
        holder=form.holder.data or None,
        programme=form.programme.data or None,
        district=int(form.district.data) if form.district.data else None,
        state=State(form.state.data) if form.state.data else None,
        since=form.since.data,
        until=form.until.data,
    )


def _filter_form() -> FilterForm:
    form = FilterForm(request.args)
    form.programme.choices = [("", _("All"))] + [(row.code, named(row)) for row in listings.programmes(db())]
    administered = districts.administered(db(), scope())
    form.district.choices = [("", _("All"))] + [(str(row.id), named(row)) for row in administered]
    form.state.choices = [("", _("All"))] + [(state.value, _(STATE_LABELS[state])) for state in ISSUED]
    for field in (form.programme, form.district, form.state):
        field.data = field.data or ""
    return form


def _state_values() -> dict[str, object]:
    return {
        "state_label": STATE_LABELS,
        "state_colour": STATE_COLOURS,
        "state_of": lambda certificate: states.of_certificate(certificate, _today()),
    }


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)
