"""Verification for programs: JSON, any origin, no account. `/api/v1/openapi.json` describes it."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from certificates.legacy.legacy import LegacyShown
from certificates.verification import lists
from certificates.verification.lists import MOST, Answer, Question
from certificates.verification.verification import Verdict
from certificates.verification.views.openapi import PATHS, SCHEMAS
from certificates.verification.views.verification import branch, judge, keys, private, today
from lms.core import openapi
from lms.core.access import public
from lms.core.errors import N_, DomainError
from lms.core.limits import limiter
from lms.core.web import db

blueprint = Blueprint("api", __name__)

CODES = "60/minute"
LISTS = "5 per 10 minutes"
DAY = "86400"


@blueprint.get("/verify/<digits>")
@public
@limiter.limit(CODES)
def verdict(digits: str) -> ResponseReturnValue:
    """The same answer as the page."""
    return private(jsonify(as_json(judge(digits))))


@blueprint.post("/verify")
@public
@limiter.limit(LISTS)
def verdicts() -> ResponseReturnValue:
    """Answers to a list, in its order."""
    if not request.is_json:
        raise DomainError("not_json", N_("Send JSON: Content-Type application/json."), status=415)
    asked = _questions(request.get_json())
    found = lists.answers(db(), asked, today=today(), keys=keys(), scheme=branch().scheme)
    return private(jsonify(results=[_line(one) for one in found]))


@blueprint.get("/openapi.json")
@public
@limiter.limit(CODES)
def description() -> ResponseReturnValue:
    """What there is, for programs that write programs."""
    settings = current_app.config["SETTINGS"]
    response = jsonify(openapi.document(settings.public_url, "First-aid training"))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What the page shows, as data."""
    answer: dict[str, Any] = {"state": verdict.state.value, "reason": verdict.reason}
    shown = verdict.certificate
    if shown is not None:
        facts = shown.facts
        answer["certificate"] = {
            "number": shown.number,
            "signed_code": True,
            "holder_masked": shown.masked_name,
            "programme": facts["programme"],
            "programme_name": {"zh": facts["programme_zh"], "en": facts["programme_en"]},
            "type": {"zh": facts["course_zh"], "en": facts["course_en"]},
            "hours": facts["hours"],
            "unit": {"zh": facts["unit_zh"], "en": facts["unit_en"]},
            "issued_on": shown.issued_on.isoformat(),
            "valid_until": shown.valid_until.isoformat() if shown.valid_until else None,
        }
    if verdict.successor is not None:
        answer["successor"] = url_for("verification.page", digits=verdict.successor)
    return answer


def _line(answer: Answer) -> dict[str, Any]:
    told = as_json(answer.verdict) | {"name_fits": answer.name_fits}
    return told if answer.legacy is None else told | {"certificate": _legacy(answer.legacy)}


def _legacy(shown: LegacyShown) -> dict[str, Any]:
    """One from before this system, in the same fields; its words stand in one language, and its hours are not known."""
    return {
        "number": shown.number,
        "signed_code": False,
        "holder_masked": shown.masked_name,
        "programme": shown.programme,
        "programme_name": {"zh": shown.programme_zh, "en": shown.programme_en},
        "type": {"zh": shown.course, "en": shown.course},
        "hours": None,
        "unit": {"zh": shown.unit, "en": shown.unit},
        "issued_on": shown.issued_on.isoformat(),
        "valid_until": shown.valid_until.isoformat() if shown.valid_until else None,
    }


def _questions(body: Any) -> list[Question]:
    lines = body.get("certificates") if isinstance(body, dict) else None
    if not isinstance(lines, list) or not lines:
        raise _malformed()
    lists.check_length(len(lines))
    return [_question(line) for line in lines]


def _question(line: Any) -> Question:
    """One of {code}, {code, name}, {number, name}, {number, id_tail}; all of them texts."""
    if not isinstance(line, dict) or not all(isinstance(value, str) and len(value) <= 500 for value in line.values()):
        raise _malformed()
    match sorted(line):
        case ["code"] | ["code", "name"]:
            # What is no code is never asked as a number.
            return Question(lists.code_in(line["code"]) or "", line.get("name", ""))
        case ["name", "number"]:
            return Question(line["number"], line["name"])
        case ["id_tail", "number"]:
            return Question(line["number"], line["id_tail"])
    raise _malformed()


def _malformed() -> DomainError:
    return DomainError(
        "list_malformed",
        N_("Give “certificates”: a list of at most %(most)s, each with “code”, or “number” and “name” or “id_tail”."),
        status=422,
        most=MOST,
    )


def _open_to_all(response: Response) -> Response:
    """Any site's script may read the answers, errors too; no cookie is asked for or looked at."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = DAY
    return make_response(response)


def _open_errors_to_all(response: Response) -> Response:
    """What no route answered, any site's script may read as well: no blueprint's hook sees it."""
    if request.routing_exception is not None and request.path.startswith("/api/"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(verdicts)
    state.app.after_request(_open_errors_to_all)
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.after_request(_open_to_all)
blueprint.record_once(_prepare)
