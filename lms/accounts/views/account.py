"""The user's own account: profile, password, signed-in browsers."""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import browser_sessions, places, user_agents, users
from lms.accounts.forms import ROLES, OwnPasswordForm, ProfileForm
from lms.core.access import half_signed_in, signed_in
from lms.core.form_errors import refused_on
from lms.core.request_db import db

blueprint = Blueprint("account", __name__)

RECONNECTS = (
    "reconnects"  # in the cookie: the page that follows forgets this browser's token, which is not taken any more
)


@blueprint.get("/")
@signed_in
def page() -> ResponseReturnValue:
    """Name, language, password, roles, and the browsers that are signed in."""
    return _show(ProfileForm(obj=current_user.user), OwnPasswordForm())


@blueprint.post("/")
@signed_in
def change() -> ResponseReturnValue:
    """Change name and language; the page comes back in the chosen language."""
    form = ProfileForm()
    if form.validate_on_submit():
        users.change_own(db(), current_user.user, name=form.name.data, language=form.language.data)
        flash(_("Saved."))
        return redirect(url_for("account.page", lang=form.language.data))
    return make_response(_show(form, OwnPasswordForm()), 422)


@blueprint.post("/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """Change the password; every other browser is signed out and every device disconnected. This browser connects again."""
    form = OwnPasswordForm()
    if form.validate_on_submit():
        with refused_on(form):
            users.change_password(
                db(),
                current_user.user,
                old=form.present_password.data,
                new=form.password.data,
                token=current_user.token,
            )
            cookie[RECONNECTS] = True
            flash(
                _(
                    "The password is changed. You were signed out in every other browser, and all devices were disconnected."
                )
            )
            return redirect(url_for("account.page"))
    return make_response(_show(ProfileForm(formdata=None, obj=current_user.user), form), 422)


@blueprint.post("/browsers/<key>/end")
@signed_in
def end_browser(key: str) -> ResponseReturnValue:
    """Sign out one of the user's browsers."""
    browser_sessions.end_one(db(), current_user.id, key)
    flash(_("That browser is signed out."))
    return redirect(url_for("account.page"))


@blueprint.post("/browsers/end-others")
@signed_in
def end_others() -> ResponseReturnValue:
    """Sign out everywhere except in this browser."""
    browser_sessions.end_all(db(), current_user.id, but=current_user.token)
    flash(_("You are signed in here only."))
    return redirect(url_for("account.page"))


@blueprint.post("/sign-out")
@half_signed_in
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    browser_sessions.end(db(), current_user.token)
    cookie.clear()
    flash(_("You are signed out."))
    return redirect(url_for("home.page"))


def _show(profile: ProfileForm, password: OwnPasswordForm) -> str:
    user = current_user.user
    return render_template(
        "account/page.html",
        user=user,
        profile=profile,
        password=password,
        roles=ROLES,
        places=places.of_grants(db(), user.grants),
        browsers=browser_sessions.of_user(
            db(), user, current_user.token, staff_idle=current_app.config["SETTINGS"].staff_idle
        ),
        browser_name=user_agents.browser_name,
        reconnects=cookie.pop(RECONNECTS, False),
    )
