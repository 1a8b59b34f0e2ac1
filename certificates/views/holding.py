"""The holder's own way to the certificate: by ticket, without an account."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from certificates import holding
from certificates.views.certificates import as_pdf
from lms.core.access import public
from lms.core.limits import limiter
from lms.core.web import session

blueprint = Blueprint("holding", __name__)


@blueprint.get("/<ticket>/certificate.pdf")
@public
@limiter.limit("20/minute")
def pdf(ticket: str) -> ResponseReturnValue:
    """The certificate to print, for whoever has the ticket."""
    return as_pdf(holding.of_ticket(session(), ticket))
