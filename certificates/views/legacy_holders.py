"""Pages on which administrators decide whose a legacy certificate is."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates.forms import LegacyFilterForm, LegacyHolderForm, UnlinkForm
from certificates.legacy import holders, waiting
from certificates.legacy.models import LegacyCertificate
from certificates.legacy.waiting import WaitingFilters, WaitingGroup
from courses.enrolment import trainees
from courses.models.trainees import Trainee
from lms.core import list_addresses
from lms.core.access import requires, scope
from lms.core.errors import N_
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS
from lms.core.scope import fetch as fetch_row
from lms.core.sealed_search import redirect_to_search, search_arguments

blueprint = Blueprint("legacy_holders", __name__)

GROUP_LABELS = {
    WaitingGroup.ID_NUMBER: N_("ID number agrees, name differs"),
    WaitingGroup.PHONE: N_("Name and unproven phone agree"),
    WaitingGroup.NAME: N_("Name agrees"),
    WaitingGroup.ASIDE: N_("Taken off the list"),
}


@blueprint.route("/", methods=["GET", "POST"])
@requires(*ADMINISTRATORS, reading=True)
def index() -> ResponseReturnValue:
    """Show the certificates that wait for a person, one group at a time."""
    if request.method == "POST":
        return redirect_to_search(LegacyFilterForm)
    form = LegacyFilterForm(request.args)
    form.validate()
    filters = WaitingFilters(number=form.number.data or None, holder=form.holder.data or None)
    asked = request.args.get("agrees", "")
    group = WaitingGroup(asked) if asked in set(WaitingGroup) else WaitingGroup.ID_NUMBER
    arguments = {name: text for name, text in (("number", filters.number), ("holder", filters.holder)) if text}
    return render_template(
        "certificates/legacy_waiting.html",
        form=form,
        filter_arguments=search_arguments(arguments, {"holder"}),
        group_labels=GROUP_LABELS,
        selected_group=group,
        listing=waiting.listing(db(), scope(), group, filters, list_addresses.place()),
    )


@blueprint.get("/<int:legacy_id>")
@requires(*ADMINISTRATORS)
def page(legacy_id: int) -> ResponseReturnValue:
    """Show one certificate beside the people who may be its holder."""
    return _page(waiting.fetch(db(), legacy_id, scope()))


@blueprint.post("/<int:legacy_id>/link")
@requires(*ADMINISTRATORS)
def link(legacy_id: int) -> ResponseReturnValue:
    """Record whose the certificate is."""
    certificate = waiting.fetch(db(), legacy_id, scope(), lock=True)
    form = _holder_form()
    if form.validate_on_submit():
        trainee = fetch_row(db(), Trainee, form.trainee.data, scope())
        with refused_on(form):
            holders.link(db(), certificate, trainee, scope(), certificate_type=form.chosen_type())
            flash(_("The certificate is %(name)s's now.", name=trainee.name))
            return redirect(url_for("legacy_holders.page", legacy_id=legacy_id), 303)
    return make_response(_page(certificate, holder_form=form), 422)


@blueprint.post("/<int:legacy_id>/unlink")
@requires(*ADMINISTRATORS)
def unlink(legacy_id: int) -> ResponseReturnValue:
    """Take the certificate from the person."""
    certificate = waiting.fetch(db(), legacy_id, scope(), lock=True)
    form = UnlinkForm()
    if form.validate_on_submit():
        with refused_on(form):
            holders.unlink(db(), certificate, scope(), form.reason.data)
            flash(_("The certificate is nobody's again."))
            return redirect(url_for("legacy_holders.index"), 303)
    return make_response(_page(certificate, unlink_form=form), 422)


@blueprint.post("/<int:legacy_id>/set-aside")
@requires(*ADMINISTRATORS)
def set_aside(legacy_id: int) -> ResponseReturnValue:
    """Take the certificate off the list."""
    holders.set_aside(db(), waiting.fetch(db(), legacy_id, scope(), lock=True))
    flash(_("The certificate is off the list. You find it under “Taken off the list”."))
    return redirect(url_for("legacy_holders.index"), 303)


@blueprint.post("/<int:legacy_id>/put-back")
@requires(*ADMINISTRATORS)
def put_back(legacy_id: int) -> ResponseReturnValue:
    """Put the certificate back on the list."""
    holders.put_back(db(), waiting.fetch(db(), legacy_id, scope(), lock=True))
    flash(_("The certificate is on the list again."))
    return redirect(url_for("legacy_holders.page", legacy_id=legacy_id), 303)


def _holder_form() -> LegacyHolderForm:
    form = LegacyHolderForm()
    types = [(str(course.certificate_type), named(course)) for course in waiting.types(db())]
    form.certificate_type.choices = choices([("", _("not known")), *types])
    return form


def _page(
    certificate: LegacyCertificate,
    *,
    holder_form: LegacyHolderForm | None = None,
    unlink_form: UnlinkForm | None = None,
) -> str:
    found = waiting.candidates(db(), certificate, scope()) if certificate.trainee_id is None else []
    return render_template(
        "certificates/legacy_holder.html",
        certificate=certificate,
        candidates=found,
        masked={candidate.trainee.id: trainees.masked_facts(candidate.trainee) for candidate in found},
        holder_form=holder_form or _holder_form(),
        unlink_form=unlink_form or UnlinkForm(),
    )
