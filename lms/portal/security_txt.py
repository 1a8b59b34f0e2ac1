"""Whom to tell of a weakness: `/.well-known/security.txt` (RFC 9116), where SECURITY_CONTACT names somebody."""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app
from flask.typing import ResponseReturnValue

from lms.config import Settings
from lms.core import clock
from lms.core.access import public

blueprint = Blueprint("security_txt", __name__)

PATH = "/.well-known/security.txt"
HOLDS = timedelta(days=180)  # RFC 9116 recommends less than a year


@blueprint.get(PATH)
@public
def contacts() -> ResponseReturnValue:
    """The contacts, in the order of preference. What is read today expires in half a year."""
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.security_contact:
        abort(404)
    expires = (clock.now() + HOLDS).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        *(f"Contact: {contact}" for contact in settings.security_contact),
        f"Expires: {expires}",
        "Preferred-Languages: zh, en",
        f"Canonical: {settings.public_url}{PATH}",
        *([f"Policy: {settings.security_policy_url}"] if settings.security_policy_url else []),
    ]
    return Response("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
