"""JSON interface of the verification for programs: any origin, no account. `/api/v1/openapi.json` describes it."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from certificates import qualification
from certificates.legacy.legacy import PublicLegacyCertificate
from certificates.states import State
from certificates.verification import bulk, list_checks
from certificates.verification.bulk import MAX_ITEMS, BulkItem, BulkResult
from certificates.verification.list_files import ListFile
from certificates.verification.reading import digits_in
from certificates.verification.verification import Verdict
from certificates.verification.views.bulk import begin_job
from certificates.verification.views.openapi import PATHS, SCHEMAS
from certificates.verification.views.verification import branch, judge, keys, private, today
from lms.core import openapi
from lms.core.access import public
from lms.core.errors import N_, DomainError
from lms.core.headers import cacheable
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("api", __name__)

CODES = "60/minute"
LISTS = "5 per 10 minutes"
DAY = "86400"
PROGRESS = "120/minute"
RUNNING, FINISHED = "running", "finished"
ASK_AGAIN_SECONDS = "2"
# The answer about an entry of a list that has other members, or values of another kind.
MALFORMED = {"state": State.UNKNOWN.value, "reason": bulk.MALFORMED, "name_fits": None}


@blueprint.get("/verify/<path:digits>")
@public
@limiter.limit(CODES)
def verdict(digits: str) -> ResponseReturnValue:
    """Verify one code; the answer is that of the page."""
    return private(jsonify(as_json(judge(digits))))


@blueprint.post("/verify")
@public
@limiter.limit(LISTS)
def verdicts() -> ResponseReturnValue:
    """Verify a list of certificates; the answers come in the same order, also those about entries that cannot be read."""
    if not request.is_json:
        raise DomainError("not_json", N_("Send JSON: Content-Type application/json."), status=415)
    items = _items_of(request.get_json())
    if len(items) > bulk.AT_ONCE:
        token = begin_job(ListFile(items))
        response = jsonify(_progress_of(token))
        response.headers["Location"] = url_for("api.long_list", token=token)
        response.headers["Retry-After"] = ASK_AGAIN_SECONDS
        return private(make_response(response, 202))
    results = bulk.verify(db(), items, today=today(), keys=keys(), scheme=branch().scheme)
    return private(jsonify(results=[_result_as_json(result) for result in results]))


@blueprint.get("/verify/lists/<token>")
@public
@limiter.limit(PROGRESS)
def long_list(token: str) -> ResponseReturnValue:
    """Say how far a long list is; once it is finished, with the answers in the order of its entries."""
    answer = _progress_of(token)
    if answer["status"] == FINISHED:
        _source, results = list_checks.results(db(), token)
        return private(jsonify(answer | {"results": [_result_as_json(result) for result in results]}))
    response = jsonify(answer)
    response.headers["Retry-After"] = ASK_AGAIN_SECONDS
    return private(response)


@blueprint.delete("/verify/lists/<token>")
@public
@limiter.limit(PROGRESS)
def remove_list(token: str) -> ResponseReturnValue:
    """Delete a long list before its time is over."""
    list_checks.remove(db(), token)
    return private(Response(status=204))


def _progress_of(token: str) -> dict[str, Any]:
    known = list_checks.progress(db(), token)
    status = FINISHED if known.is_finished else RUNNING
    return {"status": status, "size": known.size, "done": known.done, "kept_until": known.kept_until.isoformat()}


@blueprint.get("/openapi.json")
@public
@limiter.limit(CODES)
@cacheable
def description() -> ResponseReturnValue:
    """Serve the OpenAPI description."""
    settings = current_app.config["SETTINGS"]
    response = jsonify(openapi.document(settings.public_url, "First-aid training"))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return what the page shows, as data."""
    answer: dict[str, Any] = {"state": verdict.state.value, "reason": verdict.reason}
    certificate = verdict.certificate
    if certificate is not None:
        facts = certificate.facts
        certified = qualification.of_facts(facts)
        answer["certificate"] = {
            "number": certificate.number,
            "signed_code": True,
            "holder_masked": certificate.masked_name,
            "programme": facts["programme"],
            "programme_name": {"zh": facts["programme_zh"], "en": facts["programme_en"]},
            "type": {"zh": certified.name_zh, "en": certified.name_en},
            "hours": facts.get("qualification_hours", facts["hours"]),
            "unit": {"zh": facts["unit_zh"], "en": facts["unit_en"]},
            "issued_on": certificate.issued_on.isoformat(),
            "valid_until": certificate.valid_until.isoformat() if certificate.valid_until else None,
        }
    if verdict.successor is not None:
        answer["successor"] = url_for("verification.page", digits=verdict.successor)
    return answer


