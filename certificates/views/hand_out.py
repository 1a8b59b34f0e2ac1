"""Ways to the own page for the people of a class: a sheet for cutting, a large code to be scanned, and the message again."""

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from certificates import hand_out
from certificates.views.unlisted import unlisted
from courses.enrolment import listings, mail, namesakes
from courses.enrolment.mail import SentAgain
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.errors import NotFound
from lms.core.messages.models import Channel
from lms.core.redirects import local_address
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, fetch

blueprint = Blueprint("hand_out", __name__)


@blueprint.get("/offering/<int:offering_id>/hand-out.pdf")
@requires(*ATTENDANCE_TAKERS)
@unlisted
def sheet(offering_id: int) -> ResponseReturnValue:
    """Serve the slips of a class as PDF."""
    offering = fetch(db(), Offering, offering_id, scope())
    document = hand_out.pdf(db(), offering, site=_site(), now=clock.now())
    headers = {"Content-Disposition": f'inline; filename="hand-out-{offering.id}.pdf"'}
    return Response(document, mimetype="application/pdf", headers=headers)


@blueprint.get("/offering/<int:offering_id>/codes")
@requires(*ATTENDANCE_TAKERS)
@unlisted
def people(offering_id: int) -> ResponseReturnValue:
    """List the people of a class who have a certificate or get one, each with the way to the large code."""
    offering = fetch(db(), Offering, offering_id, scope())
    return render_template("hand_out/people.html", offering=offering, people=hand_out.people(db(), offering.id))


@blueprint.get("/offering/<int:offering_id>/codes/<int:enrolment_id>")
@requires(*ATTENDANCE_TAKERS)
@unlisted
def code(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show one person's code, large, with the way to the next person."""
    enrolment = _enrolment(offering_id, enrolment_id)
    people = hand_out.people(db(), offering_id)
    place = next((at for at, person in enumerate(people) if person.enrolment_id == enrolment.id), None)
    return render_template(
        "hand_out/code.html",
        enrolment=enrolment,
        offering=enrolment.offering,
        code=Markup(hand_out.show(db(), enrolment, site=_site())),  # noqa: S704  # made of rectangles by us
        hint=namesakes.beside(db(), [enrolment.id]).get(enrolment.id, ""),
        number=place + 1 if place is not None else None,
        total=len(people),
        is_issued=enrolment.certified_at is not None,
        former=people[place - 1] if place else None,
        following=people[place + 1] if place is not None and place + 1 < len(people) else None,
        back=local_address(request.args.get("back"), url_for(".people", offering_id=offering_id)),
    )


@blueprint.post("/offering/<int:offering_id>/codes/<int:enrolment_id>/send")
@requires(*ATTENDANCE_TAKERS)
def send(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Send the address of the own page again, and say to which contact it goes or that there is none."""
    enrolment = _enrolment(offering_id, enrolment_id)
    sent = mail.send_link(db(), enrolment)
    flash(_told(sent, enrolment), "message" if sent.channel else "warning")
    way_back = url_for(".code", offering_id=offering_id, enrolment_id=enrolment_id)
    return redirect(local_address(request.form.get("next"), way_back))


def _enrolment(offering_id: int, enrolment_id: int) -> Enrolment:
    """The enrolment, unless it was cancelled: whoever does not come needs no way in."""
    enrolment = listings.get_in_offering(db(), offering_id, enrolment_id, scope())
    if enrolment.state == EnrolmentState.CANCELLED:
        raise NotFound
    return enrolment


def _told(sent: SentAgain, enrolment: Enrolment) -> str:
    """Say what became of the wish. A message that is on its way may still fail; whom it missed is on the list to call."""
    name = namesakes.told_name(db(), enrolment)
    if sent.contact:
        return str(_("The link for %(name)s goes to %(contact)s.", name=name, contact=sent.contact))
    if sent.channel is Channel.SMS:
        return str(_("The link for %(name)s goes to the person's verified phone.", name=name))
    if sent.channel is Channel.EMAIL:
        return str(_("The link for %(name)s goes to the person's verified e-mail address.", name=name))
    if sent.too_soon:
        return str(
            _(
                "A link was sent to %(name)s less than ten minutes ago, or three times today. Show the code instead.",
                name=name,
            )
        )
    return str(
        _(
            "Nothing can be sent to %(name)s: no phone and no e-mail address was given for this training, and none is"
            " verified, or this installation has no way to send to it. Show the code instead.",
            name=name,
        )
    )


def _site() -> str:
    public_url: str = current_app.config["SETTINGS"].public_url
    return public_url
