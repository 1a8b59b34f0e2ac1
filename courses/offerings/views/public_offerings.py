"""Public pages of open training: the list, the calendar of a month, and one offering."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from courses.catalogue import catalogue
from courses.enrolment import prerequisites
from courses.offerings import public_facts, public_listings, public_months
from courses.offerings.forms.offerings import PublicOfferingFilterForm
from courses.offerings.public_listings import PublicFilters
from lms.core import clock, edge
from lms.core.access import public
from lms.core.forms import choices
from lms.core.languages import language, named
from lms.core.request_db import db
from lms.organisations import districts

blueprint = Blueprint("public_offerings", __name__)

MONDAY = date(2026, 1, 5)  # any, for the names of the days of a week


@dataclass(frozen=True)
class Chip:
    """A filter that is set, as the page shows it above the list, and the address of the list without it."""

    label: str
    address: str


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["SETTINGS"].zone
    return zone


@blueprint.get("/")
@public
def page() -> str:
    """The open offerings that have not begun, with their free places."""
    form, filters = _filters()
    listing = public_listings.list_open(
        db(), filters, zone=_zone(), page=request.args.get("page", 1, type=edge.page_number)
    )
    return render_template(
        "public_offerings/page.html",
        form=form,
        listing=listing,
        filtered=filters != PublicFilters(),
        chips=_chips(form, ".page"),
        kept=_kept(form),
    )


@blueprint.get("/month")
@public
def month() -> str:
    """The sessions of a month by day. The filters of programme and district stay; those of days have no meaning here."""
    form, filters = _filters()
    form.first_day.data = form.last_day.data = None
    zone = _zone()
    filters = replace(filters, first_day=None, last_day=None)
    if "month" in request.args:
        first = public_months.month_of(request.args["month"], zone)
    else:
        first = public_months.first_with_training(db(), filters, zone)
    return render_template(
        "public_offerings/month.html",
        form=form,
        month=public_months.read(db(), first, filters, zone),
        chips=_chips(form, ".month", month=_text_of(first)),
        kept=_kept(form),
        month_text=_text_of,
        month_name=_name_of,
        weekdays=[format_date(MONDAY + timedelta(days=number), "EEE") for number in range(7)],
    )


@blueprint.get("/<int:offering_id>")
@public
def detail(offering_id: int) -> str:
    """An offering, with a link to the enrolment page."""
    settings = current_app.config["SETTINGS"]
    offering = public_listings.get_public(db(), offering_id)
    last_day = clock.last_branch_day([meeting.starts_at for meeting in offering.meetings])
    demands = prerequisites.of_offering_id(db(), offering_id, last_day)
    return render_template(
        "public_offerings/detail.html",
        offering=offering,
        demands=demands,
        types=prerequisites.type_names(db(), demands),
        map_link=public_facts.map_link(
            settings.map_link, offering.district.name_zh, offering.place, offering.map_address
        ),
        dialled=public_facts.dialled,
        page_url=settings.public_url + url_for(".detail", offering_id=offering_id),
    )


def _filters() -> tuple[PublicOfferingFilterForm, PublicFilters]:
    """The form of the filters in the request's address, and its valid values."""
    form = PublicOfferingFilterForm(request.args)
    form.programme.choices = choices(
        [("", _("All")), *((row.code, named(row)) for row in catalogue.list_programmes(db()))]
    )
    form.district.choices = choices([("", _("All")), *((row.id, named(row)) for row in districts.everyone(db()))])
    form.validate()
    return form, PublicFilters(
        programme_code=form.programme.data or None,
        district_id=form.district.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
    )


def _kept(form: PublicOfferingFilterForm) -> dict[str, Any]:
    """The filters that are set, as arguments of an address."""
    values = {
        "programme": form.programme.data,
        "district": form.district.data,
        "first_day": form.first_day.data,
        "last_day": form.last_day.data,
    }
    return {name: value for name, value in values.items() if value}


def _chips(form: PublicOfferingFilterForm, endpoint: str, **more: str) -> list[Chip]:
    """The filters that are set, each with the address of the page without it."""
    kept = _kept(form)
    chips = []
    for name, value in kept.items():
        field = form[name]
        labels = {choice.value: choice.label for choice in getattr(field, "choices", None) or ()}
        others = {other: kept[other] for other in kept if other != name} | more
        query = f"?{urlencode(others)}" if others else ""
        chips.append(Chip(f"{field.label.text}: {labels.get(value, value)}", url_for(endpoint) + query))
    return chips


def _name_of(first: date) -> str:
    """The month of a day as people read it."""
    return str(format_date(first, "yyyy年M月" if language() == "zh" else "MMMM yyyy"))


def _text_of(first: date) -> str:
    """The month of a day as the address has it: 2026-12."""
    return f"{first:%Y-%m}"
