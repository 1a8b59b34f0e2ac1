"""Verification for anybody: without an account, an app or a script.

These pages set no cookie and ask for no token: what is asked changes nothing, and the pages send no referrer, which the
token's check would demand.
"""

from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from certificates import verification
from certificates.branch import Branch
from certificates.forms import FindForm, NameForm
from certificates.keys import jwks
from certificates.signing_keys import KeyRing
from certificates.states import NAMES
from certificates.verification import Verdict
from lms.core import clock
from lms.core.access import public
from lms.core.errors import DomainError
from lms.core.limits import limiter
from lms.core.web import session, text_of

blueprint = Blueprint("verification", __name__)

PAGES = "60/minute"
GUESSES = "10/minute"


@blueprint.get("/v/<digits>")
@public
@limiter.limit(PAGES)
def page(digits: str) -> ResponseReturnValue:
    """Where the QR code leads."""
    verdict = verification.verify(session(), digits, today=_today(), keys=_keys())
    return _page(digits, verdict, NameForm(), None)


@blueprint.post("/v/<digits>")
@public
@limiter.limit(GUESSES)
def name(digits: str) -> ResponseReturnValue:
    """Is this the name on the paper?"""
    form = NameForm()
    if not form.validate():
        return _page(digits, verification.verify(session(), digits, today=_today(), keys=_keys()), form, None)
    verdict, answer = verification.verify_name(session(), digits, form.name.data or "", today=_today(), keys=_keys())
    return _page(digits, verdict, form, answer)


@blueprint.route("/verify", methods=["GET", "POST"])
@public
@limiter.limit(GUESSES, methods=["POST"])
@limiter.limit(PAGES, methods=["GET"])
def find() -> ResponseReturnValue:
    """By hand: number and holder."""
    form = FindForm()
    status = 200
    if form.validate_on_submit():
        try:
            digits = verification.find(
                session(), form.number.data or "", form.proof.data or "", scheme=_branch().scheme
            )
            return _private(redirect(url_for("verification.page", digits=digits), 303))
        except DomainError as error:
            form.form_errors.append(text_of(error))
            status = 404 if error.status == 404 else 422
    elif form.is_submitted():
        status = 422
    return _private(
        make_response(
            render_template("verification/find.html", form=form, example=_branch().scheme.compose("FR", 2026, 123)),
            status,
        )
    )


@blueprint.get("/.well-known/jwks.json")
@public
@limiter.limit(PAGES)
def key_set() -> ResponseReturnValue:
    """The published keys, for programs that verify without us."""
    response = jsonify(jwks(_keys().all(session())))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@blueprint.get("/api/v1/verify/<digits>")
@public
@limiter.limit(PAGES)
def verdict(digits: str) -> ResponseReturnValue:
    """The same answer as the page, for programs."""
    found = verification.verify(session(), digits, today=_today(), keys=_keys())
    response = jsonify(_as_json(found))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return _private(response)


def _as_json(verdict: Verdict) -> dict[str, Any]:
    answer: dict[str, Any] = {"state": verdict.state.value, "reason": verdict.reason}
    shown = verdict.certificate
    if shown is not None:
        answer["certificate"] = {
            "number": shown.number,
            "holder_masked": shown.masked_name,
            "programme": shown.facts["programme"],
            "programme_name": {"zh": shown.facts["programme_zh"], "en": shown.facts["programme_en"]},
            "type": {"zh": shown.facts["course_zh"], "en": shown.facts["course_en"]},
            "hours": shown.facts["hours"],
            "unit": {"zh": shown.facts["unit_zh"], "en": shown.facts["unit_en"]},
            "issued_on": shown.issued_on.isoformat(),
            "valid_until": shown.valid_until.isoformat() if shown.valid_until else None,
        }
    if verdict.successor is not None:
        answer["successor"] = url_for("verification.page", digits=verdict.successor)
    return answer


def _page(digits: str, verdict: Verdict, form: NameForm, answer: bool | None) -> Response:
    response = make_response(
        render_template(
            "verification/page.html", digits=digits, verdict=verdict, form=form, answer=answer, state_name=NAMES
        )
    )
    return _private(response)


def _private(response: Any) -> Response:
    """Neither kept, nor found by search engines, nor told to the next site."""
    made = make_response(response)
    made.headers["Cache-Control"] = "no-store"
    made.headers["Referrer-Policy"] = "no-referrer"
    made.headers["X-Robots-Tag"] = "noindex, nofollow"
    return made


def _keys() -> KeyRing:
    ring: KeyRing = current_app.extensions["key_ring"]
    return ring


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])


def _today() -> date:
    return clock.today(current_app.config["SETTINGS"].zone)


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["key_ring"] = KeyRing()
    for view in (name, find):
        state.app.extensions["csrf"].exempt(view)


blueprint.record_once(_prepare)
