"""Signing in, and setting a password by a mailed link."""

import structlog
from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import (
    confirmations,
    current,
    known_browsers,
    password_links,
    password_requests,
    sign_in_log,
    throttle,
    users,
)
from lms.accounts.forms import ConfirmForm, ForgottenForm, NewPasswordForm, SignInForm
from lms.accounts.throttle import TooManyTries
from lms.core import cookies, request_db
from lms.core.access import half_signed_in, public, step_owed
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.form_errors import refused_on
from lms.core.redirects import local_address
from lms.core.request_db import db

log = structlog.get_logger(__name__)
blueprint = Blueprint("sign_in", __name__)


@blueprint.route("/", methods=["GET", "POST"])
@public
def page() -> ResponseReturnValue:
    """Sign in, then return to the page that asked for it."""
    onward = local_address(request.args.get("next"), url_for("home.page"))
    if request.method == "GET" and (step := step_owed()) is not None:
        return redirect(url_for(step, next=onward))
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(onward)
    form = SignInForm()
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                step = _sign_in(form)
            except TooManyTries as refusal:
                form.form_errors.append(message_of(refusal))
                return _wait("sign_in/page.html", form, refusal, onward=onward, throttled=True)
            except DomainError as refusal:
                form.form_errors.append(message_of(refusal))
            else:
                return redirect(url_for(step, next=onward) if step is not None else onward)
    return make_response(render_template("sign_in/page.html", form=form, onward=onward), status)


def _sign_in(form: SignInForm) -> str | None:
    """Sign in by the form's password, and return the endpoint of the step that is still owed.

    A refusal is committed, because the audit trail and the counters keep it.
    """
    identifier = users.canonical(form.identifier.data)
    claim = users.claimed(db(), identifier, cookies.read(known_browsers.COOKIE))
    try:
        reserved = throttle.reserve_try(
            identifier, request.remote_addr or "", browser=claim.browser.id if claim.browser is not None else None
        )
    except TooManyTries:
        sign_in_log.record_refusal(db(), claim.user, identifier)
        request_db.commit()
        log.info("sign_in_throttled")
        raise
    try:
        user = users.authenticate(claim, form.password.data)
    except DomainError:
        sign_in_log.record_failure(db(), claim.user, identifier)
        request_db.commit()
        log.info("sign_in_refused")
        raise
    reserved.give_back()
    sign_in_log.record_sign_in(db(), user, identifier)
    log.info("signed_in", user_id=user.id)
    return current.remember(user, current_app.config["SETTINGS"].session_days)


@blueprint.route("/confirm", methods=["GET", "POST"])
@half_signed_in
def confirm() -> ResponseReturnValue:
    """Ask for the password again, then lead on to the page that demanded it."""
    onward = local_address(request.args.get("next"), url_for("home.page"))
    form = ConfirmForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            confirmations.confirm(db(), current_user.user, current_user.token, form.confirm_password.data)
            return redirect(onward)
        except DomainError as refusal:
            status = refusal.status
            form.confirm_password.errors = [message_of(refusal)]
    return make_response(render_template("sign_in/confirm.html", form=form), status)


@blueprint.route("/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> ResponseReturnValue:
    """Request a password link. It is stored alone and looked up by a worker, so that answer and time are the same for all."""
    form = ForgottenForm()
    if form.validate_on_submit():
        identifier = users.canonical(form.identifier.data)
        try:
            throttle.count_link(identifier, request.remote_addr or "")
        except TooManyTries as refusal:
            form.form_errors.append(message_of(refusal))
            return _wait("sign_in/forgotten.html", form, refusal)
        password_requests.store(db(), identifier)
        return render_template("sign_in/mailed.html", identifier=form.identifier.data)
    return make_response(render_template("sign_in/forgotten.html", form=form), 422 if form.is_submitted() else 200)


@blueprint.route("/password/<token>", methods=["GET", "POST"])
@public
def choose(token: str) -> ResponseReturnValue:
    """Choose a password with a link. Opening the link does not use it up, because mail programs open links too."""
    owner = password_links.owner(db(), token)
    form = NewPasswordForm()
    if form.validate_on_submit():
        with refused_on(form):
            current.make_known(password_links.use(db(), token, form.password.data))
            flash(_("The password is set. Sign in with it."))
            return redirect(url_for("sign_in.page"))
    return make_response(
        render_template("sign_in/choose.html", form=form, owner=owner), 422 if form.is_submitted() else 200
    )


def _wait(
    template: str, form: SignInForm | ForgottenForm, refusal: TooManyTries, **context: object
) -> ResponseReturnValue:
    response = make_response(render_template(template, form=form, **context), refusal.status)
    response.headers["Retry-After"] = str(refusal.seconds)
    return response
