"""Health checks for load balancers and `flask up`: liveness and readiness of this process."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from lms.core.access import public
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

    A replica that is unavailable is named and changes nothing, because the primary then answers its questions.
    """
    try:
        current = is_current(db().connection())
    except SQLAlchemyError:
        return jsonify(status="unavailable", reason="database"), 503
    if not current:
        return jsonify(status="unavailable", reason="migrations"), 503
    replica = current_app.extensions["replica"]
    return jsonify(status="ok") if replica is None else jsonify(status="ok", replica=replica.standing())
