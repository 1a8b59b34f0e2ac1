"""The ticket: the page of an enrolment for a trainee without an account.

The address is the secret: whoever knows it holds the ticket. It is therefore kept out of search engines, caches and logs.
"""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from limits import RateLimitItemPerMinute
from markupsafe import Markup

from certificates import holding
from certificates.states import STATE_COLOURS, STATE_LABELS
from certificates.views.unlisted import unlisted
from courses.attendance.self_check_in.views import ticket_cookie
from courses.enrolment import (
    clashes,
    consents,
    labels,
    listings,
    moving,
    name_writings,
    place_offers,
    places,
    prerequisites,
    ticket_accounts,
    waiting_groups,
    waiting_list,
)
from courses.enrolment.forms.enrolment import OwnCancellationForm
from courses.models.enrolment import ACTIVE_STATES, Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings import class_messages
from lms.accounts import contact_checks, proven_here
from lms.accounts.forms import ButtonForm, NewPasswordForm
from lms.core import clock, fonts, guesses
from lms.core.access import public
from lms.core.errors import DomainError, NotFound
from lms.core.form_errors import refused_on
from lms.core.languages import language, named
from lms.core.limits import limiter, network
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.portal import calendars, ticket_code

blueprint = Blueprint("tickets", __name__)

UNKNOWN_TICKETS = RateLimitItemPerMinute(60, 10)
ACCOUNTS = "2000 per 10 minutes"  # of one address: a whole school may make its accounts in a lesson, in two steps each


@blueprint.get("/<ticket>")
@public
@unlisted
def page(ticket: str) -> ResponseReturnValue:
    """The ticket: its code, times and place, and the state of the enrolment."""
    row = of_ticket(ticket)
    public_url = current_app.config["SETTINGS"].public_url
    body = render_template(
        "tickets/page.html",
        enrolment=row,
        offering=row.offering,
        state=labels.state_of(row),
        code=Markup(ticket_code.svg(public_url, ticket)),  # noqa: S704  # made of rectangles by us
        position=waiting_list.position(db(), row),
        answered=place_offers.answered_with(db(), row) if row.is_offered else (),
        group=waiting_groups.standing(db(), row) if row.state == EnrolmentState.WAITLISTED else None,
        may_bring=_may_bring(row),
        may_enrol_again=row.offered_until is not None and _is_open_to_visitors(row),
        class_messages=class_messages.of_enrolment(db(), row.id),
        moved=moving.moved_to(db(), row.id),
        clashes=clashes.find_of_enrolment(db(), row) if _stands(row) else (),
        certificate=holding.of_enrolment(db(), row.id, zone=current_app.config["SETTINGS"].zone),
        certificate_states=STATE_LABELS,
        certificate_tones=STATE_COLOURS,
        may_cancel=_may_cancel(row),
        may_claim=ticket_accounts.may_claim(db(), row),
        mask_phone=mask_phone,
        stands=_stands(row),
        consent_asked=consents.is_asked(db(), row.trainee),
        **_name_facts(row),
        **_held_facts(row),
    )
    answer = make_response(body)
    if _stands(row):
        ticket_cookie.remember(answer, row, now=clock.now())
    return answer


