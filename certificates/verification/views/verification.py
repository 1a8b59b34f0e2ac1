"""Public verification pages, without an account, an app or JavaScript.

These pages set no cookie and need no CSRF token: a question changes nothing, and the pages send no referrer, which the
token's check would need.
"""

from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from certificates.branch import Branch
from certificates.forms import FindForm, NameForm
from certificates.keys.qr_keys import PublicKeyCache
from certificates.states import STATE_LABELS
from certificates.verification import alarms, look_up, verification
from certificates.verification.reading import digits_in
from certificates.verification.verification import Verdict
from certificates.verification.views import verdict_page
from lms.core import clock
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.fast_path import fast_path
from lms.core.languages import visitor_language
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads, db

blueprint = Blueprint("verification", __name__)

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
HTML = "text/html; charset=utf-8"
SCANS = 60  # per minute
PAGES = "60/minute"
GUESSES = "10/minute"


@blueprint.get("/v/<path:digits>")
@public
@fast_path(SCANS)
def page(digits: str) -> ResponseReturnValue:
    """Show the verdict on a code; QR codes lead here."""
    return Response(verdict_page.page(judge(digits), visitor_language()), headers=PRIVATE, content_type=HTML)


@blueprint.post("/v/<path:digits>")
@public
@limiter.limit(GUESSES)
def name(digits: str) -> ResponseReturnValue:
    """Answer whether a name is the one on the certificate."""
    form = NameForm()
    verdict = judge(digits)
    answer = verification.name_holds(autocommit_reads(), verdict, form.name.data or "") if form.validate() else None
    return private(Response(verdict_page.answered(verdict, visitor_language(), form, answer), mimetype="text/html"))


@blueprint.route("/verify", methods=["GET", "POST"])
@public
@limiter.limit(GUESSES, methods=["POST"])
@limiter.limit(PAGES, methods=["GET"])
def find() -> ResponseReturnValue:
    """Verify by number and holder."""
    form = FindForm()
    status = 200
    digits = digits_in(form.number.data or "") if form.is_submitted() else None
    if digits is not None:
        return private(redirect(url_for("verification.page", digits=digits), 303))
    if form.validate_on_submit():
        try:
            result = look_up.by_number(
                db(), form.number.data or "", form.proof.data or "", scheme=branch().scheme, today=today()
            )
            if isinstance(result, str):
                return private(redirect(url_for("verification.page", digits=result), 303))
            return private(render_template("verification/legacy.html", certificate=result, state_label=STATE_LABELS))
        except DomainError as error:
            form.form_errors.append(message_of(error))
            status = 404 if error.status == 404 else 422
    elif form.is_submitted():
        status = 422
    return private(
        make_response(
            render_template("verification/find.html", form=form, example=branch().scheme.compose("FR", 2026, 123)),
            status,
        )
    )


def judge(text: str) -> Verdict:
    """Return the verdict on the code in a text (its digits, an address) today, and raise the alarm if it is alarming."""
    digits = digits_in(text) or ""
    verdict = verification.verify(autocommit_reads(), digits, today=today(), keys=keys())
    if verdict.alarming:
        alarms.raise_alarm(db(), digits)
    return verdict


def private(response: Any) -> Response:
    """Make a response that is not stored, not indexed by search engines, and sends no referrer."""
    private_response: Response = make_response(response)
    private_response.headers.update(PRIVATE)
    return private_response


def keys() -> PublicKeyCache:
    """Return this process's cache of the published keys."""
    cache: PublicKeyCache = current_app.extensions["public_key_cache"]
    return cache


def branch() -> Branch:
    """Return the branch of the settings."""
    return Branch.of(current_app.config["SETTINGS"])


def today() -> date:
    """Return today's date in the branch's time zone."""
    return clock.today(current_app.config["SETTINGS"].zone)


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["public_key_cache"] = PublicKeyCache()
    state.app.extensions["verdict_pages"] = {}
    for view in (name, find):
        state.app.extensions["csrf"].exempt(view)


blueprint.record_once(_prepare)
