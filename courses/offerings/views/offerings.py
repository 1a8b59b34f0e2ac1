"""Offerings: the list, one offering's page, and the forms by which staff plan, publish and cancel."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.catalogue import catalogue
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings import hosts, listings, notices, offerings, scheduling, staffing
from courses.offerings.forms import CancelForm, FilterForm, OfferingForm, SessionForm, press_assistants
from courses.offerings.listings import Filters, Shown
from courses.offerings.offerings import OfferingPlan
from courses.offerings.scheduling import SessionPlan
from courses.offerings.staffing import Near
from lms.core import clock
from lms.core.access import requires, scope, scope_of
from lms.core.errors import NotFound
from lms.core.forms import choices
from lms.core.languages import named
from lms.core.masks import mask_phone
from lms.core.scope import STAFF, Role, Scope, fetch
from lms.core.web import db, refused_on

blueprint = Blueprint("offerings", __name__)

READERS = (*STAFF, Role.INSTRUCTOR, Role.AUDITOR)
WEEK = timedelta(weeks=1)
FEW = 60  # suggestions that are on the page itself
SUGGESTED = 20
LONGEST = 100  # characters of what is looked for


def _zone() -> Any:
    return current_app.config["SETTINGS"].zone


def _staff_scope() -> Scope:
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in STAFF])


@blueprint.get("/")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """The offerings in reach, filtered, a page at a time."""
    form = FilterForm(request.args)
    form.programme.choices = choices(
        [("", _("All")), *((row.code, named(row)) for row in catalogue.list_programmes(db()))]
    )
    form.district.choices = choices([("", _("All")), *((row.id, named(row)) for row in hosts.districts(db()))])
    filters = Filters(
        shown=Shown(form.shown.data) if form.shown.data in list(Shown) else Shown.CURRENT,
        programme_code=form.programme.data or None,
        district_id=form.district.data,
        organisation=form.organisation.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
        search=form.search.data,
    )
    page = request.args.get("page", 1, type=int)
    listing = listings.listing(db(), filters, scope(), zone=_zone(), page=page)
    return render_template("offerings/index.html", form=form, listing=listing, filtered=filters != Filters())


@blueprint.get("/<int:offering_id>")
@requires(*READERS)
def page(offering_id: int) -> ResponseReturnValue:
    """One offering: its facts, sessions, instructors, counts, and what can be done with it."""
    offering = offerings.page(db(), offering_id, scope())
    counts = offerings.counts(db(), offering.id)
    cancelled = offering.state == OfferingState.CANCELLED
    mine = offerings.within(db(), offering.id, _staff_scope())
    return render_template(
        "offerings/page.html",
        offering=offering,
        counts=counts,
        cautions=offerings.cautions(offering, counts.enrolled),
        reach=notices.reach(db(), offering) if cancelled and mine else None,
        mine=mine,
        mask_phone=mask_phone,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(*STAFF)
def new() -> ResponseReturnValue:
    """Plan an offering; `like` fills the form from another one, some weeks later."""
    form = OfferingForm(data=None if request.method == "POST" else _first_facts())
    return _planning(form, None)


@blueprint.route("/<int:offering_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
def edit(offering_id: int) -> ResponseReturnValue:
    """Change an offering that is a draft or published."""
    fetch(db(), Offering, offering_id, scope())
    offering = offerings.page(db(), offering_id, scope())
    if offering.state not in offerings.OPEN:
        return redirect(url_for(".page", offering_id=offering.id))
    return _planning(OfferingForm(data=_facts_of(offering)), offering)


def _planning(form: OfferingForm, offering: Offering | None) -> ResponseReturnValue:
    near = _near()
    offered = catalogue.list_schedulable(db(), with_course_id=offering.course_id if offering else None)
    form.course_id.choices = choices([("", ""), *((row.id, named(row)) for group in offered for row in group.courses)])
    one_team = offering is None or len({scheduling.team_at(row) for row in offering.sessions}) <= 1
    pressed = form.is_submitted() and form.press(request.form)
    if not pressed and form.validate_on_submit():
        with refused_on(form):
            plan = _plan(form, offering, near, one_team=one_team)
            if offering is None:
                saved = offerings.schedule(db(), plan, scope=scope(), zone=_zone())
                flash(_("Saved as a draft. Publish it when it is ready for enrolment."))
            else:
                offerings.change(db(), offering, plan, scope=scope(), zone=_zone())
                saved = offering
                flash(_("Saved."))
            return redirect(url_for(".page", offering_id=saved.id))
    page = render_template(
        "offerings/form.html",
        form=form,
        offering=offering,
        offered=offered,
        hosts=_few(hosts.suggestions(db(), scope(), limit=FEW + 1)),
        people=_few(staffing.suggestions(db(), near, limit=FEW + 1)),
        one_team=one_team,
    )
    return make_response(page, 422 if form.is_submitted() and not pressed else 200)


@blueprint.route("/<int:offering_id>/sessions/<int:session_id>/edit", methods=["GET", "POST"])
@requires(*STAFF)
def edit_session(offering_id: int, session_id: int) -> ResponseReturnValue:
    """Change one session: its time, its place, its own team."""
    offering = offerings.page(db(), offering_id, scope())
    meeting = next((row for row in offering.sessions if row.id == session_id), None)
    if meeting is None:
        raise NotFound
    if offering.state not in offerings.OPEN:
        return redirect(url_for(".page", offering_id=offering.id))
    lead, assistants = staffing.written(meeting.instructors)
    form = SessionForm(data=_when(meeting, timedelta()) | {"lead": lead, "assistants": [*assistants, None]})
    if not form.is_submitted():
        form.examiner.data = staffing.examiner_of(meeting.instructors)
    near = _near()
    pressed = form.is_submitted() and press_assistants(form, request.form)
    if not pressed and form.validate_on_submit():
        with refused_on(form):
            wanted = form.period()
            team = staffing.team_of(db(), form.lead.data, form.assistants.data, near, examiner=form.examiner.data)
            plan = SessionPlan(wanted.starts_at, wanted.ends_at, form.place.data, team, session_id)
            offerings.change_session(db(), offering, plan, scope=scope(), zone=_zone())
            flash(_("Saved."))
            return redirect(url_for(".page", offering_id=offering_id))
    people = _few(staffing.suggestions(db(), near, limit=FEW + 1))
    page = render_template("offerings/session.html", form=form, offering=offering, people=people)
    return make_response(page, 422 if form.is_submitted() and not pressed else 200)


@blueprint.post("/<int:offering_id>/publish")
@requires(*STAFF)
def publish(offering_id: int) -> ResponseReturnValue:
    """Open a draft for enrolment."""
    offering = fetch(db(), Offering, offering_id, scope(), lock=True)
    offerings.publish(db(), offering, zone=_zone())
    flash(_("Published. Trainees can enrol now."))
    return redirect(url_for(".page", offering_id=offering.id))


@blueprint.route("/<int:offering_id>/cancel", methods=["GET", "POST"])
@requires(*STAFF)
def cancel(offering_id: int) -> ResponseReturnValue:
    """Ask for the reason, show who will be told, and cancel."""
    offering = offerings.page(db(), offering_id, scope())
    if offering.state not in offerings.OPEN:
        return redirect(url_for(".page", offering_id=offering.id))
    form = CancelForm()
    if form.validate_on_submit():
        with refused_on(form):
            reached = offerings.cancel(db(), offering, form.reason.data, zone=_zone())
            flash(
                _(
                    "Cancelled. Mails on their way: %(mailed)s. To be called: %(calls)s.",
                    mailed=reached.mailed,
                    calls=len(reached.to_call),
                )
            )
            return redirect(url_for(".page", offering_id=offering_id))
    reach = notices.reach(db(), offering)
    page = render_template("offerings/cancel.html", form=form, offering=offering, reach=reach)
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.get("/suggestions/hosts")
@requires(*STAFF)
def suggested_hosts() -> ResponseReturnValue:
    """Hosts in reach whose name has a part, for the form's list."""
    part = _part()
    return jsonify(hosts.suggestions(db(), scope(), part, limit=SUGGESTED) if part else [])