def _result_as_json(result: BulkResult) -> dict[str, Any]:
    if result.item.problem == bulk.MALFORMED:
        return MALFORMED
    answer = as_json(result.verdict) | {"name_fits": result.name_matches}
    if result.legacy is None:
        return answer
    answer["certificate"] = _legacy_as_json(result.legacy)
    if result.legacy.successor is not None:
        answer["successor"] = url_for("verification.page", digits=result.legacy.successor)
    return answer


def _legacy_as_json(certificate: PublicLegacyCertificate) -> dict[str, Any]:
    """Return a legacy certificate in the same fields; its texts exist in one language, and its hours are not known."""
    return {
        "number": certificate.number,
        "signed_code": False,
        "holder_masked": certificate.masked_name,
        "programme": certificate.programme,
        "programme_name": {"zh": certificate.programme_zh, "en": certificate.programme_en},
        "type": {"zh": certificate.course, "en": certificate.course},
        "hours": None,
        "unit": {"zh": certificate.unit, "en": certificate.unit},
        "issued_on": certificate.issued_on.isoformat(),
        "valid_until": certificate.valid_until.isoformat() if certificate.valid_until else None,
    }


def _items_of(body: Any) -> list[BulkItem]:
    entries = body.get("certificates") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries:
        raise _malformed()
    bulk.check_length(len(entries))
    return [_item_of(entry) for entry in entries]


def _item_of(entry: Any) -> BulkItem:
    """Read one of {code}, {code, name}, {number, name}, {number, id_tail}; all values are texts. Else it is malformed."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) and len(value) <= 500 for value in entry.values()):
        return BulkItem("", problem=bulk.MALFORMED)
    match sorted(entry):
        case ["code"] | ["code", "name"]:
            # A text without a code is not looked up as a number.
            return BulkItem(digits_in(entry["code"]) or "", entry.get("name", ""))
        case ["name", "number"]:
            return BulkItem(entry["number"], entry["name"], problem=bulk.problem_of(entry["number"]))
        case ["id_tail", "number"]:
            return BulkItem(entry["number"], entry["id_tail"], problem=bulk.problem_of(entry["number"]))
    return BulkItem("", problem=bulk.MALFORMED)


def _malformed() -> DomainError:
    return DomainError(
        "list_malformed",
        N_("Give “certificates”: a list of at most %(most)s, each with “code”, or “number” and “name” or “id_tail”."),
        status=422,
        most=MAX_ITEMS,
    )


def _open_to_all(response: Response) -> Response:
    """Let scripts of any origin read the answers and errors; no cookie is requested or read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = DAY
    return make_response(response)


def _open_errors_to_all(response: Response) -> Response:
    """Let scripts of any origin read errors of routing as well: no blueprint's hook sees those."""
    if request.routing_exception is not None and request.path.startswith("/api/"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _prepare(state: BlueprintSetupState) -> None:
    for view in (verdicts, remove_list):
        state.app.extensions["csrf"].exempt(view)
    state.app.after_request(_open_errors_to_all)
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.after_request(_open_to_all)
blueprint.record_once(_prepare)
