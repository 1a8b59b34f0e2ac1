"""The page of an organisation: its facts, its offerings, the people whom it trained, and who works for it."""

from datetime import date

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from certificates import host_certificates
from courses.offerings import host_offerings
from courses.reports import enrolment, host_people
from courses.reports.filter_options import filter_options
from courses.reports.labels import pictures
from courses.reports.ledger import Figures
from courses.reports.questions import Filters, Grouping, Question
from lms.accounts import coordinators
from lms.core import clock, languages
from lms.core.access import holds, requires, scope
from lms.core.errors import NotFound
from lms.core.request_db import db, report_db
from lms.core.scope import ADMINISTRATORS, STAFF, STAFF_READERS, Role, fetch
from lms.organisations.forms import SECTORS
from lms.organisations.models import Organisation

blueprint = Blueprint("organisation", __name__)


@blueprint.get("/own")
@requires(Role.COORDINATOR)
def own() -> ResponseReturnValue:
    """Lead a coordinator to the page of the own organisation; of several, to that of the smallest number."""
    numbers = sorted(scope().organisation_ids)
    if not numbers:
        raise NotFound
    return redirect(url_for(".page", organisation_id=numbers[0]))


@blueprint.get("/<int:organisation_id>/overview")
@requires(*STAFF_READERS)
def page(organisation_id: int) -> str:
    """Show an organisation to its coordinators, to the administrators of its district, and to whoever reads all."""
    organisation = fetch(db(), Organisation, organisation_id, scope())
    zone = current_app.config["SETTINGS"].zone
    now, today = clock.now(), clock.today(zone)
    years = filter_options(report_db(), scope()).years(today)
    since, until = date(years[0], 1, 1), date(years[-1], 12, 31)
    filters = Filters(since, until, host=organisation.id, grouping=Grouping.YEAR)
    rows = enrolment.rows(report_db(), Question(filters, scope()))
    return render_template(
        "organisations/page.html",
        organisation=organisation,
        sector=SECTORS[organisation.sector],
        offerings=host_offerings.offerings_of_host(db(), organisation.id, scope(), now),
        instructors=host_offerings.frequent_instructors(db(), organisation.id, scope()),
        people=host_people.people_of_host(report_db(), organisation.id, scope()),
        certificates=host_certificates.certificates_of_host(report_db(), organisation.id, scope(), today),
        coordinators=coordinators.coordinators_of(db(), organisation.id),
        rows=list(reversed(rows)),
        total_figures=sum((row.figures for row in rows), Figures()),
        filters=filters,
        picture=pictures.enrolment(rows, None, filters, today),
        may_change=holds(*ADMINISTRATORS),
        may_schedule=holds(*STAFF) and organisation.active,
        sees_instructors=holds(*ADMINISTRATORS, Role.AUDITOR),
        whole=languages.whole,
    )