@blueprint.get("/suggestions/instructors")
@requires(*STAFF)
def suggested_instructors() -> ResponseReturnValue:
    """Instructors near by whose name or number has a part, for the form's list."""
    part = _part()
    return jsonify(staffing.suggestions(db(), _near(), part, limit=SUGGESTED) if part else [])


def _part() -> str:
    """What was typed; nothing for what no name can hold. A label that was chosen is a name again."""
    text = request.args.get("text", "").partition(hosts.SEPARATOR)[0].strip()
    return "" if "\0" in text else text[:LONGEST]


def _few(labels: list[str]) -> list[str] | None:
    """As many as can be on the page, for who has no scripts too; None when there are more, which are asked for while
    typing.
    """
    return labels if len(labels) <= FEW else None


def _near() -> Near:
    return Near(clock.today(_zone()), scope())


def _plan(form: OfferingForm, offering: Offering | None, near: Near, *, one_team: bool) -> OfferingPlan:
    # A host that was left as it is stays, even if it has become inactive or another got the same name.
    same = offering is not None and form.organisation.data == hosts.label(offering.organisation)
    host = offering.organisation if offering and same else hosts.find(db(), form.organisation.data, scope())
    written = form.lead.data, form.assistants.data
    team = staffing.team_of(db(), *written, near, examiner=form.examiner.data) if one_team else None
    sessions = []
    for row in form.rows():
        when = row.period()
        session_id = int(row.session_id.data) if (row.session_id.data or "").isdecimal() else None
        sessions.append(SessionPlan(when.starts_at, when.ends_at, row.place.data, None, session_id))
    return OfferingPlan(
        course_id=form.course_id.data,
        organisation_id=host.id,
        place=form.place.data,
        capacity=form.capacity.data,
        by_invitation=form.by_invitation.data,
        sessions=tuple(sessions),
        team=team,
    )


