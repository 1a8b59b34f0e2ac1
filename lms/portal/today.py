"""today."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("today", __name__)


@blueprint.get("/")
@requires(*Role)
def page() -> str:
    """Being built."""
    return ""
