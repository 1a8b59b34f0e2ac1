"""Pages of offerings: the list, an offering, and the forms with which staff plan, publish and cancel."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.catalogue import catalogue
from courses.enrolment import place_counts
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.training_requests import TrainingRequest
from courses.offerings import (
    class_hours,
    hosts,
    listings,
    notices,
    offerings,
    scheduling,
    staffing,
    training_requests,
    withdrawal,
)
from courses.offerings.forms.offerings import (
    HoursForm,
    OfferingCancelForm,
    OfferingFilterForm,
    OfferingForm,
    SessionForm,
    handle_assistant_button,
)
from courses.offerings.listings import OfferingFilters, StateFilter
from courses.offerings.offerings import OfferingPlan
from courses.offerings.public_facts import PublicFacts
from courses.offerings.scheduling import SessionPlan
from courses.offerings.staffing import InstructorScope
from lms.core import clock, edge, list_addresses
from lms.core.access import holds, requires, scope, scope_of
from lms.core.errors import NotFound
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, EXAMINERS, OFFERING_READERS, STAFF, Scope, fetch
from lms.organisations import districts

blueprint = Blueprint("offerings", __name__)

WEEK = timedelta(weeks=1)
MAX_INLINE_SUGGESTIONS = 60  # on the page itself; where there are more, the page asks for them while the user types
MAX_SUGGESTIONS = 20  # in one answer while the user types
MAX_SEARCH_TEXT = 100  # characters


def _zone() -> Any:
    return current_app.config["SETTINGS"].zone


def _staff_scope() -> Scope:
    """The user's scope by the staff roles alone: an instructor also sees offerings that the user may not change."""
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in STAFF])


@blueprint.get("/")
@requires(*OFFERING_READERS)
def index() -> ResponseReturnValue:
    """A page of the offerings in the user's scope, filtered."""
    form = OfferingFilterForm(request.args)
    form.programme.choices = choices(
        [("", _("All")), *((row.code, named(row)) for row in catalogue.list_programmes(db()))]
    )
    form.district.choices = choices([("", _("All")), *((row.id, named(row)) for row in districts.everyone(db()))])
    form.validate()
    filters = OfferingFilters(
        state=StateFilter(form.shown.data) if form.shown.data in list(StateFilter) else StateFilter.CURRENT,
        programme_code=form.programme.data or None,
        district_id=form.district.data,
        organisation=form.organisation.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
        search=form.search.data,
    )
    order = list_addresses.order_of(listings.orders_of(filters))
    listing = listings.list_offerings(db(), filters, scope(), zone=_zone(), place=list_addresses.place(), order=order)
    return render_template(
        "offerings/index.html", form=form, listing=listing, order=order, filtered=filters != OfferingFilters()
    )


