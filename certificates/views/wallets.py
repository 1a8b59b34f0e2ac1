"""Downloads of a certificate for the wallets of phones, by ticket."""

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from certificates import holding
from certificates.views.holding import DOCUMENTS, as_download
from certificates.views.unlisted import unlisted
from certificates.wallets import apple, google, passes
from certificates.wallets.models import Wallet
from lms.core.access import public
from lms.core.languages import language
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("wallets", __name__)


@blueprint.get("/<ticket>/wallet/<any(apple, google):name>")
@public
@limiter.limit(DOCUMENTS)
@unlisted
def add(ticket: str, name: str) -> ResponseReturnValue:
    """Download the pass for Apple Wallet, or go on to Google with the signed pass.

    The first request records that the pass is owed and redirects to itself once that is committed; the worker signs it.
    """
    wallet = Wallet(name)
    certificate = holding.of_ticket(db(), ticket)
    if passes.owe(db(), certificate, wallet, current_app.config["SETTINGS"]):
        return redirect(request.path, 303)
    content = passes.signed(db(), certificate, wallet, max_wait=passes.MAX_WAIT)
    if content is None:
        waiting = make_response(render_template("holding/waiting_pass.html", ticket=ticket, wallet=name), 202)
        waiting.headers["Retry-After"] = "5"
        return waiting
    if wallet is Wallet.GOOGLE:
        return redirect(google.save_address(content, language()), 303)
    return as_download(content, apple.MEDIA_TYPE, f"{certificate.number}.pkpass")
