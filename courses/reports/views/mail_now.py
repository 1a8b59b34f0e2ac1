"""The page from which the enrolment report is sent by e-mail: a preview, the recipients and the files."""

import io

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField, SelectMultipleField

from courses.counting.rule import RULE
from courses.reports import enrolment, mail_now, pdf
from courses.reports.enrolment import EnrolmentReport
from courses.reports.filter_options import FilterOptions
from courses.reports.labels import enrolment as enrolment_labels
from courses.reports.labels import report as labels
from courses.reports.mail_now import ReportMail
from courses.reports.views import navigation
from courses.reports.views.enrolment import picture_of
from courses.reports.views.questions import request_question, zone
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.exports import MEDIA_TYPES, Format, write
from lms.core.form_errors import refused_on
from lms.core.forms import Form
from lms.core.languages import LANGUAGES, organisation_name, whole
from lms.core.messages.channels.interface import Attachment
from lms.core.request_db import db, report_db
from lms.core.scope import STAFF

blueprint = Blueprint("report_mail_now", __name__)

ROWS_IN_MAIL = 40  # the file holds all


class SendReportForm(Form):
    """The recipients, and the files that go along."""

    recipients = SelectMultipleField(_l("Recipients"), coerce=int, validate_choice=False)
    pdf = BooleanField(_l("PDF with the picture"), default=True)
    xlsx = BooleanField(_l("Excel (XLSX)"), default=True)


@blueprint.route("/reports/by-mail/send", methods=["GET", "POST"])
@requires(*STAFF)
def page() -> ResponseReturnValue:
    """Show what would be sent, and send it to the chosen recipients."""
    question, options = request_question()
    report = enrolment.report(report_db(), question, zone=zone())
    listed = mail_now.recipients(db(), current_user.user, scope())
    form = SendReportForm()
    form.recipients.choices = [(user.id, user.name) for user in listed]
    filters = question.filters
    if form.validate_on_submit():
        with refused_on(form):
            chosen = [user for user in listed if user.id in (form.recipients.data or ())]
            mails = {}
            for code in LANGUAGES if chosen else ():
                with force_locale(code):
                    mails[code] = _mail(report, options, with_pdf=form.pdf.data, with_xlsx=form.xlsx.data)
            sent = mail_now.send(db(), chosen, mails, report="enrolment", arguments=filters.address())
            flash(ngettext("The report is sent to %(num)s person.", "The report is sent to %(num)s people.", sent))
            return redirect(navigation.link("reports.enrolment", filters.address()))
    preview = _mail(report, options, with_pdf=False, with_xlsx=False)
    content = render_template(
        "report_mails/send.html",
        form=form,
        preview=preview,
        document=enrolment_labels.report_document(report, options),
        rows_in_mail=ROWS_IN_MAIL,
        listed=listed,
        arguments=filters.address(),
        too_long=len(report.rows) > pdf.MAX_ROWS,
        me=current_user.id,
    )
    return make_response(content, 422 if form.is_submitted() else 200)


def _mail(report: EnrolmentReport, options: FilterOptions, *, with_pdf: bool, with_xlsx: bool) -> ReportMail:
    """The mail in the language that is set."""
    filters = report.question.filters
    sheet = enrolment_labels.report_sheet(report, options)
    document = enrolment_labels.report_document(report, options, picture_of(report.question, report.rows))
    subject = f"{document.title} {filters.since.isoformat()} – {filters.until.isoformat()}"
    lines = [f"{label}: {value}" for label, value in labels.criteria(filters, options)]
    figures = [
        f"{_('Person-times')}: {whole(report.total.person_times)}",
        f"{_('People')}: {whole(report.people)}",
        f"{_('Person-hours')}: {labels.hours(report.total.minutes)}",
        f"{_('Certificates issued')}: {whole(report.total.certificates)}",
    ]
    by = _("Sent by %(name)s.", name=current_user.name)
    rule = str(RULE[0])
    text = "\n\n".join([f"{organisation_name()}\n{subject}", "\n".join(lines), "\n".join(figures), rule, by])
    html = render_template(
        "report_mails/mail.html",
        subject=subject,
        organisation=organisation_name(),
        criteria=labels.criteria(filters, options),
        columns=document.columns,
        rows=document.rows[:ROWS_IN_MAIL],
        more=len(document.rows) - ROWS_IN_MAIL,
        total=document.total,
        rule=rule,
        by=by,
    )
    name = f"enrolment-{filters.span}"
    attachments = []
    if with_pdf and len(report.rows) <= pdf.MAX_ROWS:
        attachments.append(Attachment(f"{name}.pdf", "application/pdf", pdf.render(document, now=clock.now())))
    if with_xlsx:
        file = io.BytesIO()
        write(sheet, Format.XLSX, file)
        attachments.append(Attachment(f"{name}.xlsx", MEDIA_TYPES[Format.XLSX], file.getvalue()))
    return ReportMail(subject, text, html, tuple(attachments))
