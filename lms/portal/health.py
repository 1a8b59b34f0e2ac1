"""Whether this process lives, and whether it can serve: for load balancers and `flask up`."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from lms.core import web
from lms.core.access import public
from lms.core.migrations import is_current

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers. Asks nobody else, so that a database's trouble does not restart web servers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """The database answers and stands at this code's schema; 503 with the reason otherwise.

    A replica that is gone is told and changes nothing: the primary answers its questions.
    """
    try:
        current = is_current(web.db().connection())
    except SQLAlchemyError:
        return jsonify(status="unavailable", reason="database"), 503
    if not current:
        return jsonify(status="unavailable", reason="migrations"), 503
    replica = current_app.extensions["replica"]
    return jsonify(status="ok") if replica is None else jsonify(status="ok", replica=replica.standing())
