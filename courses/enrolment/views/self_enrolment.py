"""The page on which a visitor without an account enrols by name and phone, and gets a ticket."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerDay, RateLimitItemPerMinute

from courses.enrolment import (
    consents,
    enrolment_keys,
    place_counts,
    places,
    prerequisites,
    privacy_texts,
    trainees,
)
from courses.enrolment.consents import Guardian
from courses.enrolment.forms.enrolment import SelfEnrolmentForm
from courses.models.enrolment import Enrolment
from courses.models.privacy import ConsentWay
from lms.core import form_keys, guesses, limits
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.guesses import TooManyGuesses
from lms.core.limits import limiter, network
from lms.core.request_db import db

blueprint = Blueprint("self_enrolment", __name__)

# The ceiling of one IP address: 300 people of a school enrol within ten minutes, and some do it twice.
CEILING = "600 per 10 minutes; 3000 per day"
# Forms of one address that were filled in wrongly; a right one is never refused for them.
WRONG_FORMS = RateLimitItemPerMinute(30)
# Enrolments with one phone: whoever guesses the name that belongs to a phone gives the phone each time, and so does whoever
# enrols the children of a family. From one address, and from all.
PER_PHONE_AND_ADDRESS = RateLimitItemPerDay(30)
PER_PHONE = RateLimitItemPerDay(100)
# Messages to one phone or e-mail address that enrolments cause, so that nobody sends a stranger hundreds. The page shows each
# ticket in any case.
MESSAGES_PER_CONTACT = RateLimitItemPerDay(10)


@blueprint.route("/<int:offering_id>/enrol", methods=["GET", "POST"])
@public
@limiter.limit(CEILING, methods=["POST"])
def page(offering_id: int) -> ResponseReturnValue:
    """Show the form, and then the ticket. A trainee who is enrolled already gets a notice, and the ticket by mail.

    The same form sent again by the same browser, as by a double tap, gets the ticket of the first time.
    """
    return answer(offering_id, SelfEnrolmentForm())


def answer(offering_id: int, form: SelfEnrolmentForm, companion: Enrolment | None = None) -> ResponseReturnValue:
    """Answer the form of enrolment. companion: the enrolment of the person who enrols this one beside oneself."""
    form_name = f"enrol:{offering_id}:{companion.id}" if companion is not None else f"enrol:{offering_id}"
    form_hash = form_keys.hash_of_request(form_name) if form.is_submitted() else None
    answered = enrolment_keys.find(db(), form_hash)
    if answered is not None:
        return redirect(url_for("tickets.page", ticket=answered.ticket))
    offering = places.get_open_to_visitors(db(), offering_id)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        with refused_on(form):
            answered = enrolment_keys.claim(db(), form_hash)
            if answered is not None:
                return redirect(url_for("tickets.page", ticket=answered.ticket))
            text = consents.version_shown(db(), form.privacy_version.data)
            guardian = _guardian(form)
            _count_phone(form.phone.data or "")
            result = places.enrol_oneself(
                db(),
                offering_id,
                form.facts(),
                tell=_may_be_told(form),
                companion=companion,
                may_split=bool(form.data.get("may_split")),
            )
            if result.already_enrolled:
                return render_template("self_enrolment/again.html", offering=offering)
            consents.give(
                db(),
                result.enrolment.trainee,
                ConsentWay.SELF_ENROLMENT,
                guardian=guardian,
                version=text.version,
            )
            enrolment_keys.remember(db(), form_hash, result.enrolment)
            return redirect(url_for("tickets.page", ticket=result.enrolment.ticket))
    elif form.is_submitted():
        try:
            guesses.count_miss("enrolment_form", WRONG_FORMS, network(request.remote_addr or ""))
        except TooManyGuesses as refusal:
            form.form_errors.append(message_of(refusal))
            status = refusal.status
    counts = place_counts.count_places(db(), offering)
    text = privacy_texts.current(db())
    demands = prerequisites.of_offering(offering)
    body = render_template(
        "self_enrolment/page.html",
        offering=offering,
        demands=demands,
        types=prerequisites.type_names(db(), demands),
        form=form,
        form_key=form_keys.key_of(form_name),
        places=counts,
        text=text,
        companion=companion,
    )
    return make_response(body, status)


def _guardian(form: SelfEnrolmentForm) -> Guardian | None:
    """The guardian who consents for a child under 14. Raises DomainError on the field at fault."""
    if not trainees.needs_guardian(form.facts()):
        return None
    return consents.guardian_of(form.guardian_name.data, form.guardian_relation.data)


def _may_be_told(form: SelfEnrolmentForm) -> bool:
    """Count a message to the contacts of an enrolment, and tell whether it is within the limit of each."""
    contacts = [contact for contact in (form.phone.data, (form.email.data or "").lower()) if contact]
    places_counted = [guesses.place("enrolment_message", MESSAGES_PER_CONTACT, contact) for contact in contacts]
    return limits.reserve(places_counted) == 0


def _count_phone(phone: str) -> None:
    """Count an enrolment with a phone. Raises DomainError beyond the limits."""
    address = network(request.remote_addr or "")
    counters = [
        guesses.place("enrolment_phone", PER_PHONE_AND_ADDRESS, phone, address),
        guesses.place("enrolment_phone", PER_PHONE, phone),
    ]
    if limits.reserve(counters):
        raise DomainError(
            "too_many_with_phone",
            N_("Too many people were enrolled with this phone number today. Ask the host organisation to enrol you."),
            status=429,
            field="phone",
        )
