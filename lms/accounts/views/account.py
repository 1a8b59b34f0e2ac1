"""account."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("account", __name__)


@blueprint.get("/")
@signed_in
def page() -> str:
    """Being built."""
    return ""
