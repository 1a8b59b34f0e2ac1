"""health."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("health", __name__)


@blueprint.get("/")
@public
def page() -> str:
    """Being built."""
    return ""
