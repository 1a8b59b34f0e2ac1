"""The places of a ticket's holder: the answer to an offer, people who come with the holder, and whether they stay together."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from certificates.views.unlisted import unlisted
from courses.enrolment import place_offers, waiting_groups
from courses.enrolment.forms.enrolment import CompanionForm, GroupForm, OfferAnswerForm
from courses.enrolment.views import self_enrolment
from courses.models.enrolment import ACTIVE_STATES, EnrolmentSource
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError, NotFound
from lms.core.limits import limiter
from lms.core.request_db import db
from lms.portal import tickets

blueprint = Blueprint("ticket_places", __name__)

CEILING = "600 per 10 minutes"


@blueprint.post("/<ticket>/offer")
@public
@limiter.limit(CEILING)
@unlisted
def offer(ticket: str) -> ResponseReturnValue:
    """Accept or decline the place that is offered. The same answer again changes nothing."""
    enrolment = tickets.of_ticket(ticket)
    form = OfferAnswerForm()
    if form.validate_on_submit():
        try:
            if form.answer.data == "accept":
                number = place_offers.accept(db(), enrolment)
                flash(ngettext("You have a place.", "You have %(num)s places.", max(number, 1)))
            else:
                place_offers.decline(db(), enrolment)
                flash(_("You declined the place and left the waiting list."))
        except DomainError as error:
            flash(message_of(error), "warning")
    return redirect(url_for("tickets.page", ticket=ticket))


@blueprint.post("/<ticket>/group")
@public
@limiter.limit(CEILING)
@unlisted
def group(ticket: str) -> ResponseReturnValue:
    """Record whether places may be given to a part of the people whom the holder enrolled."""
    enrolment = tickets.of_ticket(ticket)
    form = GroupForm()
    if not waiting_groups.is_contact(db(), enrolment):
        raise NotFound
    if form.validate_on_submit():
        try:
            waiting_groups.set_may_split(db(), enrolment, may_split=form.split.data == "part")
        except DomainError as error:
            flash(message_of(error), "warning")
    return redirect(url_for("tickets.page", ticket=ticket))


@blueprint.route("/<ticket>/together", methods=["GET", "POST"])
@public
@limiter.limit(self_enrolment.CEILING, methods=["POST"])
@unlisted
def together(ticket: str) -> ResponseReturnValue:
    """Enrol another person who comes with the holder; if both have to wait, they wait together."""
    enrolment = tickets.of_ticket(ticket)
    if enrolment.state not in ACTIVE_STATES or enrolment.source != EnrolmentSource.SELF:
        return redirect(url_for("tickets.page", ticket=ticket))
    form = CompanionForm(may_split=waiting_groups.may_split(db(), enrolment))
    if not waiting_groups.is_contact(db(), enrolment):
        del form.may_split  # whoever enrolled the group decides
    return self_enrolment.answer(enrolment.offering_id, form, enrolment)
