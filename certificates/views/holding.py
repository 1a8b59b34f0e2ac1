"""The holder's own pages of a certificate, by ticket and without an account."""

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from certificates import badges, documents, holding, profile_links, renewal, sharing, states
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.rendering import Layout
from certificates.second_names import second_names
from certificates.states import STATE_COLOURS, STATE_LABELS
from certificates.views.unlisted import unlisted
from certificates.wallets import passes
from lms.core import clock, edge
from lms.core.access import public
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("holding", __name__)

PAGES = "60/minute"
DOCUMENTS = "20/minute"
NEW_LINK = "shared"  # the cookie session's key for a new link, from the button to the page that shows it once
BADGE_TYPES = {"json": "application/json", "jwt": "application/vc+jwt", "png": "image/png"}


@blueprint.get("/<ticket>/certificate")
@public
@limiter.limit(PAGES)
@unlisted
def page(ticket: str) -> ResponseReturnValue:
    """Show the certificate, its downloads, and the links shared with others."""
    certificate = holding.of_ticket(db(), ticket)
    new_link = cookie.pop(NEW_LINK, None)
    branch = _branch()
    return render_template(
        "holding/page.html",
        ticket=ticket,
        new_address=new_link["address"] if new_link and new_link["certificate"] == certificate.id else None,
        links=sharing.active_links(db(), certificate),
        periods=sharing.PERIODS,
        card_refusal=documents.card_refusal(certificate, branch),
        corrected=renewal.is_correction(db(), certificate),
        wallets=passes.offered(current_app.config["SETTINGS"]),
        linkedin=profile_links.linkedin(certificate, branch, language()),
        verify_address=f"{branch.public_url}/v/{digits_of(certificate.payload)}",
        second_name=documents.second_name(certificate),
        may_have_second_name=second_names.refusal(certificate) is None,
        **facts_of(certificate),
    )


@blueprint.get("/<ticket>/code")
@public
@limiter.limit(PAGES)
@unlisted
def code(ticket: str) -> ResponseReturnValue:
    """Show the code alone, as large as the screen, for somebody who scans it."""
    certificate = holding.of_ticket(db(), ticket)
    return render_template(
        "holding/code.html",
        ticket=ticket,
        code=Markup(documents.code(certificate, _branch())),  # noqa: S704  # made of rectangles by us
        **facts_of(certificate),
    )


@blueprint.get("/<ticket>/certificate.pdf")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def pdf(ticket: str) -> ResponseReturnValue:
    """Download the certificate to print; the ticket is the proof of the holder."""
    return as_file(holding.of_ticket(db(), ticket), Layout.A4)


@blueprint.get("/<ticket>/card.pdf")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def card(ticket: str) -> ResponseReturnValue:
    """Download the wallet card."""
    return as_file(holding.of_ticket(db(), ticket), Layout.CARD)


@blueprint.get("/<ticket>/certificate.png")
@public
@limiter.limit(PAGES)
@unlisted
def picture(ticket: str) -> ResponseReturnValue:
    """Show the certificate as an image."""
    return as_picture(holding.of_ticket(db(), ticket))


@blueprint.get("/<ticket>/badge.<any(json, jwt, png):form>")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def badge(ticket: str, form: str) -> ResponseReturnValue:
    """Download the Open Badge.

    The first request records that the badge is owed and redirects to itself once that is committed; the worker signs
    it.
    """
    certificate = holding.of_ticket(db(), ticket)
    if badges.owe(db(), certificate):
        return redirect(request.path, 303)
    signed_badge = badges.signed_badge(db(), certificate, max_wait=badges.MAX_WAIT)
    if signed_badge is None:
        waiting = make_response(render_template("holding/waiting.html", ticket=ticket, form=form), 202)
        waiting.headers["Retry-After"] = "5"
        return waiting
    content: bytes | str = signed_badge.token if form == "jwt" else signed_badge.credential
    if form == "png":
        content = badges.bake(badges.image(certificate, _branch()), signed_badge.credential)
    return as_download(content, BADGE_TYPES[form], f"{certificate.number}-badge.{form}")


@blueprint.post("/<ticket>/shares")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def share(ticket: str) -> ResponseReturnValue:
    """Make a link for others."""
    certificate = holding.of_ticket(db(), ticket)
    token = sharing.share(db(), certificate, request.form.get("days", 0, type=edge.count))
    cookie[NEW_LINK] = {
        "certificate": certificate.id,
        "address": _branch().public_url + url_for("sharing.page", token=token),
    }
    return redirect(url_for("holding.page", ticket=ticket, _anchor="share"), 303)


@blueprint.post("/<ticket>/shares/<int:link_id>/withdraw")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def withdraw(ticket: str, link_id: int) -> ResponseReturnValue:
    """End a link now."""
    sharing.withdraw(db(), holding.of_ticket(db(), ticket), link_id)
    flash(_("The link was withdrawn. It no longer shows the certificate."))
    return redirect(url_for("holding.page", ticket=ticket, _anchor="share"), 303)


def facts_of(certificate: Certificate) -> dict[str, object]:
    """Return what the pages of a certificate show to every visitor."""
    state = states.of_certificate(certificate, clock.today(_branch().zone))
    return {
        "certificate": certificate,
        "state": state,
        "state_label": STATE_LABELS[state],
        "state_colour": STATE_COLOURS[state],
        "printable": documents.is_printable(certificate),
        "digits": digits_of(certificate.payload),
    }


def as_file(certificate: Certificate, layout: Layout) -> Response:
    """Return the download of a certificate's PDF under its number."""
    suffix = "" if layout is Layout.A4 else f"-{layout.name.lower()}"
    return as_download(
        documents.pdf(certificate, _branch(), layout), "application/pdf", f"{certificate.number}{suffix}.pdf"
    )


def as_picture(certificate: Certificate) -> Response:
    """Return the certificate as an image for a page."""
    return Response(documents.preview(certificate, _branch()), mimetype="image/png")


def as_download(content: bytes | str, media_type: str, name: str) -> Response:
    """Return content that browsers store as a file of this name."""
    response = make_response(content)
    response.content_type = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])
