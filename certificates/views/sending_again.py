"""The page that sends several holders the address of their own pages again."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from certificates import sending_again
from courses.enrolment.mail import SentAgain
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.messages.models import Channel
from lms.core.request_db import db
from lms.core.scope import STAFF

blueprint = Blueprint("sending_again", __name__)


@blueprint.route("/send-again", methods=["GET", "POST"])
@requires(*STAFF)
def page() -> ResponseReturnValue:
    """Show to which contact each message would go, and send."""
    ids = request.values.getlist("certificate", type=edge.row_id)
    if not ids:
        flash(_("Choose at least one certificate of the list."), "warning")
        return redirect(url_for("certificates.index"))
    if request.method == "POST":
        rows = sending_again.send(db(), ids, scope())
        number = sum(row.sent.channel is not None for row in rows)
        flash(ngettext("%(num)s link is on its way.", "%(num)s links are on their way.", number))
        for row in rows:
            if row.sent.channel is None:
                flash(f"{row.holder}: {told(row.sent)}", "warning")
        return redirect(url_for("certificates.index"))
    rows = sending_again.preview(db(), ids, scope())
    return render_template("certificates/send_again.html", rows=rows, told=told)


def told(sent: SentAgain) -> str:
    """Say what becomes of a message: the contact that it goes to, or why nothing goes."""
    if sent.contact:
        return sent.contact
    if sent.channel is Channel.SMS:
        return _("to the verified phone")
    if sent.channel is Channel.EMAIL:
        return _("to the verified e-mail address")
    if sent.too_soon:
        return _("sent less than ten minutes ago, or three times today")
    return _("no phone and no e-mail address to which anything can be sent")
