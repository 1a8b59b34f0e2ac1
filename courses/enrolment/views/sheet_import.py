"""Pages of a list of people to enrol: sending it, choosing its sheet, looking at its rows, putting them right, enrolling."""

import io

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import consents, labels, sheet, sheet_import
from courses.enrolment.forms.enrolment import SheetApplyForm, SheetUploadForm
from courses.enrolment.views.enrolment import blueprint
from courses.models.offerings import Offering
from lms.core import clock, exports
from lms.core.access import requires, scope
from lms.core.exports import MEDIA_TYPES, Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import STAFF, fetch


@blueprint.route("/import", methods=["GET", "POST"])
@requires(*STAFF)
def upload(offering_id: int) -> ResponseReturnValue:
    """Upload a spreadsheet. Nobody is enrolled before its preview is confirmed."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = SheetUploadForm()
    if form.validate_on_submit():
        with refused_on(form):
            file = form.file.data
            content = file.read()
            pending = sheet_import.receive(
                db(), offering, current_user.id, file.filename, content, today=clock.branch_today()
            )
            if pending is None:
                flash(
                    _(
                        "Too many ID numbers today did not agree with the names. Enrol without ID numbers, or ask the city."
                    ),
                    "warning",
                )
                return redirect(url_for("enrolment.upload", offering_id=offering_id))
            return redirect(url_for("enrolment.preview", offering_id=offering_id, ref=pending.ref))
    body = render_template("enrolment/upload.html", offering=offering, form=form, max_people=sheet.MAX_PEOPLE)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.get("/import/template.<any(csv, xlsx):form>")
@requires(*STAFF)
def template(offering_id: int, form: str) -> ResponseReturnValue:
    """An empty spreadsheet with the headings and notes on how to fill it in."""
    fetch(db(), Offering, offering_id, scope())
    notes = [
        (_("Required"), _("Name, and phone or ID number")),
        (_("Children under 14"), _("Guardian's name and phone as well")),
        (_("ID types"), "、".join(str(label) for label in labels.ID_TYPES.values())),
    ]
    return _download(sheet.make_template(_("People to enrol"), notes, chinese=_is_chinese()), Format(form), "enrolment")


@blueprint.get("/import/<ref>")
@requires(*STAFF)
def preview(offering_id: int, ref: str) -> ResponseReturnValue:
    """The verdict on each row of an uploaded spreadsheet."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    return render_template(
        "enrolment/preview.html",
        offering=pending.offering,
        pending=pending,
        preview=sheet_import.preview(db(), pending, scope()),
        headings=dict(zip(sheet.HEADINGS, sheet.headings(chinese=_is_chinese()), strict=True)),
        form=SheetApplyForm(),
        mask_phone=mask_phone,
    )


@blueprint.get("/import/<ref>/rejected.<any(csv, xlsx):form>")
@requires(*STAFF)
def rejected(offering_id: int, ref: str, form: str) -> ResponseReturnValue:
    """A spreadsheet of the rejected rows, each with the reason, to be corrected and sent again."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    rows = [
        (row.number, _(row.problem.message, **row.problem.params), row.cells)
        for row in sheet_import.preview(db(), pending, scope()).rejected
        if row.problem
    ]
    extra_headings = (_("Row"), _("Why it cannot be imported"))
    rejected_sheet = sheet.make_rejected(_("Rows that were not enrolled"), extra_headings, rows, chinese=_is_chinese())
    return _download(rejected_sheet, Format(form), "rejected")


@blueprint.post("/import/<ref>/apply")
@requires(*STAFF)
def apply(offering_id: int, ref: str) -> ResponseReturnValue:
    """Enrol the people of the accepted rows."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    result = sheet_import.apply(db(), pending, scope())
    if SheetApplyForm().consent_given.data:
        consents.give_for_offering(db(), offering_id, result.trainee_ids)
    flash(
        _(
            "%(enrolled)s enrolled, %(waitlisted)s on the waiting list, %(left_out)s left out.",
            enrolled=result.enrolled,
            waitlisted=result.waitlisted,
            left_out=result.left_out,
        )
    )
    return redirect(url_for("enrolment.index", offering_id=offering_id))


def _is_chinese() -> bool:
    return bool(language() == "zh")


def _download(spreadsheet: Sheet, file_format: Format, name: str) -> ResponseReturnValue:
    file = io.BytesIO()
    exports.write(spreadsheet, file_format, file)
    headers = {
        "Content-Type": MEDIA_TYPES[file_format],
        "Content-Disposition": f"attachment; filename={name}.{file_format}",
    }
    return file.getvalue(), headers
