"""Paired devices of the user: pairing this browser, and revoking a device."""

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from lms.accounts import current, devices, notices, user_agents
from lms.accounts.notices import Notice
from lms.core import openapi
from lms.core.access import requires, signed_in
from lms.core.errors import N_, DomainError
from lms.core.limits import limiter
from lms.core.request_db import db
from lms.core.scope import ATTENDANCE_TAKERS

blueprint = Blueprint("devices", __name__)

PAIRINGS = "60/hour"  # for each account: a whole class of instructors may share one address
BODY_LIMIT = 4096


def _account() -> str:
    return f"user:{current_user.get_id()}"


@blueprint.get("/account/devices")
@signed_in
def page() -> ResponseReturnValue:
    """List the user's own devices."""
    return render_template("account/devices.html", devices=devices.of_user(db(), current_user.id))


@blueprint.post("/account/devices/<int:device_id>/revoke")
@signed_in
def revoke(device_id: int) -> ResponseReturnValue:
    """Revoke one of the user's own devices."""
    devices.revoke(db(), devices.one(db(), current_user.id, device_id))
    flash(_("The device is disconnected. Unsent check-ins stay on it until somebody signs in there again."))
    return redirect(url_for("devices.page"))


@blueprint.post("/api/v1/devices")
@requires(*ATTENDANCE_TAKERS)
@limiter.limit(PAIRINGS, key_func=_account)
def pair() -> ResponseReturnValue:
    """Pair this browser. The token is in this answer and cannot be read again."""
    request.max_content_length = BODY_LIMIT
    device, token = devices.pair(db(), current_user.user, _name(request.get_json(silent=True)))
    # The owner was told of a known browser when it first appeared; an unknown one may be of a stolen session.
    if current.known_browser(current_user.id) is None:
        notices.tell(db(), current_user.user, Notice.DEVICE, detail=device.name)
    return jsonify(device=device.id, token=token, name=device.name), 201


def _name(body: Any) -> str:
    """The device's name for its owner: the name that was sent, else the name of the browser."""
    name = body.get("name") if isinstance(body, dict) else None
    if name is None:
        return user_agents.browser_name(request.user_agent.string)
    if not isinstance(name, str):
        raise DomainError("name_malformed", N_("Give “name” as a text."), status=422)
    return name


PATHS: dict[str, Any] = {
    "/api/v1/devices": {
        "post": {
            "operationId": "pairDevice",
            "summary": "Connect this browser, so that it can send check-ins without a sign-in",
            "description": "Asked by a signed-in browser: the session's cookie and the form token in `X-CSRFToken`.",
            "requestBody": {
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 100}}}
                    }
                }
            },
            "responses": {
                "201": {
                    "description": "The device, and the token that it sends as `Authorization: Bearer`",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["device", "token", "name"],
                                "properties": {
                                    "device": {"type": "integer"},
                                    "token": {"type": "string"},
                                    "name": {"type": "string"},
                                },
                            }
                        }
                    },
                },
                **openapi.refusals(400, 401, 403, 422, 429),
            },
        }
    },
}


def _prepare(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas={})


blueprint.record_once(_prepare)
