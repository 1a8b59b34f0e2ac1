"""The second factor: asked at sign-in, set up before a half sign-in becomes whole, and managed by its owner."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import current, known_browsers, passkeys, second_factors, totp, user_agents
from lms.accounts.current import confirmed
from lms.accounts.forms import PasskeyNameForm, RecoveryCodeForm, SecondFactorForm, TotpForm
from lms.accounts.passkeys import RelyingParty
from lms.core import request_db
from lms.core.access import reached_in_step, signed_in
from lms.core.error_pages import message_of
from lms.core.errors import N_, DomainError
from lms.core.form_errors import refused_on
from lms.core.languages import organisation_name
from lms.core.redirects import local_address
from lms.core.request_db import db

blueprint = Blueprint("second_factor", __name__)

# The steps of a sign-in that these pages are: the only pages of the account that a sign-in reaches before them.
ASK, SET_UP = "second_factor.ask", "second_factor.set_up"
BODY_LIMIT = 32 * 1024


@blueprint.route("/sign-in/second", methods=["GET", "POST"])
@reached_in_step(ASK)
def ask() -> ResponseReturnValue:
    """Ask for the second factor, then go on to the page that demanded the sign-in."""
    if current_user.is_authenticated:
        return redirect(_onward())
    factors, site = second_factors.state(db(), current_user.id), _site()
    is_recovery = "recovery" in request.form  # the second form of the page
    form = SecondFactorForm(formdata=None) if is_recovery else SecondFactorForm()
    recovery = RecoveryCodeForm() if is_recovery else RecoveryCodeForm(formdata=None)
    sent = recovery if is_recovery else form
    status = 422 if request.method == "POST" else 200
    if sent.validate_on_submit():
        try:
            second_factors.check_code(
                db(), current_user.user, current_user.token, sent.code.data, current.known_browser(current_user.id)
            )
        except DomainError as refusal:
            request_db.commit()  # the audit trail keeps the refusal
            sent.code.errors = [message_of(refusal)]
            status = refusal.status
        else:
            current.complete(remember=form.remember.data)
            return redirect(_onward())
    if not (site and factors.passkeys):
        form.code.render_kw = {**form.code.render_kw, "autofocus": True}
    body = render_template(
        "sign_in/second.html", form=form, recovery=recovery, factors=factors, site=site, onward=_onward()
    )
    return make_response(body, status)


@blueprint.post("/sign-in/second/passkey-options")
@reached_in_step(ASK)
def using_options() -> ResponseReturnValue:
    """The options with which the browser uses a passkey."""
    options = passkeys.using_options(db(), current_user.user, current_user.token, _demand_site())
    return Response(options, mimetype="application/json")


@blueprint.post("/sign-in/second/passkey")
@reached_in_step(ASK)
def use_passkey() -> ResponseReturnValue:
    """Take the answer of a passkey; the sign-in is whole then."""
    body = _body()
    try:
        second_factors.check_passkey(
            db(), current_user.user, current_user.token, _demand_site(), body.get("credential")
        )
    except DomainError:
        request_db.commit()  # the challenge is used up, and the audit trail keeps the refusal
        raise
    current.complete(remember=body.get("remember") is True)
    return jsonify(next=_onward())


@blueprint.get("/account/second-factor/set-up")
@reached_in_step(SET_UP)
@confirmed
def set_up() -> ResponseReturnValue:
    """Offer the kinds of a second factor to whoever has none yet, or adds one."""
    return render_template(
        "second_factor/set_up.html",
        factors=second_factors.state(db(), current_user.id),
        form=PasskeyNameForm(formdata=None, name=_browser()),
        site=_site(),
        onward=_onward(),
    )


@blueprint.route("/account/second-factor/app", methods=["GET", "POST"])
@reached_in_step(SET_UP)
@confirmed
def app() -> ResponseReturnValue:
    """Set up an authenticator app: show the secret, take the first code."""
    user = current_user.user
    form = TotpForm()
    secret = totp.open_pending(user, form.pending.data or "") or totp.new_secret()
    if form.validate_on_submit():
        with refused_on(form):
            second_factors.add_totp(db(), user, secret, form.code.data, whole=current_user.is_authenticated)
            return redirect(_added())
    form.pending.data = totp.seal_pending(user, secret)
    address = totp.app_address(secret, user.email or user.phone or user.name, organisation_name())
    return make_response(
        render_template(
            "second_factor/app.html",
            form=form,
            secret=secret,
            address=address,
            picture=totp.picture(address),
            onward=_onward(),
        ),
        422 if form.is_submitted() else 200,
    )


@blueprint.post("/account/second-factor/passkey-options")
@reached_in_step(SET_UP)
@confirmed
def adding_options() -> ResponseReturnValue:
    """The options with which the browser makes a passkey."""
    options = second_factors.passkey_options(
        db(), current_user.user, current_user.token, _demand_site(), whole=current_user.is_authenticated
    )
    return Response(options, mimetype="application/json")


@blueprint.post("/account/second-factor/passkeys")
@reached_in_step(SET_UP)
@confirmed
def add_passkey() -> ResponseReturnValue:
    """Store the passkey that the browser made."""
    body = _body()
    try:
        second_factors.add_passkey(
            db(),
            current_user.user,
            current_user.token,
            _demand_site(),
            body.get("credential"),
            name=_name(body.get("name")),
            whole=current_user.is_authenticated,
        )
    except DomainError:
        request_db.commit()  # the challenge is used up
        raise
    return jsonify(next=_added()), 201


@blueprint.get("/account/second-factor")
@signed_in
def page() -> ResponseReturnValue:
    """The user's own factors, recovery codes and remembered browsers."""
    return render_template(
        "second_factor/page.html",
        factors=second_factors.state(db(), current_user.id),
        site=_site(),
        demanded=_demanded(),
        browser_name=user_agents.browser_name,
    )