@blueprint.get("/<int:offering_id>")
@requires(*OFFERING_READERS)
def page(offering_id: int) -> ResponseReturnValue:
    """An offering: its facts, sessions, instructors and places, and the actions that the user may take."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    counts = place_counts.count_places(db(), offering)
    is_cancelled = offering.state == OfferingState.CANCELLED
    may_change = offerings.is_in_scope(db(), offering.id, _staff_scope())
    return render_template(
        "offerings/page.html",
        offering=offering,
        places=counts,
        cautions=offerings.find_cautions(offering, counts.taken),
        recipients=notices.find_recipients(db(), offering) if is_cancelled and may_change else None,
        may_change=may_change,
        may_withdraw=may_change and withdrawal.is_possible(offering, counts),
        asked=_asked(offering) if may_change else None,
        planned=class_hours.planned_total(offering),
        asks_hours=class_hours.needs_decision(offering),
        may_close=any(grant.role in EXAMINERS for grant in current_user.grants),
        mask_phone=mask_phone,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*STAFF)
def new() -> ResponseReturnValue:
    """Plan an offering. The query parameter `like` fills the form from another offering, some weeks later."""
    form = OfferingForm(data=None if request.method == "POST" else _initial_data())
    return _offering_form(form, None)


@blueprint.route("/<int:offering_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
def edit(offering_id: int) -> ResponseReturnValue:
    """Change an offering that is a draft or published."""
    fetch(db(), Offering, offering_id, scope())
    offering = offerings.get_with_details(db(), offering_id, scope())
    if offering.state not in offerings.OPEN_STATES:
        return redirect(url_for(".page", offering_id=offering.id))
    return _offering_form(OfferingForm(data=_form_data(offering)), offering)


def _offering_form(form: OfferingForm, offering: Offering | None) -> ResponseReturnValue:
    """Show and handle the form of a new offering (None) or of an existing one."""
    reach = _instructor_scope()
    schedulable = catalogue.list_schedulable(db(), with_course_id=offering.course_id if offering else None)
    form.course_id.choices = choices(
        [("", ""), *((row.id, named(row)) for group in schedulable for row in group.courses)]
    )
    one_team = offering is None or len({scheduling.current_team(row) for row in offering.sessions}) <= 1
    button_pressed = form.is_submitted() and form.handle_button(request.form)
    if not button_pressed and form.validate_on_submit():
        with refused_on(form):
            plan = _plan(form, offering, reach, one_team=one_team)
            if offering is None:
                saved = offerings.schedule(db(), plan, scope=scope(), zone=_zone())
                flash(_("Saved as a draft. Publish it when it is ready for enrolment."))
            else:
                offerings.change(db(), offering, plan, scope=scope(), zone=_zone())
                saved = offering
                flash(_("Saved."))
            return redirect(url_for(".page", offering_id=saved.id))
    body = render_template(
        "offerings/form.html",
        form=form,
        offering=offering,
        schedulable=schedulable,
        host_labels=_inline_suggestions(hosts.suggest(db(), scope(), limit=MAX_INLINE_SUGGESTIONS + 1)),
        instructor_labels=_inline_suggestions(staffing.suggest(db(), reach, limit=MAX_INLINE_SUGGESTIONS + 1)),
        one_team=one_team,
    )
    return make_response(body, 422 if form.is_submitted() and not button_pressed else 200)


@blueprint.route("/<int:offering_id>/sessions/<int:session_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
def edit_session(offering_id: int, session_id: int) -> ResponseReturnValue:
    """Change one session: its time, its place and its own team."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    meeting = next((row for row in offering.sessions if row.id == session_id), None)
    if meeting is None:
        raise NotFound
    if offering.state not in offerings.OPEN_STATES:
        return redirect(url_for(".page", offering_id=offering.id))
    lead, assistants = staffing.lead_and_assistant_labels(meeting.instructors)
    form = SessionForm(data=_session_data(meeting, timedelta()) | {"lead": lead, "assistants": [*assistants, None]})
    if not form.is_submitted():
        form.examiner.data = staffing.examiner_label(meeting.instructors)
    reach = _instructor_scope()
    button_pressed = form.is_submitted() and handle_assistant_button(form, request.form)
    if not button_pressed and form.validate_on_submit():
        with refused_on(form):
            period = form.period()
            team = staffing.parse_team(db(), form.lead.data, form.assistants.data, reach, examiner=form.examiner.data)
            plan = SessionPlan(period.starts_at, period.ends_at, form.place.data, team, session_id)
            offerings.change_session(db(), offering, plan, scope=scope(), zone=_zone())
            flash(_("Saved."))
            return redirect(url_for(".page", offering_id=offering_id))
    instructor_labels = _inline_suggestions(staffing.suggest(db(), reach, limit=MAX_INLINE_SUGGESTIONS + 1))
    body = render_template("offerings/session.html", form=form, offering=offering, instructor_labels=instructor_labels)
    return make_response(body, 422 if form.is_submitted() and not button_pressed else 200)


