"""reports."""

from flask import Blueprint

from lms.core.access import public, requires, signed_in
from lms.core.scope import Role

blueprint = Blueprint("reports", __name__)


@blueprint.get("/enrolment")
@requires(*Role)
def enrolment() -> str:
    """Being built."""
    return ""
