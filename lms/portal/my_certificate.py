"""Found again: a person's certificates and tickets by a code to the phone or e-mail address, without an account or a ticket.

Without a proven contact, name and ID number give what the public verification page shows. Both ways answer an unknown person as
they answer a known one, until a code came back or name and ID number agree.
"""

from datetime import date

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from limits import RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute

from certificates import identity_look_up, own_papers
from certificates.states import STATE_COLOURS, STATE_LABELS
from certificates.views.unlisted import unlisted
from courses.enrolment import contact_records, labels
from courses.enrolment.contact_records import OpenedRecords
from lms.accounts import contact_checks, proven_here
from lms.accounts.forms import ButtonForm
from lms.accounts.models import ContactCheck
from lms.core import clock, guesses, limits
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.limits import limiter, network
from lms.core.names import norm
from lms.core.request_db import db
from lms.portal.my_certificate_forms import IdentityForm, OwnContactForm, OwnNameForm

blueprint = Blueprint("my_certificate", __name__)

OPENED_BY_NAME = "opened_by_name"  # the cookie session's key
PAGES = "2000 per 10 minutes"  # of one address: a whole school may look for its certificates in a lesson
LOOK_UPS = "10/minute"
WRONG_NAMES = RateLimitItemPerHour(20)  # of one contact
# Whoever knows a person's name and place and day of birth needs about 1,000 guesses for the ID number.
MISSES_OF_NETWORK = RateLimitItemPerMinute(20, 10)
MISSES_OF_NAME = RateLimitItemPerDay(30)


@blueprint.route("/", methods=["GET", "POST"], strict_slashes=False)
@public
@limiter.limit(PAGES)
@unlisted
def page() -> ResponseReturnValue:
    """Ask for a contact and send a code to it; once the code came back in this browser, show what the contact opens."""
    check = proven_here.find(db(), contact_records.PURPOSE)
    if check is not None and request.method == "GET":
        return _papers(check, OwnNameForm())
    form = OwnContactForm()
    if form.validate_on_submit():
        with refused_on(form):
            started = contact_records.ask_for_code(
                db(), form.kind, form.contact.data or "", language=language(), address=request.remote_addr or ""
            )
            return redirect(contact_checks.page_of(started))
    body = render_template("my_certificate/page.html", form=form)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/name")
@public
@limiter.limit(PAGES)
@unlisted
def name() -> ResponseReturnValue:
    """Open the records of people of a name that have the proven contact. A name that opens none is counted."""
    check = proven_here.find(db(), contact_records.PURPOSE)
    if check is None:
        return redirect(url_for(".page"))
    form = OwnNameForm()
    if form.validate_on_submit():
        tries = guesses.place("my_certificate.name", WRONG_NAMES, check.contact)
        if limits.reserve([tries]):
            form.form_errors.append(message_of(_too_many()))
            return _papers(check, form, 429)
        records = contact_records.by_name(db(), check, form.name.data)
        if records.trainee_ids or records.enrolment_ids:
            limits.give_back([tries])
            _remember(check, records)
            return redirect(url_for(".page"))
        form.form_errors.append(
            _("Nothing with this contact is recorded under this name. Type the whole name as it was given.")
        )
    return _papers(check, form, 422)


@blueprint.post("/leave")
@public
@limiter.limit(PAGES)
@unlisted
def leave() -> ResponseReturnValue:
    """Forget the proof in this browser, such as one that others use, too."""
    check = proven_here.find(db(), contact_records.PURPOSE)
    if check is not None and ButtonForm().validate_on_submit():
        proven_here.forget(check)
        cookie.pop(OPENED_BY_NAME, None)
        flash(_("This browser shows your certificates no more."))
    return redirect(url_for(".page"))


@blueprint.route("/without-phone", methods=["GET", "POST"])
@public
@limiter.limit(LOOK_UPS, methods=["POST"])
@unlisted
def identity() -> ResponseReturnValue:
    """Show the public facts of the certificates of whoever has this name and ID number, and the way to the desk."""
    form = IdentityForm()
    if not form.validate_on_submit():
        return make_response(
            render_template("my_certificate/identity.html", form=form), 422 if form.is_submitted() else 200
        )
    of_name = guesses.place("identity", MISSES_OF_NAME, norm(form.name.data))
    status = 200
    papers = None
    try:
        if limits.reserve([of_name]):
            raise _too_many()
        papers = identity_look_up.by_identity(db(), form.name.data, form.id_number.data or "", today=_today())
        if papers:
            limits.give_back([of_name])
        else:
            guesses.count_miss("identity", MISSES_OF_NETWORK, network(request.remote_addr or ""))
            raise _no_match()
    except DomainError as error:
        if error.code == "id_number_wrong":
            limits.give_back([of_name])
        status = error.status
        field = form[error.field] if error.field else None
        (form.form_errors if field is None else field.errors).append(message_of(error))
    body = render_template(
        "my_certificate/identity.html", form=form, papers=papers, state_label=STATE_LABELS, state_colour=STATE_COLOURS
    )
    return make_response(body, status)


def _papers(check: ContactCheck, form: OwnNameForm, status: int = 200) -> ResponseReturnValue:
    remembered = cookie.get(OPENED_BY_NAME, {})
    is_same = remembered.get("check") == contact_checks.ref_of(check)
    records = contact_records.opened(
        db(),
        check,
        trainee_ids=remembered["trainees"] if is_same else (),
        enrolment_ids=remembered["enrolments"] if is_same else (),
    )
    body = render_template(
        "my_certificate/papers.html",
        form=form,
        contact=contact_checks.masked(check),
        people=own_papers.of_records(db(), records, zone=current_app.config["SETTINGS"].zone),
        needs_name=records.needs_name,
        state_of=labels.state_of,
        state_label=STATE_LABELS,
        state_colour=STATE_COLOURS,
    )
    return make_response(body, status)


def _remember(check: ContactCheck, records: OpenedRecords) -> None:
    """Note in the signed cookie which records a name opened; each is compared with the contact again when it is shown."""
    ref = contact_checks.ref_of(check)
    former = cookie.get(OPENED_BY_NAME, {})
    kept = former if former.get("check") == ref else {"trainees": [], "enrolments": []}
    cookie[OPENED_BY_NAME] = {
        "check": ref,
        "trainees": sorted({*kept["trainees"], *records.trainee_ids}),
        "enrolments": sorted({*kept["enrolments"], *records.enrolment_ids}),
    }


def _too_many() -> DomainError:
    return DomainError(
        "too_many_guesses",
        N_(
            "Too many wrong attempts. Use the code to your phone, or try again tomorrow, or ask at the desk of your district."
        ),
        status=429,
    )


def _no_match() -> DomainError:
    """Build the single answer for an ID number that is not recorded and for a name that is not its owner's."""
    return DomainError(
        "identity_no_match",
        N_(
            "We have no certificate with this name and this ID number. For many people no ID number was recorded; the code to"
            " the phone or the desk of your district helps."
        ),
        status=404,
    )


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)
