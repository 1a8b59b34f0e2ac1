"""The pages of saved views: the own ones and those that others share, and opening, saving, sharing and deleting one.

An auditor may post here too: a view changes nothing but the user's own list.
"""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from courses.models.saved_views import SavedView, ViewAudience
from courses.reports import saved_views
from courses.reports.filter_options import FilterOptions, filter_options
from courses.reports.forms.filters import ReportFilterForm
from courses.reports.labels import report as labels
from courses.reports.saved_views import Audience
from courses.reports.views import bar
from courses.reports.views.navigation import link
from courses.reports.views.questions import today, zone
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.forms import Form, choices, strip
from lms.core.languages import named
from lms.core.request_db import db, report_db
from lms.core.scope import STAFF_READERS, Scope

blueprint = Blueprint("saved_views", __name__)


class ViewForm(Form):
    """The name of a view, and with whom it is shared."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Fill this in.")), Length(max=saved_views.LONGEST_NAME)], filters=[strip]
    )
    audience = SelectField(_l("Shared with"))


@blueprint.get("/")
@requires(*STAFF_READERS)
def index() -> str:
    """Show the views that the user may open; the own ones can be changed."""
    return _index()


@blueprint.post("/")
@requires(*STAFF_READERS, reading=True)
def save() -> ResponseReturnValue:
    """Save the report of the page that the form stands on, and lead back to it."""
    options = _options(request.form.get("host", type=edge.row_id))
    filter_form = ReportFilterForm(request.form, options, today())
    if not filter_form.validate():
        raise DomainError("filters", N_("The filters cannot be read. Open the report and choose again."), status=422)
    arguments = bar.set_arguments(filter_form, request.form)
    report = request.form.get("report", "")
    view = saved_views.save(db(), request.form.get("name", ""), report, arguments, scope())
    saved_views.question_of(report_db(), view, scope(), today=today(), zone=zone())
    flash(_("The view “%(name)s” is saved. Under “Views” it opens with one tap, and can be shared.", name=view.name))
    return redirect(link(bar.REPORTS[report].endpoint, arguments))


@blueprint.get("/<ref>")
@requires(*STAFF_READERS)
def show(ref: str) -> ResponseReturnValue:
    """Lead to the report of a view, or say that the view no longer holds."""
    view = saved_views.view_of(db(), ref, scope())
    try:
        saved_views.question_of(report_db(), view, scope(), today=today(), zone=zone())
    except DomainError as outdated:
        return make_response(_index(outdated=view, reason=str(_(outdated.message))), outdated.status)
    return redirect(link(bar.REPORTS[view.report].endpoint, bar.in_order(view.arguments)))


@blueprint.route("/<ref>/change", methods=["GET", "POST"])
@requires(*STAFF_READERS, reading=True)
def change(ref: str) -> ResponseReturnValue:
    """Rename a view of the user's own, and share it."""
    view = saved_views.own_view(db(), ref, scope())
    audience = Audience(ViewAudience(view.audience), view.district_id, view.organisation_id)
    form = ViewForm(data={"name": view.name, "audience": audience.code})
    form.audience.choices = choices(_audiences(scope()))
    if form.validate_on_submit():
        with refused_on(form):
            saved_views.change(db(), view, form.name.data, form.audience.data, scope())
            flash(_("Saved."))
            return redirect(url_for(".index"))
    page = render_template("saved_views/change.html", form=form, view=view, criteria=_criteria(view, _options()))
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.post("/<ref>/delete")
@requires(*STAFF_READERS, reading=True)
def delete(ref: str) -> ResponseReturnValue:
    """Delete a view of the user's own."""
    saved_views.remove(db(), saved_views.own_view(db(), ref, scope()))
    flash(_("The view is deleted."))
    return redirect(url_for(".index"))


def _index(outdated: SavedView | None = None, reason: str = "") -> str:
    options = _options()
    views = saved_views.listing(db(), scope())
    return render_template(
        "saved_views/index.html",
        own=[(view, _criteria(view, options)) for view in views if view.owner_id == scope().user_id],
        shared=[(view, _criteria(view, options)) for view in views if view.owner_id != scope().user_id],
        audiences=AUDIENCE_LABELS,
        reports=bar.REPORTS,
        outdated=outdated,
        reason=reason,
    )


AUDIENCE_LABELS = {
    ViewAudience.NOBODY: _l("Only me"),
    ViewAudience.ORGANISATION: _l("Readers of the organisation"),
    ViewAudience.DISTRICT: _l("Readers of the district"),
    ViewAudience.BRANCH: _l("All readers of reports"),
}


def _options(host: int | None = None) -> FilterOptions:
    return filter_options(report_db(), scope(), host)


def _criteria(view: SavedView, options: FilterOptions) -> list[str]:
    """The period and the filters of a view, as readers know them."""
    arguments: dict[str, Any] = view.arguments
    days = " – ".join(arguments[name] for name in ("since", "until") if name in arguments)
    period = days or bar.period_name(arguments.get("period", "this_year"))
    return [period, *(value for _name, value in bar.values(arguments, options))]


def _audiences(reach: Scope) -> list[tuple[str, str]]:
    """With whom the user may share, as (value, label)."""
    options = _options()
    organisations = {row.id: named(row) for row in saved_views.own_organisations(db(), reach)}
    labelled = []
    for audience in saved_views.audiences(reach):
        label = str(AUDIENCE_LABELS[audience.kind])
        if audience.district_id is not None:
            label = f"{label}: {labels.option_name(options.districts, audience.district_id)}"
        elif audience.organisation_id is not None:
            label = f"{label}: {organisations.get(audience.organisation_id, audience.organisation_id)}"
        labelled.append((audience.code, label))
    return labelled