@blueprint.route("/<ticket>/cancel", methods=["GET", "POST"])
@public
@unlisted
def cancel(ticket: str) -> ResponseReturnValue:
    """Ask for confirmation, then cancel the enrolment."""
    row = of_ticket(ticket)
    form = OwnCancellationForm()
    if form.validate_on_submit():
        with refused_on(form):
            places.cancel(db(), row, form.reason.data or _("Cancelled by the trainee"))
            flash(_("Your enrolment is cancelled."))
            return redirect(url_for("tickets.page", ticket=ticket))
    may_cancel = _may_cancel(row)
    body = render_template(
        "tickets/cancel.html", enrolment=row, offering=row.offering, form=form, may_cancel=may_cancel
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.get("/<ticket>/calendar.ics")
@public
@unlisted
def calendar(ticket: str) -> ResponseReturnValue:
    """The sessions as a calendar file."""
    offering = of_ticket(ticket).offering
    public_url = current_app.config["SETTINGS"].public_url
    body = calendars.calendar(offering, named(offering.course), named(offering.organisation), public_url)
    headers = {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Disposition": "attachment; filename=training.ics",
    }
    return body, headers


@blueprint.route("/<ticket>/account", methods=["GET", "POST"])
@public
@limiter.limit(ACCOUNTS, methods=["POST"])
@unlisted
def account(ticket: str) -> ResponseReturnValue:
    """Ask for a code to the record's phone; once it was given in this browser, choose the password of the new account."""
    row = of_ticket(ticket)
    if not ticket_accounts.may_claim(db(), row):
        return redirect(url_for("tickets.page", ticket=ticket))
    check = proven_here.find(db(), ticket_accounts.TICKET, ticket_accounts.subject_of(row))
    form = ButtonForm() if check is None else NewPasswordForm()
    if form.validate_on_submit():
        with refused_on(form):
            if check is None:
                started = ticket_accounts.ask_for_code(
                    db(), row, language=language(), address=request.remote_addr or ""
                )
                return redirect(contact_checks.page_of(started))
            ticket_accounts.claim(db(), row, check, password=form.password.data, language=language())
            proven_here.forget(check)
            flash(_("Your account has been created. Sign in with your phone number and the password you chose."))
            return redirect(url_for("sign_in.page"))
    body = render_template(
        "tickets/account.html",
        enrolment=row,
        form=form,
        proven=check is not None,
        can_send=ticket_accounts.can_send(row.trainee),
        may_link=current_user.is_authenticated
        and ticket_accounts.may_link(db(), row.trainee, current_user.user, code_given=check is not None),
        mask_phone=mask_phone,
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/<ticket>/account/link")
@public
@limiter.limit(ACCOUNTS)
@unlisted
def link(ticket: str) -> ResponseReturnValue:
    """Add the record to the account that is signed in, whose proven phone is the record's."""
    row = of_ticket(ticket)
    if not current_user.is_authenticated:
        return redirect(url_for("tickets.account", ticket=ticket))
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            check = proven_here.find(db(), ticket_accounts.TICKET, ticket_accounts.subject_of(row))
            ticket_accounts.link(db(), row, current_user.user, code_given=check is not None)
            flash(_("Your trainings are now shown in your account."))
            return redirect(url_for("my_training.page"))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("tickets.page", ticket=ticket))


def _name_facts(row: Enrolment) -> dict[str, object]:
    """Facts about a certificate that is owed, and about a name that no font has all characters of, until it is issued."""
    lacking = fonts.unprintable(row.trainee.name) if row.certified_at is None else ()
    writing = name_writings.chosen(db(), {row.id: row.trainee.name}).get(row.id) if lacking else None
    return {
        "is_being_issued": row.certificate_due and row.certified_at is None and (not lacking or writing is not None),
        "lacking": fonts.named(lacking),
        "writing": writing,
        "may_choose": bool(lacking) and name_writings.may_choose(db(), row),
    }


def _held_facts(row: Enrolment) -> dict[str, object]:
    """The demands of the course, and how the trainee stands where the reader proved to be the trainee.

    Whoever types the name and the phone of another person gets a ticket, so a ticket alone proves nothing.
    """
    demands = prerequisites.of_offering(row.offering)
    is_own = current_user.is_authenticated and current_user.id == row.trainee.user_id
    if demands and not is_own:
        is_own = proven_here.find(db(), ticket_accounts.TICKET, ticket_accounts.subject_of(row)) is not None
    standings = prerequisites.of_enrolled(db(), row.offering, [row]) if is_own else {}
    return {
        "demands": demands,
        "demanded_types": prerequisites.type_names(db(), demands),
        "standing": standings.get(row.trainee_id),
    }


def of_ticket(ticket: str) -> Enrolment:
    """The enrolment of a ticket. An unknown ticket is counted as a guess; a known one is never refused for others' guesses."""
    try:
        return listings.get_by_ticket(db(), ticket)
    except NotFound:
        guesses.count_miss("ticket", UNKNOWN_TICKETS, network(request.remote_addr or ""))
        raise


def _may_cancel(row: Enrolment) -> bool:
    return _stands(row) and not places.has_attended(db(), row)


def _may_bring(row: Enrolment) -> bool:
    """Tell whether the holder may enrol another person beside oneself: where visitors enrol, and the holder did so, too."""
    return row.state in ACTIVE_STATES and row.source == EnrolmentSource.SELF and _is_open_to_visitors(row)


def _is_open_to_visitors(row: Enrolment) -> bool:
    try:
        places.get_open_to_visitors(db(), row.offering_id)
    except (DomainError, NotFound):
        return False
    return True


def _stands(row: Enrolment) -> bool:
    return row.state in ACTIVE_STATES and row.offering.state == OfferingState.PUBLISHED
