"""Public pages of open training: the list, and one offering."""

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _

from courses.catalogue import catalogue
from courses.enrolment import prerequisites
from courses.offerings import public_listings
from courses.offerings.forms import PublicOfferingFilterForm
from courses.offerings.public_listings import PublicFilters
from lms.core import clock, edge
from lms.core.access import public
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.request_db import db
from lms.organisations import districts

blueprint = Blueprint("public_offerings", __name__)


@blueprint.get("/")
@public
def page() -> str:
    """The open offerings that have not begun, with their free places."""
    form = PublicOfferingFilterForm(request.args)
    form.programme.choices = choices(
        [("", _("All")), *((row.code, named(row)) for row in catalogue.list_programmes(db()))]
    )
    form.district.choices = choices([("", _("All")), *((row.id, named(row)) for row in districts.everyone(db()))])
    form.validate()
    filters = PublicFilters(
        programme_code=form.programme.data or None,
        district_id=form.district.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
    )
    listing = public_listings.list_open(
        db(), filters, zone=current_app.config["SETTINGS"].zone, page=request.args.get("page", 1, type=edge.page_number)
    )
    return render_template(
        "public_offerings/page.html", form=form, listing=listing, filtered=filters != PublicFilters()
    )


@blueprint.get("/<int:offering_id>")
@public
def detail(offering_id: int) -> str:
    """An offering, with a link to the enrolment page."""
    offering = public_listings.get_public(db(), offering_id)
    last_day = clock.last_branch_day([meeting.starts_at for meeting in offering.meetings])
    demands = prerequisites.of_offering_id(db(), offering_id, last_day)
    return render_template(
        "public_offerings/detail.html",
        offering=offering,
        demands=demands,
        types=prerequisites.type_names(db(), demands),
    )
