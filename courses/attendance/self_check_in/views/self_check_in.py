"""Self check-in: a trainee scans the code on the screen and tells their name, without an account, an app or a script."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from limits import RateLimitItemPerMinute

from courses.attendance import check_in_window
from courses.attendance.self_check_in import claims, identity_guesses
from courses.attendance.self_check_in.claims import BrowserClaim, ClaimState, CodeRefused, KnownTrainee
from courses.attendance.self_check_in.forms import IdentityForm, KnownForm, NameForm
from courses.attendance.self_check_in.views import ticket_cookie
from lms.core import clock, cookies, edge, guesses, limits
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.fast_path import fast_path
from lms.core.form_errors import refused_on
from lms.core.guesses import TooManyGuesses
from lms.core.limits import limiter, network
from lms.core.request_db import db

blueprint = Blueprint("self_check_in", __name__)

# Ceilings of one address, through which a whole school may come within a few minutes. What is guessed is counted apart: a
# guess finds nothing among the 2**96 codes of a step, and wrong names are limited by `identity_guesses`.
SCANS = 3000  # a minute
PAGES = "1200 per minute"
ANSWERS = "600 per minute; 3000 per hour"
WRONG_CODES = RateLimitItemPerMinute(300, 10)
CLAIM_COOKIE, BROWSER_COOKIE = "check_in", "check_in_browser"
BROWSER_LASTS = timedelta(days=2)
RESULT_LASTS = timedelta(hours=12)
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow"}
REFRESH_SECONDS = 30  # of the waiting page without scripts; the script counts down each second


@blueprint.get("/s/<int:session_id>/<code>")
@public
@fast_path(SCANS)
def scan(session_id: int, code: str) -> ResponseReturnValue:
    """Exchange the code on the screen for a claim in a cookie. The code is checked before anything else."""
    now = clock.now()
    try:
        issued = claims.issue(db(), session_id, code, browser=cookies.read(BROWSER_COOKIE), now=now)
    except DomainError as error:
        return _refused(_counted(error))
    response = _private(redirect(url_for(".page"), 303))
    cookies.put(response, CLAIM_COOKIE, issued.token, issued.expires_at - now)
    cookies.put(response, BROWSER_COOKIE, issued.browser, BROWSER_LASTS)
    return response


@blueprint.get("/check-in")
@public
@limiter.limit(PAGES)
def page() -> ResponseReturnValue:
    """Ask who the trainee is; before check-in opens, show the page that waits for it."""
    now = clock.now()
    try:
        browser_claim = _claim()
    except DomainError as error:
        return _refused(_counted(error))
    if browser_claim.claim.used_at is not None:
        return _private(redirect(url_for(".done"), 303))
    opening = check_in_window.opening_ahead(browser_claim.meeting, now)
    if opening is not None:
        seconds = max(1, round((opening - now).total_seconds()))
        response = _private(
            render_template(
                "self_check_in/early.html", meeting=browser_claim.meeting, opens_at=opening, seconds=seconds
            )
        )
        response.headers["Refresh"] = str(min(seconds + 1, REFRESH_SECONDS))
        return response
    return _question(browser_claim, IdentityForm(), ask_name="other" in request.args)


@blueprint.post("/check-in")
@public
@limiter.limit(ANSWERS)
def answer() -> ResponseReturnValue:
    """Check in the trainee whom the name and the last digits of the phone identify."""
    try:
        browser_claim = _claim()
    except DomainError as error:
        return _refused(_counted(error))
    form = IdentityForm()
    if form.validate_on_submit():
        with refused_on(form):
            name = form.name.data or ""
            guess = identity_guesses.reserve(browser_claim, name, network(request.remote_addr or ""))
            enrolment_id = claims.find_enrolment(db(), browser_claim, name, form.tail.data or "")
            if enrolment_id is None:
                return _private(_not_found_page(browser_claim, form))
            limits.give_back(guess)
            claims.check_in(db(), browser_claim, enrolment_id, now=clock.now())
            return _to_result()
    return _question(browser_claim, form, ask_name=True)


@blueprint.post("/check-in/known")
@public
@limiter.limit(ANSWERS)
def answer_known() -> ResponseReturnValue:
    """Check in a trainee whose ticket or account the browser has, by the button with the name."""
    try:
        browser_claim = _claim()
    except DomainError as error:
        return _refused(_counted(error))
    form = KnownForm()
    enrolment_id = request.form.get("enrolment", type=edge.row_id)
    if form.validate_on_submit() and enrolment_id in {
        trainee.enrolment_id for trainee in _known_trainees(browser_claim)
    }:
        with refused_on(form):
            claims.check_in(db(), browser_claim, enrolment_id, now=clock.now())
            return _to_result()
    return _question(browser_claim, IdentityForm(formdata=None), ask_name=True, refused=form)


@blueprint.post("/check-in/unlisted")
@public
@limiter.limit(ANSWERS)
def answer_unlisted() -> ResponseReturnValue:
    """Note a person who was not found by name, for the instructor to confirm."""
    try:
        browser_claim = _claim()
    except DomainError as error:
        return _refused(_counted(error))
    form = NameForm()
    if form.validate_on_submit():
        with refused_on(form):
            claims.check_in_by_name(db(), browser_claim, form.name.data or "", now=clock.now())
            return _to_result()
    return _question(browser_claim, IdentityForm(), ask_name=True, refused=form)


@blueprint.get("/check-in/done")
@public
@limiter.limit(PAGES)
def done() -> ResponseReturnValue:
    """Show the result of the claim, for the instructor to see; it follows the instructor's decision."""
    try:
        browser_claim = _claim()
    except DomainError as error:
        return _refused(_counted(error))
    result = claims.result(db(), browser_claim)
    if result is None:
        return _private(redirect(url_for(".page"), 303))
    return _private(
        render_template("self_check_in/done.html", meeting=browser_claim.meeting, result=result, ClaimState=ClaimState)
    )


def _claim() -> BrowserClaim:
    return claims.load(db(), cookies.read(CLAIM_COOKIE), now=clock.now())


def _known_trainees(browser_claim: BrowserClaim) -> list[KnownTrainee]:
    user_id = current_user.id if current_user.is_authenticated else None
    return claims.known_trainees(db(), browser_claim, tickets=ticket_cookie.remembered(), user_id=user_id)


def _question(browser_claim: BrowserClaim, form: IdentityForm, *, ask_name: bool, refused: Any = None) -> Response:
    """The page that asks who the trainee is.

    ask_name: ask for the name also where the browser knows trainees. refused: the form whose errors are shown.
    """
    known_trainees = _known_trainees(browser_claim)
    body = render_template(
        "self_check_in/page.html",
        meeting=browser_claim.meeting,
        form=form,
        known_trainees=known_trainees,
        asks_name=ask_name or not known_trainees,
        refused=refused or form,
    )
    return _private(make_response(body, 422 if request.method == "POST" else 200))


def _not_found_page(browser_claim: BrowserClaim, form: IdentityForm) -> str:
    tries_left = claims.TRIES - browser_claim.claim.tries
    return render_template("self_check_in/missed.html", meeting=browser_claim.meeting, form=form, tries_left=tries_left)


def _counted(error: DomainError) -> DomainError:
    """Count a wrong code or an invented claim, and give the refusal to show. A right one is never refused for them."""
    if isinstance(error, CodeRefused):
        try:
            guesses.count_miss("check_in_code", WRONG_CODES, network(request.remote_addr or ""))
        except TooManyGuesses as refusal:
            return refusal
    return error


def _refused(error: DomainError) -> Response:
    body = render_template("self_check_in/refused.html", message=message_of(error), code=error.code)
    return _private(make_response(body, error.status))


def _to_result() -> Response:
    """Redirect to the result, and keep the claim's cookie so that the page can be opened again."""
    response = _private(redirect(url_for(".done"), 303))
    cookies.put(response, CLAIM_COOKIE, cookies.read(CLAIM_COOKIE) or "", RESULT_LASTS)
    return response


def _private(body: Any) -> Response:
    """Make a response that is cached nowhere and tells other sites no address."""
    response = make_response(body)
    response.headers.update(PRIVATE)
    return response
