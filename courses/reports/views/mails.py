"""Reports by mail: what one gets, asked for and stopped by oneself. An auditor may too: it concerns the own account alone."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.models.report_mails import ReportFrequency
from courses.reports import mails
from lms.core.access import signed_in
from lms.core.web import db

blueprint = Blueprint("report_mails", __name__)


@blueprint.get("/reports/by-mail")
@signed_in
def page() -> str:
    """What one gets, and what was sent."""
    user = current_user.user
    return render_template(
        "report_mails/page.html",
        wanted=mails.wanted_by(db(), user),
        sent=mails.sent_to(db(), user),
        email=user.email,
        ReportFrequency=ReportFrequency,
    )


@blueprint.post("/reports/by-mail")
@signed_in
def save() -> ResponseReturnValue:
    """Ask for what is ticked, stop what is not."""
    wanted = {one for one in ReportFrequency if one.value in request.form}
    mails.ask(db(), current_user.user, wanted)
    flash(_("Saved. You get the reports that are ticked."))
    return redirect(url_for(".page"))
