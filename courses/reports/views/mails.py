"""The page of reports by mail, where users subscribe and unsubscribe.

An auditor may post here too, because the page changes only the user's own account.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.models.report_mails import ReportFrequency
from courses.reports import mails
from lms.core.access import signed_in
from lms.core.request_db import db

blueprint = Blueprint("report_mails", __name__)


@blueprint.get("/reports/by-mail")
@signed_in
def page() -> str:
    """Show the user's subscriptions and latest mails."""
    user = current_user.user
    return render_template(
        "report_mails/page.html",
        subscriptions=mails.subscriptions_of(db(), user),
        latest_mails=mails.latest_mails(db(), user),
        email=user.email,
        ReportFrequency=ReportFrequency,
    )


@blueprint.post("/reports/by-mail")
@signed_in
def save() -> ResponseReturnValue:
    """Subscribe to the reports that are ticked, and unsubscribe from the others."""
    rhythms = {rhythm for rhythm in ReportFrequency if rhythm.value in request.form}
    mails.subscribe(db(), current_user.user, rhythms)
    flash(_("Saved. You will receive the ticked reports."))
    return redirect(url_for(".page"))
