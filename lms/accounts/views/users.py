"""users."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("users", __name__)


@blueprint.get("/")
@requires(*Role)
def index() -> str:
    """Being built."""
    return ""