def _when(meeting: CourseSession, later: timedelta) -> dict[str, Any]:
    start, end = (moment.astimezone(_zone()) for moment in (meeting.starts_at, meeting.ends_at))
    return {"day": start.date() + later, "starts": start.time(), "ends": end.time(), "place": meeting.place}


def _facts_of(offering: Offering, later: timedelta | None = None) -> dict[str, Any]:
    """An offering as its form shows it; with `later`, as a new one on other days."""
    lead, assistants = staffing.written(offering.sessions[0].instructors) if offering.sessions else (None, [])
    return {
        "course_id": offering.course_id,
        "organisation": hosts.label(offering.organisation),
        "place": offering.place,
        "capacity": offering.capacity,
        "by_invitation": offering.by_invitation,
        "lead": lead,
        "assistants": [*assistants, None],
        "examiner": staffing.examiner_of(offering.sessions[0].instructors) if offering.sessions else None,
        "sessions": [
            _when(row, later or timedelta()) | ({"session_id": row.id} if later is None else {})
            for row in offering.sessions
        ],
    }


def _first_facts() -> dict[str, Any]:
    like = request.args.get("like", type=int)
    if like is not None:
        offering = offerings.page(db(), like, scope())
        return _facts_of(offering, _weeks_until_future(offering))
    own = hosts.suggestions(db(), scope(), limit=2)
    return {"organisation": own[0]} if len(own) == 1 else {}


def _weeks_until_future(offering: Offering) -> timedelta:
    """Whole weeks, so that weekdays stay: at least one, and as many as bring the first session into the future."""
    first: datetime | None = offering.sessions[0].starts_at if offering.sessions else None
    if first is None:
        return WEEK
    return WEEK * max(1, -((first - clock.now()) // WEEK))
