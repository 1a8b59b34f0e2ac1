"""Pages of the organisations that host training, for administrators and auditors."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts.forms import ReasonForm
from lms.core import clock, edge, file_answers
from lms.core.access import holds, requires, scope
from lms.core.exports import Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import moment, named
from lms.core.list_addresses import order_of
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, Role, Scope, fetch
from lms.organisations import districts, order, register
from lms.organisations.forms import SECTORS, OrganisationFilterForm, OrganisationForm
from lms.organisations.models import Organisation, Sector
from lms.organisations.register import OrganisationFacts, OrganisationFilter

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """List the organisations of the user's districts."""
    form, filters = _filters()
    by = order_of(order.ORDERS)
    organisations = register.listing(db(), scope(), filters, request.args.get("page", 1, type=edge.page_number), by)
    return render_template(
        "organisations/index.html",
        organisations=organisations,
        order=by,
        form=form,
        sectors=SECTORS,
        may_change=holds(*ADMINISTRATORS),
        file_arguments={name: value for name, value in request.args.items() if name != "page"},
    )


@blueprint.get("/export.<any(csv, xlsx):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the organisations that match the filters of the page as a file."""
    _form, filters = _filters()
    organisations = register.everything(db(), scope(), filters, order_of(order.ORDERS))
    sheet = Sheet(
        title=_("Organisations"),
        headings=[
            _("District"), _("Chinese name"), _("English name"), _("Sector"), _("State"), _("Whom to call"),
            _("Phone at work"),
        ],
        rows=[
            [
                named(row.district), row.name_zh, row.name_en, str(SECTORS[row.sector]),
                _("In use") if row.active else _("Out of use"), row.contact_name, row.contact_phone,
            ]
            for row in organisations
        ],
        preamble=[(_("Created"), moment(clock.now())), (_("Created by"), current_user.name)],
        widths=(14, 36, 36, 16, 10, 16, 18),
    )  # fmt: skip
    answer, rows = file_answers.of_sheet(sheet, Format(form), f"organisations-{clock.branch_today():%Y%m%d}")
    register.record_export(db(), filters, form, rows)
    return answer


def _filters() -> tuple[OrganisationFilterForm, OrganisationFilter]:
    form = OrganisationFilterForm(request.args)
    form.district.choices = choices([("", _("All districts")), *_districts(scope())])
    form.validate()
    filters = OrganisationFilter(
        text=form.text.data,
        district_id=form.district.data,
        sector=Sector(form.sector.data) if form.sector.data in set(Sector) else None,
        active=form.state.data != "inactive",
    )
    return form, filters


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def new() -> ResponseReturnValue:
    """Add an organisation."""
    form = OrganisationForm()
    form.district_id.choices = choices(_districts(scope()))
    if form.validate_on_submit():
        with refused_on(form):
            organisation = register.add(db(), _facts(form), scope())
            register.set_contact(db(), organisation, form.contact_name.data, form.contact_phone.data)
            flash(_("The organisation is entered."))
            return redirect(url_for("organisations.index", text=form.name_zh.data))
    return make_response(render_template("organisations/new.html", form=form), 422 if form.is_submitted() else 200)


@blueprint.route("/<int:organisation_id>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def edit(organisation_id: int) -> ResponseReturnValue:
    """Change an organisation."""
    organisation = _organisation(organisation_id)
    form = OrganisationForm(obj=organisation)
    form.district_id.choices = choices(_districts(scope()))
    if form.validate_on_submit():
        with refused_on(form):
            register.change(db(), organisation, _facts(form), scope())
            register.set_contact(db(), organisation, form.contact_name.data, form.contact_phone.data)
            flash(_("Saved."))
            return redirect(url_for("organisations.edit", organisation_id=organisation.id))
    return make_response(
        render_template("organisations/edit.html", form=form, organisation=organisation, coordinator=Role.COORDINATOR),
        422 if form.is_submitted() else 200,
    )


@blueprint.route("/<int:organisation_id>/deactivate", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def deactivate(organisation_id: int) -> ResponseReturnValue:
    """Deactivate an organisation, with a reason."""
    organisation = _organisation(organisation_id)
    form = ReasonForm()
    if form.validate_on_submit():
        register.set_active(db(), organisation, False, form.reason.data)
        flash(_("The organisation is out of use."))
        return redirect(url_for("organisations.index"))
    return make_response(
        render_template("organisations/deactivate.html", form=form, organisation=organisation),
        422 if form.is_submitted() else 200,
    )


@blueprint.post("/<int:organisation_id>/reactivate")
@requires(*ADMINISTRATORS)
def reactivate(organisation_id: int) -> ResponseReturnValue:
    """Activate an organisation again."""
    register.set_active(db(), _organisation(organisation_id), True)
    flash(_("The organisation is in use again."))
    return redirect(url_for("organisations.edit", organisation_id=organisation_id))


def _organisation(organisation_id: int) -> Organisation:
    return fetch(db(), Organisation, organisation_id, scope())


def _districts(reach: Scope) -> list[tuple[Any, str]]:
    return [(district.id, named(district)) for district in districts.administered(db(), reach)]


def _facts(form: OrganisationForm) -> OrganisationFacts:
    return OrganisationFacts(form.name_zh.data, form.name_en.data, form.district_id.data, Sector(form.sector.data))