@blueprint.post("/account/second-factor/app/remove")
@signed_in
@confirmed
def remove_app() -> ResponseReturnValue:
    """Remove the authenticator app."""
    second_factors.remove_totp(db(), current_user.user, demanded=_demanded())
    flash(_("The authenticator app is removed."))
    return redirect(url_for("second_factor.page"))


@blueprint.post("/account/second-factor/passkeys/<int:passkey_id>/remove")
@signed_in
@confirmed
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove one of the user's passkeys."""
    second_factors.remove_passkey(db(), current_user.user, passkey_id, demanded=_demanded())
    flash(_("The passkey is removed. You can delete it on your device, too."))
    return redirect(url_for("second_factor.page"))


@blueprint.route("/account/second-factor/passkeys/<int:passkey_id>", methods=["GET", "POST"])
@signed_in
def rename_passkey(passkey_id: int) -> ResponseReturnValue:
    """Give one of the user's passkeys another name."""
    row = passkeys.one(db(), current_user.id, passkey_id)
    form = PasskeyNameForm(obj=row)
    if form.validate_on_submit():
        second_factors.rename_passkey(db(), current_user.user, passkey_id, form.name.data)
        flash(_("Saved."))
        return redirect(url_for("second_factor.page"))
    return make_response(
        render_template("second_factor/passkey.html", form=form, passkey=row), 422 if form.is_submitted() else 200
    )


@blueprint.get("/account/second-factor/recovery-codes")
@signed_in
def codes() -> ResponseReturnValue:
    """Explain recovery codes, and offer to make them."""
    factors = second_factors.state(db(), current_user.id)
    if not factors.number:
        return redirect(url_for("second_factor.set_up"))
    return render_template("second_factor/codes.html", codes=[], factors=factors, onward=_onward())


@blueprint.post("/account/second-factor/recovery-codes")
@signed_in
@confirmed
def make_codes() -> ResponseReturnValue:
    """Make ten recovery codes and show them once."""
    made = second_factors.make_recovery_codes(db(), current_user.user)
    return render_template("second_factor/codes.html", codes=made, factors=None, onward=_onward())


@blueprint.post("/account/second-factor/browsers/forget")
@signed_in
def forget_browsers() -> ResponseReturnValue:
    """Ask for the second factor again in every browser."""
    known_browsers.forget_second_factors(db(), current_user.id)
    flash(_("Every browser is asked for the second factor at its next sign-in."))
    return redirect(url_for("second_factor.page"))


def _onward() -> str:
    return local_address(request.args.get("next"), url_for("home.page"))


def _added() -> str:
    """The page after a factor was added. The first one makes this sign-in whole and leads to the recovery codes."""
    if current_user.second_factor_at is None:
        current.complete(remember=False)
    if second_factors.state(db(), current_user.id).recovery_codes == 0:
        return url_for("second_factor.codes", next=_onward())
    flash(_("The second factor is set up."))
    return url_for("second_factor.page")


def _demanded() -> bool:
    return current.owes_second_factor(current_user.grants)


def _site() -> RelyingParty | None:
    return passkeys.relying_party(current_app.config["SETTINGS"].public_url, organisation_name())


def _demand_site() -> RelyingParty:
    site = _site()
    if site is None:
        raise DomainError("passkeys_not_here", N_("Passkeys do not work at this address of the site. Use an app."))
    return site


def _body() -> dict[str, Any]:
    request.max_content_length = BODY_LIMIT
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise DomainError(
            "body_malformed", N_("The request could not be read. Reload the page and try again."), status=422
        )
    return body


def _name(value: Any) -> str:
    """The name of a passkey, from JSON; without a name, that of the browser."""
    text = value if isinstance(value, str) else ""
    return " ".join(text.split())[: passkeys.NAME_LENGTH] or _browser()


def _browser() -> str:
    return user_agents.browser_name(request.user_agent.string) or _("Passkey")
