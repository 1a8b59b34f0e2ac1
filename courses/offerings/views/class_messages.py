"""Pages by which staff write to a class: the message, a preview of who gets it how, and what was sent before."""

from collections import Counter

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from courses.models.class_messages import OF_SESSION, Audience
from courses.models.offerings import CourseSession, Offering
from courses.offerings import class_messages
from courses.offerings.forms.class_messages import ClassMessageForm
from lms.core import clock, form_keys
from lms.core.access import requires, scope
from lms.core.errors import N_, Denied
from lms.core.form_errors import refused_on
from lms.core.messages.models import Channel, MessageState
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS, fetch

blueprint = Blueprint("class_messages", __name__)

AUDIENCES = {
    Audience.ENROLLED: lazy_gettext("Everybody with a place"),
    Audience.WAITING: lazy_gettext("The waiting list"),
    Audience.PRESENT: lazy_gettext("Present"),
    Audience.ABSENT: lazy_gettext("Absent"),
}
CHANNELS = {
    Channel.EMAIL: lazy_gettext("E-mail"),
    Channel.SMS: lazy_gettext("Text message"),
    None: lazy_gettext("To be called"),
}
STATES = {
    MessageState.WAITING: lazy_gettext("on its way"),
    MessageState.SENT: lazy_gettext("sent"),
    MessageState.ASIDE: lazy_gettext("not delivered"),
    MessageState.TO_CALL: lazy_gettext("to be called"),
    MessageState.CALLED: lazy_gettext("called"),
}


@blueprint.route("/<int:offering_id>/message", methods=["GET", "POST"])
@requires(*ATTENDANCE_TAKERS)
def page(offering_id: int) -> ResponseReturnValue:
    """Write a message, see who gets it how, then send it."""
    offering = fetch(db(), Offering, offering_id, scope())
    if not class_messages.may_send(offering, scope()):
        raise Denied("message_denied", N_("You may not write to this class."))
    begun = [meeting for meeting in offering.sessions if meeting.starts_at <= clock.now()]
    form = ClassMessageForm(begun=begun)
    people = None
    if form.validate_on_submit():
        audience, meeting = _meant(form.to.data, begun)
        with refused_on(form):
            if form.confirmed.data == "yes":
                name = _form_name(offering_id)
                class_messages.send(
                    db(), offering, audience, meeting, form.text.data, scope=scope(),
                    form_hash=form_keys.hash_of_request(name),
                )  # fmt: skip
                flash(_("The message is on its way. This page shows whom it reached."))
                return redirect(url_for(".page", offering_id=offering_id))
            if form.confirmed.data != "change":  # the way back from the preview, with what was written
                people = class_messages.list_recipients(db(), offering, audience, meeting)
    body = render_template(
        "class_messages/page.html",
        offering=offering,
        form=form,
        form_key=form_keys.key_of(_form_name(offering_id)),
        people=people,
        by_channel=Counter(person.channel for person in people or ()),
        sent=class_messages.of_offering(db(), offering_id),
        audiences=AUDIENCES,
        channels=CHANNELS,
        states=STATES,
    )
    return make_response(body, 422 if form.errors else 200)


def _form_name(offering_id: int) -> str:
    return f"class_message:{offering_id}"


def _meant(choice: str, begun: list[CourseSession]) -> tuple[Audience, CourseSession | None]:
    """The audience of a choice such as "absent:17", and its session."""
    audience, _colon, number = choice.partition(":")
    meeting = next((row for row in begun if str(row.id) == number), None)
    return Audience(audience), meeting if audience in OF_SESSION else None


def may_write_to_class(offering: Offering) -> bool:
    """Tell whether the user may write to the class; templates call this."""
    return class_messages.may_send(offering, scope())


blueprint.add_app_template_global(may_write_to_class)
