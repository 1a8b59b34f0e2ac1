"""The public pages on which an organisation asks its district for a training."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerDay

from courses.catalogue import catalogue
from courses.enrolment import consents, privacy_texts
from courses.offerings import training_requests
from courses.offerings.forms.offerings import AskTrainingForm
from lms.core import form_keys, guesses, limits
from lms.core.access import public
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.forms import choices
from lms.core.languages import language, named
from lms.core.limits import limiter
from lms.core.request_db import db
from lms.organisations import districts

blueprint = Blueprint("ask_training", __name__)

# Requests of one network address, filled in rightly or not: a school asks for a few trainings.
CEILING = "30 per hour; 100 per day"
# Requests with one phone or e-mail address, and the receipts that they cause, so that nobody sends a stranger dozens.
PER_CONTACT = RateLimitItemPerDay(5)
RECEIPTS_PER_CONTACT = RateLimitItemPerDay(2)
FORM = "ask_training"


@blueprint.route("/ask", methods=["GET", "POST"])
@public
@limiter.limit(CEILING, methods=["POST"])
def page() -> ResponseReturnValue:
    """Show the form, store the request, and say that it was received. The same form sent again stores nothing."""
    form = AskTrainingForm()
    groups = catalogue.list_schedulable(db())
    form.course_id.choices = choices(
        [("", ""), *((course.id, named(course)) for group in groups for course in group.courses)]
    )
    form.district_id.choices = choices([("", ""), *((row.id, named(row)) for row in districts.everyone(db()))])
    if form.validate_on_submit():
        with refused_on(form):
            text = consents.version_shown(db(), form.privacy_version.data)
            training = form.training()
            contacts = [value for value in (training.contact.phone, training.contact.email) if value]
            form_hash = form_keys.hash_of_request(FORM)
            if training_requests.is_new(db(), form_hash):
                _count(contacts)
                training_requests.ask(
                    db(),
                    training,
                    language=language(),
                    privacy_version=text.version,
                    form_hash=form_hash,
                    tell=_may_be_told(contacts),
                )
            return redirect(url_for(".received"))
    body = render_template(
        "ask_training/page.html",
        form=form,
        groups=groups,
        form_key=form_keys.key_of(FORM),
        text=privacy_texts.current(db()),
    )
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.get("/ask/received")
@public
def received() -> str:
    """Say that the request was received and what happens next."""
    return render_template("ask_training/received.html")


def _count(contacts: list[str]) -> None:
    """Count a request with these contacts. Raises DomainError beyond the limit."""
    counters = [guesses.place("ask_training", PER_CONTACT, contact.lower()) for contact in contacts]
    if limits.reserve(counters):
        raise DomainError(
            "too_many_requests",
            N_("Several trainings were requested with this phone or e-mail today. The district calls you about them."),
            status=429,
        )


def _may_be_told(contacts: list[str]) -> bool:
    """Count a receipt to these contacts, and tell whether it is within the limit of each."""
    counters = [guesses.place("ask_training_receipt", RECEIPTS_PER_CONTACT, contact.lower()) for contact in contacts]
    return limits.reserve(counters) == 0
