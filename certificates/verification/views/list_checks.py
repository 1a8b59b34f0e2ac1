"""Pages of a long list: its progress, its results, and the file with them. The address has a token and is found by nobody else."""

from flask import Blueprint, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from certificates.verification import list_checks, list_results
from certificates.verification.views.bulk import answers_of, file_of
from certificates.verification.views.verification import private, today
from lms.core import edge
from lms.core.access import public
from lms.core.exports import Format
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("list_checks", __name__)

PAGES = "60/minute"
QUESTIONS = "120/minute"
FILES = "20/minute"
ROWS = 200


@blueprint.get("/verify/list/<token>")
@public
@limiter.limit(PAGES)
def page(token: str) -> ResponseReturnValue:
    """Show how far a list is, or its results."""
    progress = list_checks.progress(db(), token)
    shown = {
        "token": token,
        "progress": progress,
        "kept_until": progress.kept_until.astimezone(current_app.config["SETTINGS"].zone).isoformat(" ", "minutes")[
            :16
        ],
    }
    if not progress.is_finished:
        return private(make_response(render_template("verification/list_check.html", **shown)))
    source, results = list_checks.results(db(), token)
    doubtful = [result for result in results if list_results.needs_look(result, today())]
    only_doubtful = request.args.get("rows") == "doubtful"
    rows = doubtful if only_doubtful else results
    pages = max(1, -(-len(rows) // ROWS))
    number = min(request.args.get("page", 1, type=edge.page_number), pages)
    shown |= answers_of(results, source)
    shown |= {
        "results": rows[(number - 1) * ROWS : number * ROWS],
        "size": progress.size,
        "doubtful": len(doubtful),
        "only_doubtful": only_doubtful,
        "page": number,
        "pages": pages,
    }
    return private(make_response(render_template("verification/list_check.html", **shown)))


@blueprint.get("/verify/list/<token>/progress")
@public
@limiter.limit(QUESTIONS)
def progress(token: str) -> ResponseReturnValue:
    """Say how far a list is, for the script of its page."""
    known = list_checks.progress(db(), token)
    return private(jsonify(done=known.done, size=known.size, finished=known.is_finished))


@blueprint.get("/verify/list/<token>/verification.<any(xlsx, csv):form>")
@public
@limiter.limit(FILES)
def file(token: str, form: str) -> ResponseReturnValue:
    """Send the list with its own columns in their order, and the answers behind them."""
    source, results = list_checks.results(db(), token)
    return file_of(results, source.headings, Format(form))


@blueprint.post("/verify/list/<token>/remove")
@public
@limiter.limit(PAGES)
def remove(token: str) -> ResponseReturnValue:
    """Delete a list at its sender's wish."""
    list_checks.remove(db(), token)
    return private(redirect(url_for("verification_list.page"), 303))


def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(remove)


blueprint.record_once(_prepare)
