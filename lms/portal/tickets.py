"""tickets."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("tickets", __name__)


@blueprint.get("/<ticket>")
@public
def page() -> str:
    """Being built."""
    return ""