@blueprint.route("/<int:offering_id>/publish", methods=["GET", "POST"])
@requires(*STAFF)
def publish(offering_id: int) -> ResponseReturnValue:
    """Open a draft for enrolment. The page asks for a decision where it plans fewer hours than the course."""
    offering = fetch(db(), Offering, offering_id, scope(), lock=request.method == "POST")
    form = HoursForm()
    if request.method == "POST" and not class_hours.needs_decision(offering):
        offerings.publish(db(), offering, zone=_zone())
        flash(_("Published. Trainees can enrol now."))
        return redirect(url_for(".page", offering_id=offering.id))
    if form.validate_on_submit():
        with refused_on(form):
            offerings.publish(db(), offering, zone=_zone(), hours=form.hours_decision())
            flash(_("Published. Trainees can enrol now."))
            return redirect(url_for(".page", offering_id=offering_id))
    offering = offerings.get_with_details(db(), offering_id, scope())
    if offering.state != OfferingState.DRAFT or not class_hours.needs_decision(offering):
        return redirect(url_for(".page", offering_id=offering_id))
    minutes = class_hours.planned_total(offering)
    body = render_template(
        "offerings/publish.html",
        form=form,
        offering=offering,
        planned=minutes,
        given=class_hours.given_hours(minutes),
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.route("/<int:offering_id>/cancel", methods=["GET", "POST"])
@requires(*STAFF)
def cancel(offering_id: int) -> ResponseReturnValue:
    """Ask for the reason, show how many trainees will be notified, and cancel the offering."""
    offering = offerings.get_with_details(db(), offering_id, scope())
    if offering.state not in offerings.OPEN_STATES:
        return redirect(url_for(".page", offering_id=offering.id))
    form = OfferingCancelForm()
    if form.validate_on_submit():
        with refused_on(form):
            recipients = offerings.cancel(db(), offering, form.reason.data, zone=_zone())
            flash(
                _(
                    "Cancelled. Messages on their way: %(mailed)s. To be called: %(calls)s.",
                    mailed=recipients.mailed,
                    calls=len(recipients.to_call),
                )
            )
            return redirect(url_for(".page", offering_id=offering_id))
    recipients = notices.find_recipients(db(), offering)
    body = render_template("offerings/cancel.html", form=form, offering=offering, recipients=recipients)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<int:offering_id>/withdraw")
@requires(*STAFF)
def withdraw(offering_id: int) -> ResponseReturnValue:
    """Make a published offering without people a draft again."""
    withdrawal.withdraw(db(), fetch(db(), Offering, offering_id, scope()))
    flash(_("It is a draft again, and no longer on the public list."))
    return redirect(url_for(".page", offering_id=offering_id))


def _asked(offering: Offering) -> TrainingRequest | None:
    """The request from which a draft was made, for users who may read requests."""
    if offering.state != OfferingState.DRAFT or not holds(*ADMINISTRATORS):
        return None
    return training_requests.of_offering(db(), offering.id)


@blueprint.get("/suggestions/hosts")
@requires(*STAFF)
def suggested_hosts() -> ResponseReturnValue:
    """The labels of host organisations that match the input of the form's field."""
    part = _search_text()
    return jsonify(hosts.suggest(db(), scope(), part, limit=MAX_SUGGESTIONS) if part else [])


@blueprint.get("/suggestions/instructors")
@requires(*STAFF)
def suggested_instructors() -> ResponseReturnValue:
    """The labels of instructors that match the input of the form's field."""
    part = _search_text()
    return jsonify(staffing.suggest(db(), _instructor_scope(), part, limit=MAX_SUGGESTIONS) if part else [])


def _search_text() -> str:
    """The input to search for: the name alone of a label, and an empty text for input that no name can contain."""
    text = request.args.get("text", "").partition(hosts.SEPARATOR)[0].strip()
    return "" if "\0" in text else text[:MAX_SEARCH_TEXT]


def _inline_suggestions(labels: list[str]) -> list[str] | None:
    """The labels if all fit on the page, where they work without a script; else None."""
    return labels if len(labels) <= MAX_INLINE_SUGGESTIONS else None


def _instructor_scope() -> InstructorScope:
    return InstructorScope(clock.today(_zone()), scope())


def _plan(form: OfferingForm, offering: Offering | None, reach: InstructorScope, *, one_team: bool) -> OfferingPlan:
    # An unchanged host stays, even if it has become inactive or another organisation has the same name now.
    is_same_host = offering is not None and form.organisation.data == hosts.label(offering.organisation)
    host = offering.organisation if offering and is_same_host else hosts.find(db(), form.organisation.data, scope())
    team = None
    if one_team:
        team = staffing.parse_team(db(), form.lead.data, form.assistants.data, reach, examiner=form.examiner.data)
    sessions = []
    for row in form.session_rows():
        period = row.period()
        session_id = int(row.session_id.data) if (row.session_id.data or "").isdecimal() else None
        sessions.append(SessionPlan(period.starts_at, period.ends_at, row.place.data, None, session_id))
    return OfferingPlan(
        course_id=form.course_id.data,
        organisation_id=host.id,
        place=form.place.data,
        capacity=form.capacity.data,
        by_invitation=form.by_invitation.data,
        sessions=tuple(sessions),
        team=team,
        public_facts=form.public_facts(),
    )


def _session_data(meeting: CourseSession, later: timedelta) -> dict[str, Any]:
    """A session as the data of its form, on a later day."""
    start, end = (moment.astimezone(_zone()) for moment in (meeting.starts_at, meeting.ends_at))
    day = clock.day_of(start, _zone())
    return {"day": day + later, "starts": start.time(), "ends": end.time(), "place": meeting.place}


def _form_data(offering: Offering, later: timedelta | None = None) -> dict[str, Any]:
    """An offering as the data of its form; with `later`, as a new offering on later days."""
    teachers = offering.sessions[0].instructors if offering.sessions else []
    lead, assistants = staffing.lead_and_assistant_labels(teachers)
    return {
        "course_id": offering.course_id,
        "organisation": hosts.label(offering.organisation),
        "place": offering.place,
        "capacity": offering.capacity,
        "by_invitation": offering.by_invitation,
        "lead": lead,
        "assistants": [*assistants, None],
        "examiner": staffing.examiner_label(teachers),
        **asdict(PublicFacts.of(offering)),
        "sessions": [
            _session_data(meeting, later or timedelta()) | ({"session_id": meeting.id} if later is None else {})
            for meeting in offering.sessions
        ],
    }


def _initial_data() -> dict[str, Any]:
    """The data of a new offering's form: from the offering `like`, or the host of a user who has only one."""
    like = request.args.get("like", type=edge.row_id)
    if like is not None:
        offering = offerings.get_with_details(db(), like, scope())
        return _form_data(offering, _weeks_until_future(offering))
    own_hosts = hosts.suggest(db(), scope(), limit=2)
    return {"organisation": own_hosts[0]} if len(own_hosts) == 1 else {}


def _weeks_until_future(offering: Offering) -> timedelta:
    """Whole weeks, so that weekdays stay: at least one, and as many as bring the first session into the future."""
    first_start: datetime | None = offering.sessions[0].starts_at if offering.sessions else None
    if first_start is None:
        return WEEK
    return WEEK * max(1, -((first_start - clock.now()) // WEEK))
