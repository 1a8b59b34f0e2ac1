"""Pages of a list of people to enrol: sending it, choosing its sheet, looking at its rows, putting them right, enrolling.

They extend the blueprint of an offering's enrolments.
"""

import io

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import consents, labels, pending_lists, prerequisites, sheet, sheet_facts, sheet_import
from courses.enrolment.forms.enrolment import SheetApplyForm, SheetChoiceForm, SheetRowForm, SheetUploadForm
from courses.enrolment.views.enrolment import blueprint
from courses.models.enrolment import EnrolmentImport
from courses.models.offerings import Offering
from lms.core import clock, edge, exports, fonts
from lms.core.access import requires, scope
from lms.core.error_pages import message_of
from lms.core.exports import MEDIA_TYPES, Format, Sheet
from lms.core.form_errors import refused_on
from lms.core.languages import language
from lms.core.masks import mask_phone
from lms.core.request_db import db
from lms.core.scope import STAFF, fetch

OPEN_ROWS = 30  # rows that cannot be enrolled and have their fields on the page; the others have a link to theirs


@blueprint.route("/import", methods=["GET", "POST"])
@requires(*STAFF)
def upload(offering_id: int) -> ResponseReturnValue:
    """Upload a spreadsheet or paste a list. Nobody is enrolled before its preview is confirmed."""
    offering = fetch(db(), Offering, offering_id, scope())
    form = SheetUploadForm()
    if form.validate_on_submit():
        with refused_on(form):
            today, user_id = clock.branch_today(), current_user.id
            if form.file.data:
                file = form.file.data
                pending = sheet_import.receive(db(), offering, user_id, file.filename, file.read(), today=today)
            else:
                pending = sheet_import.receive_text(db(), offering, user_id, form.text.data, today=today)
            if pending is None:
                return _too_many_conflicts(url_for("enrolment.upload", offering_id=offering_id))
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
    """The verdict on each row of a list, and the fields of those that cannot be enrolled."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    source = pending_lists.unseal(pending)
    if source.must_choose:
        return redirect(url_for("enrolment.choose_sheet", offering_id=offering_id, ref=ref))
    judged = sheet_import.preview(db(), pending, scope())
    opened_row = request.args.get("row", type=edge.row_id)
    demands = prerequisites.of_offering(pending.offering)
    return render_template(
        "enrolment/preview.html",
        offering=pending.offering,
        demands=demands,
        standings=sheet_import.standings(db(), pending, judged.accepted),
        types=prerequisites.type_names(db(), demands),
        pending=pending,
        preview=judged,
        source=source,
        open_rows={row.number for row in judged.rejected[:OPEN_ROWS]} | {opened_row},
        opened_row=opened_row,
        headings=dict(zip(sheet.HEADINGS, sheet.headings_of(chinese=_is_chinese()), strict=True)),
        id_types=labels.ID_TYPES,
        id_type_of=sheet_facts.id_type_of,
        state_of=pending_lists.state_of,
        form=SheetApplyForm(formdata=None),
        mask_phone=mask_phone,
        named=fonts.named,
    )


@blueprint.route("/import/<ref>/sheet", methods=["GET", "POST"])
@requires(*STAFF)
def choose_sheet(offering_id: int, ref: str) -> ResponseReturnValue:
    """Choose the sheet of a workbook in which more than one may be meant, or have its hidden rows and columns read."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    source = pending_lists.unseal(pending)
    if not source.file:
        return redirect(url_for("enrolment.preview", offering_id=offering_id, ref=ref))
    form = SheetChoiceForm()
    if form.validate_on_submit():
        with refused_on(form):
            hidden, today = form.hidden.data == "yes", clock.branch_today()
            if not sheet_import.choose_sheet(db(), pending, form.sheet.data or "", hidden=hidden, today=today):
                return _too_many_conflicts(url_for("enrolment.upload", offering_id=offering_id))
            return redirect(url_for("enrolment.preview", offering_id=offering_id, ref=ref))
    offering = pending.offering
    body = render_template("enrolment/choose_sheet.html", offering=offering, pending=pending, source=source, form=form)
    return make_response(body, 422 if form.is_submitted() else 200)


@blueprint.post("/import/<ref>/rows/<int:line>")
@requires(*STAFF)
def put_right(offering_id: int, ref: str, line: int) -> ResponseReturnValue:
    """Save the fields of a row, which is judged again; the other rows stay as they are."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    form = SheetRowForm()
    if not form.validate_on_submit():
        flash(_("A text is too long. Nothing was changed."), "warning")
        return redirect(_row_address(pending, line))
    try:
        is_kept = sheet_import.put_right(
            db(), pending, line, form.cells(), was=form.was.data, today=clock.branch_today()
        )
    except sheet_import.ChangedElsewhere as error:
        flash(message_of(error), "warning")
        return redirect(_row_address(pending, line))
    return redirect(_row_address(pending, line)) if is_kept else _too_many_conflicts(_row_address(pending, line))


@blueprint.post("/import/<ref>/rows/<int:line>/<any(leave_out, take_back):act>")
@requires(*STAFF)
def move_row(offering_id: int, ref: str, line: int, act: str) -> ResponseReturnValue:
    """Leave a row out, or read one as a person that was left out or taken for a note."""
    pending = sheet_import.get_pending(db(), offering_id, ref, scope())
    if act == "leave_out":
        sheet_import.leave_out(db(), pending, line)
    elif not sheet_import.take_back(db(), pending, line, today=clock.branch_today()):
        return _too_many_conflicts(_row_address(pending, line))
    return redirect(_row_address(pending, line))


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
    form = SheetApplyForm()
    try:
        result = sheet_import.apply(db(), pending, scope(), revision=form.revision.data, may_split=form.may_split)
    except sheet_import.ChangedElsewhere as error:
        flash(message_of(error), "warning")
        return redirect(url_for("enrolment.preview", offering_id=offering_id, ref=ref))
    if form.consent_given.data:
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


def _row_address(pending: EnrolmentImport, line: int) -> str:
    offering_id, anchor = pending.offering_id, f"row-{line}"
    return url_for("enrolment.preview", offering_id=offering_id, ref=pending.ref, _anchor=anchor)


def _too_many_conflicts(address: str) -> ResponseReturnValue:
    message = _("Too many ID numbers today did not agree with the names. Enrol without ID numbers, or ask the city.")
    flash(message, "warning")
    return redirect(address)


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
