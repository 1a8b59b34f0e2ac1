"""The page of an invitation: an instructor accepts it with the account that is signed in, or with a new one.

The address is a secret. Opening the page changes nothing, because mail scanners open links too.
"""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from instructors import invitations
from lms.accounts.forms import ButtonForm, NewPasswordForm
from lms.core.access import public
from lms.core.contacts import ContactKind
from lms.core.errors import Denied
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.masks import mask_email, mask_phone
from lms.core.request_db import db

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/<token>")
@public
@limiter.limit("600 per 10 minutes")
def page(token: str) -> ResponseReturnValue:
    """Show who is invited, and both ways to accept."""
    return _show(token, NewPasswordForm(formdata=None), ButtonForm(formdata=None))


@blueprint.post("/<token>/accept")
@public
@limiter.limit("120 per 10 minutes")
def accept(token: str) -> ResponseReturnValue:
    """Accept with the account that is signed in in this browser."""
    if not current_user.is_authenticated:
        raise Denied
    form = ButtonForm()
    if form.validate_on_submit():
        with refused_on(form):
            invitations.accept(db(), token, current_user.user)
            flash(_("Welcome. Your account is now an instructor's account."))
            return redirect(url_for("home.page"))
    return make_response(_show(token, NewPasswordForm(formdata=None), form), 422)


@blueprint.post("/<token>/account")
@public
@limiter.limit("120 per 10 minutes")
def create(token: str) -> ResponseReturnValue:
    """Accept with a new account."""
    form = NewPasswordForm()
    if form.validate_on_submit():
        with refused_on(form):
            invitations.accept_with_new_account(db(), token, form.password.data, language())
            flash(_("Your account is ready. Sign in with the contact to which the invitation was sent."))
            return redirect(url_for("sign_in.page"))
    return make_response(_show(token, form, ButtonForm(formdata=None)), 422)


def _show(token: str, form: NewPasswordForm, button: ButtonForm) -> ResponseReturnValue:
    invitation = invitations.get(db(), token)
    row = invitation.instructor
    contact = mask_email(row.email) if invitation.proves is ContactKind.EMAIL else mask_phone(row.phone)
    body = render_template(
        "instructors/invitation.html", instructor=row, contact=contact, token=token, form=form, button=button
    )
    answer = make_response(body)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer
