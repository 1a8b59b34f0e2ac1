"""Checking oneself in: scan the code on the screen, say who one is, done. Without an account, an app or a script."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses.attendance.self_check_in import claims
from courses.attendance.self_check_in.claims import Held, Known, State
from courses.attendance.self_check_in.forms import IdentityForm, KnownForm, NameForm
from courses.attendance.self_check_in.views import ticket_cookie
from lms.core import clock
from lms.core.access import public
from lms.core.errors import DomainError
from lms.core.lean import lean
from lms.core.limits import limiter
from lms.core.web import db, refused_on, text_of

blueprint = Blueprint("self_check_in", __name__)

SCANS = 300  # a minute: a whole school may come through one address, and a guess finds nothing among 2**96
PAGES = "300 per minute"
ANSWERS = "120 per minute; 1200 per hour"
CLAIM, MARK = "check_in", "check_in_browser"
MARK_LASTS = timedelta(days=2)
RESULT_LASTS = timedelta(hours=12)
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow"}
LOOK_AGAIN = 30  # seconds; a script counts each of them


@blueprint.get("/s/<int:session_id>/<code>")
@public
@lean(SCANS)
def scan(session_id: int, code: str) -> ResponseReturnValue:
    """Where the code on the screen leads: the code is looked at before anything else."""
    now = clock.now()
    try:
        scanned = claims.scan(db(), session_id, code, browser=request.cookies.get(MARK), now=now)
    except DomainError as error:
        return _refused(error)
    answer = _private(redirect(url_for(".page"), 303))
    _set(answer, CLAIM, scanned.token, "/check-in", scanned.expires_at - now)
    _set(answer, MARK, scanned.browser, "/s", MARK_LASTS)
    return answer


@blueprint.get("/check-in")
@public
@limiter.limit(PAGES)
def page() -> ResponseReturnValue:
    """Who are you? Or, before check-in opens, the page that waits for it."""
    now = clock.now()
    try:
        found = _held()
    except DomainError as error:
        return _refused(error)
    if found.claim.used_at is not None:
        return _private(redirect(url_for(".done"), 303))
    opens = found.opens_at(now)
    if opens is not None:
        seconds = max(1, round((opens - now).total_seconds()))
        answer = _private(
            render_template("self_check_in/early.html", meeting=found.meeting, opens=opens, seconds=seconds)
        )
        answer.headers["Refresh"] = str(min(seconds + 1, LOOK_AGAIN))
        return answer
    return _asked(found, IdentityForm(), others="other" in request.args)


@blueprint.post("/check-in")
@public
@limiter.limit(ANSWERS)
def answer() -> ResponseReturnValue:
    """Name and the end of the phone number."""
    try:
        found = _held()
    except DomainError as error:
        return _refused(error)
    form = IdentityForm()
    if form.validate_on_submit():
        with refused_on(form):
            enrolment_id = claims.find(db(), found, form.name.data or "", form.tail.data or "")
            if enrolment_id is None:
                return _private(_missed(found, form))
            claims.check_in(db(), found, enrolment_id, now=clock.now())
            return _to_result()
    return _asked(found, form, others=True)


@blueprint.post("/check-in/known")
@public
@limiter.limit(ANSWERS)
def answer_known() -> ResponseReturnValue:
    """“That is me”: somebody whose ticket or account the browser has."""
    try:
        found = _held()
    except DomainError as error:
        return _refused(error)
    form = KnownForm()
    wanted = request.form.get("enrolment", type=int)
    if form.validate_on_submit() and wanted in {one.enrolment_id for one in _known(found)}:
        with refused_on(form):
            claims.check_in(db(), found, wanted, now=clock.now())
            return _to_result()
    return _asked(found, IdentityForm(formdata=None), others=True, refused=form)


@blueprint.post("/check-in/unlisted")
@public
@limiter.limit(ANSWERS)
def answer_unlisted() -> ResponseReturnValue:
    """Somebody who was not found goes on by name: the instructor looks."""
    try:
        found = _held()
    except DomainError as error:
        return _refused(error)
    form = NameForm()
    if form.validate_on_submit():
        with refused_on(form):
            claims.note(db(), found, form.name.data or "", now=clock.now())
            return _to_result()
    return _asked(found, IdentityForm(), others=True, refused=form)


@blueprint.get("/check-in/done")
@public
@limiter.limit(PAGES)
def done() -> ResponseReturnValue:
    """What became of it; the page may be shown to the instructor, and follows what they decide."""
    try:
        found = _held()
    except DomainError as error:
        return _refused(error)
    result = claims.result(db(), found)
    if result is None:
        return _private(redirect(url_for(".page"), 303))
    return _private(render_template("self_check_in/done.html", meeting=found.meeting, result=result, State=State))


def _held() -> Held:
    return claims.held(db(), request.cookies.get(CLAIM), now=clock.now())


def _known(found: Held) -> list[Known]:
    user_id = current_user.id if current_user.is_authenticated else None
    return claims.known(db(), found, tickets=ticket_cookie.remembered(), user_id=user_id)


def _asked(found: Held, form: IdentityForm, *, others: bool, refused: Any = None) -> Response:
    """The question; `others`: ask for the name even where the browser knows somebody."""
    people = _known(found)
    body = render_template(
        "self_check_in/page.html",
        meeting=found.meeting,
        form=form,
        people=people,
        asks=others or not people,
        refused=refused or form,
    )
    return _private(make_response(body, 422 if request.method == "POST" else 200))


def _missed(found: Held, form: IdentityForm) -> str:
    left = claims.TRIES - found.claim.tries
    return render_template("self_check_in/missed.html", meeting=found.meeting, form=form, left=left)


def _refused(error: DomainError) -> Response:
    body = render_template("self_check_in/refused.html", message=text_of(error), code=error.code)
    return _private(make_response(body, error.status))


def _to_result() -> Response:
    answer = _private(redirect(url_for(".done"), 303))
    _set(answer, CLAIM, request.cookies[CLAIM], "/check-in", RESULT_LASTS)
    return answer


def _private(answer: Any) -> Response:
    made = make_response(answer)
    made.headers.update(PRIVATE)
    return made


def _set(answer: Any, name: str, value: str, path: str, lasts: timedelta) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=lasts,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SETTINGS"].secure,
    )
