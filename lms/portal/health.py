"""Health checks for load balancers and `flask up`: liveness and readiness of this process, and its metrics."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from certificates.records import lag
from lms.backup import record
from lms.config import Settings
from lms.core.access import public
from lms.core.messages import standing
from lms.core.migrations import is_current
from lms.core.request_db import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers. Asks nothing else, so that trouble of the database does not restart web servers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """200 if the database answers and has this code's schema; else 503 with the reason.

    Messages that wait or were not delivered are counted. A web server is ready however many there are.
    A replica that is unavailable is named and changes nothing, because the primary then answers its questions.
    """
    try:
        current = is_current(db().connection())
    except SQLAlchemyError:
        return jsonify(status="unavailable", reason="database"), 503
    if not current:
        return jsonify(status="unavailable", reason="migrations"), 503
    answer = {"status": "ok", "messages": standing.as_json(standing.read(db()))}
    replica = current_app.extensions["replica"]
    return jsonify(answer if replica is None else answer | {"replica": replica.standing()})


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """The figures for Prometheus, to whoever has METRICS_TOKEN; without one, to this machine alone."""
    if not _may_read_metrics(current_app.config["SETTINGS"]):
        abort(404)
    figures = standing.as_metrics(standing.read(db())) + lag.as_metrics(lag.read(db()))
    figures += record.as_metrics(record.last_made_at(db()))
    return Response(figures, content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read_metrics(settings: Settings) -> bool:
    """Compare the bearer token; without a set token, tell whether the request comes from this machine itself.

    A proxy on this machine passes on requests of everybody. Where it is not named in TRUSTED_PROXIES, its header gives
    it away.
    """
    if settings.metrics_token is not None:
        return hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {settings.metrics_token}".encode()
        )
    forwarded = {"X-Forwarded-For", "X-Real-Ip", "Forwarded"} & set(request.headers.keys())
    if forwarded and not settings.trusted_proxies:
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
