"""verification."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("verification", __name__)


@blueprint.get("/verify")
@public
def find() -> str:
    """Being built."""
    return ""
