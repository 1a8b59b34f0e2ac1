"""Open training, for anybody: the list and one offering."""

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _

from courses.catalogue import catalogue
from courses.offerings import hosts, public_listings
from courses.offerings.forms import PublicFilterForm
from courses.offerings.public_listings import Filters
from lms.core.access import public
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.web import db

blueprint = Blueprint("public_offerings", __name__)


@blueprint.get("/")
@public
def page() -> str:
    """The open offerings that have not begun, with their free places."""
    form = PublicFilterForm(request.args)
    form.programme.choices = choices(
        [("", _("All")), *((row.code, named(row)) for row in catalogue.list_programmes(db()))]
    )
    form.district.choices = choices([("", _("All")), *((row.id, named(row)) for row in hosts.districts(db()))])
    filters = Filters(
        programme_code=form.programme.data or None,
        district_id=form.district.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
    )
    listing = public_listings.listing(
        db(), filters, zone=current_app.config["SETTINGS"].zone, page=request.args.get("page", 1, type=int)
    )
    return render_template("public_offerings/page.html", form=form, listing=listing, filtered=filters != Filters())


@blueprint.get("/<int:offering_id>")
@public
def detail(offering_id: int) -> str:
    """One offering, and the way to enrol."""
    return render_template(
        "public_offerings/detail.html",
        offering=public_listings.detail(db(), offering_id),
    )
