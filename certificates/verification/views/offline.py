"""Page that verifies in the browser without a network, and the service worker that stores it there."""

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from certificates.states import STATE_LABELS
from certificates.verification import status_lists
from certificates.verification.views.verification import private
from lms.core import code_decoder
from lms.core.access import public
from lms.core.headers import cacheable
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads

blueprint = Blueprint("offline", __name__)

PAGES = "60/minute"


@blueprint.get("/verify/offline")
@public
@limiter.limit(PAGES)
def page() -> ResponseReturnValue:
    """Show the page for offline verification. The service worker stores it, so it contains nothing about the visitor."""
    zone = current_app.config["SETTINGS"].time_zone
    lists = status_lists.count(autocommit_reads())
    names = list(code_decoder.FILES)
    return private(
        render_template(
            "verification/offline.html", lists=lists, zone=zone, state_label=STATE_LABELS, decoder_names=names
        )
    )


@blueprint.get("/verify/offline-worker.js")
@public
@limiter.limit(PAGES)
@cacheable
def worker() -> Response:
    """Serve the service worker, under this path because a service worker controls only addresses below its own."""
    response = current_app.send_static_file("offline-worker.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/verify/offline-decoding-worker.js")
@public
@limiter.limit(PAGES)
@cacheable
def decoding_worker() -> Response:
    """Serve the worker that decodes QR codes, under a path that the service worker of the page controls."""
    response = current_app.send_static_file(code_decoder.WORKER)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = code_decoder.WORKER_POLICY
    return response
