"""The page that verifies in the browser once it was loaded, and the script that keeps it."""

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from certificates.states import STATE_LABELS
from certificates.verification import status_lists
from certificates.verification.views.verification import private
from lms.core.access import public
from lms.core.limits import limiter
from lms.core.web import reading

blueprint = Blueprint("offline", __name__)

PAGES = "60/minute"


@blueprint.get("/verify/offline")
@public
@limiter.limit(PAGES)
def page() -> ResponseReturnValue:
    """Verify with no network. Kept by the worker below, so it says nothing of who asked."""
    zone = current_app.config["SETTINGS"].time_zone
    lists = status_lists.count(reading())
    return private(render_template("verification/offline.html", lists=lists, zone=zone, state_label=STATE_LABELS))


@blueprint.get("/verify/offline-worker.js")
@public
@limiter.limit(PAGES)
def worker() -> Response:
    """Here and not among the static files: a service worker rules only addresses beside its own."""
    response = current_app.send_static_file("offline-worker.js")
    response.headers["Cache-Control"] = "no-cache"
    return response
