"""Pages on which a contact is proven: by typing the code that was sent to it, or by confirming the link.

The address of either page is a secret, and neither page shows more of the contact than its mask.
"""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import contact_checks, proven_here
from lms.accounts.contact_checks import Trial
from lms.accounts.forms import ButtonForm, CodeForm
from lms.core.access import public
from lms.core.form_errors import refused_on
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("prove", __name__)

# A school's computer room types its codes from one address; one check allows five tries anyway.
TRIES_PER_ADDRESS = "2000 per 10 minutes"


@blueprint.route("/<ref>", methods=["GET", "POST"])
@public
@limiter.limit(TRIES_PER_ADDRESS, methods=["POST"])
def page(ref: str) -> ResponseReturnValue:
    """Type the code. A wrong one is counted, so its answer is no error, which would roll the count back."""
    check = contact_checks.get(db(), ref)
    form = CodeForm()
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            with refused_on(form):
                trial = contact_checks.confirm_code(db(), ref, form.code.data)
                if trial.proven:
                    return _onward(trial)
                status = 200
                form.code.errors = [_wrong(trial)]
                form.code.data = ""
    body = render_template(
        "prove/page.html",
        check=check,
        ref=ref,
        form=form,
        purpose=contact_checks.purpose_of(check),
        masked=contact_checks.masked(check),
        is_open=contact_checks.is_open(check),
        code_lives=contact_checks.code_lives(check),
        wait=contact_checks.seconds_until_resend(check),
    )
    return _unlisted(body, status)


@blueprint.post("/<ref>/again")
@public
@limiter.limit(TRIES_PER_ADDRESS)
def again(ref: str) -> ResponseReturnValue:
    """Send a new code, on a page of its own."""
    contact_checks.get(db(), ref)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            fresh = contact_checks.send_again(db(), ref, address=request.remote_addr)
            flash(_("A new code is on its way. Only the newest one counts."))
            return redirect(contact_checks.page_of(fresh))
    for message in form.form_errors:
        flash(message, "warning")
    return redirect(url_for("prove.page", ref=ref))


@blueprint.route("/link/<token>", methods=["GET", "POST"])
@public
@limiter.limit(TRIES_PER_ADDRESS)
def link(token: str) -> ResponseReturnValue:
    """Show what the link confirms. The button confirms it; opening the page changes nothing."""
    check = contact_checks.of_link(db(), token)
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            return _onward(contact_checks.confirm_link(db(), token))
    body = render_template(
        "prove/link.html",
        check=check,
        form=form,
        purpose=contact_checks.purpose_of(check),
        masked=contact_checks.masked(check),
    )
    return _unlisted(body, 409 if form.is_submitted() else 200)


def _wrong(trial: Trial) -> str:
    if trial.tries_left == 0:
        return str(_("This code is wrong, and it was mistyped five times. Ask for a new one."))
    return str(_("This code is wrong. Tries left: %(count)s.", count=trial.tries_left))


def _onward(trial: Trial) -> ResponseReturnValue:
    proven_here.remember(trial.check)
    if trial.onward is None:
        return _unlisted(render_template("prove/done.html", masked=contact_checks.masked(trial.check)), 200)
    flash(_("%(contact)s is confirmed.", contact=contact_checks.masked(trial.check)))
    return redirect(trial.onward)


def _unlisted(body: str, status: int) -> ResponseReturnValue:
    answer = make_response(body, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer
