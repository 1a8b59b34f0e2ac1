"""Pages behind a link that a holder shared: the certificate, its state, and its PDF."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from certificates import documents, sharing
from certificates.rendering import Layout
from certificates.views.holding import DOCUMENTS, PAGES, as_file, as_picture, facts_of
from certificates.views.unlisted import unlisted_and_silent
from lms.core.access import public
from lms.core.error_pages import message_of
from lms.core.errors import DomainError
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("sharing", __name__)


@blueprint.get("/<token>")
@public
@limiter.limit(PAGES)
@unlisted_and_silent
def page(token: str) -> ResponseReturnValue:
    """Show the certificate, or a message that the link has ended."""
    try:
        shared = sharing.open_link(db(), token)
    except DomainError as error:
        return render_template("sharing/ended.html", message=message_of(error)), error.status
    return render_template(
        "sharing/page.html",
        token=token,
        shared=shared,
        second_name=documents.second_name(shared.certificate),
        **facts_of(shared.certificate),
    )


@blueprint.get("/<token>/certificate.pdf")
@public
@limiter.limit(DOCUMENTS)
@unlisted_and_silent
def pdf(token: str) -> ResponseReturnValue:
    """Download the PDF."""
    return as_file(sharing.open_link(db(), token).certificate, Layout.A4)


@blueprint.get("/<token>/certificate.png")
@public
@limiter.limit(PAGES)
@unlisted_and_silent
def picture(token: str) -> ResponseReturnValue:
    """Show the certificate as an image."""
    return as_picture(sharing.open_link(db(), token).certificate)
