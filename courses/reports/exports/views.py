"""The pages of exports: choosing a file, downloading it at once, or waiting for the worker that makes it."""

import io
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import RadioField

from courses.models.exports import ExportKind, ExportState, PersonalData
from courses.reports import offerings as report_offerings
from courses.reports import sessions as report_sessions
from courses.reports.exports import exports, labels
from courses.reports.exports.orders import SUBJECT_ARGUMENTS, ExportOrder, PeopleExportOrder, ReportExportOrder
from courses.reports.exports.tables import ExportWording
from courses.reports.labels.report import offering_criteria
from courses.reports.questions import Filters
from courses.reports.views import navigation
from courses.reports.views.navigation import Breadcrumb
from courses.reports.views.questions import drill_down_criteria, request_figure, request_filters, request_question
from lms.accounts.current import demand_confirmed
from lms.core import edge
from lms.core.access import holds, requires, scope, scope_of
from lms.core.errors import NotFound
from lms.core.exports import MEDIA_TYPES, Format
from lms.core.forms import Form, choices
from lms.core.languages import whole
from lms.core.request_db import db, report_db
from lms.core.scope import ADMINISTRATORS, STAFF_READERS, Scope

blueprint = Blueprint("exports", __name__)

IN_MEMORY = 4 * 1024 * 1024  # bytes of a file; a larger one is written to disk
REFRESH_SECONDS = 2


class ExportForm(Form):
    """The format and the personal data of the file. The view removes `personal` for users who may not have any."""

    form = RadioField(_l("File"), choices=choices(labels.FORMAT_LABELS.items()), coerce=Format)
    personal = RadioField(_l("Personal data"), choices=choices(labels.PERSONAL_LABELS.items()), coerce=PersonalData)


@blueprint.get("/exports/")
@requires(*STAFF_READERS)
def index() -> str:
    """Show the user's exports of the last week; with `?failed=1` those that failed."""
    failed = request.args.get("failed") == "1"
    own_exports = exports.listing(db(), scope(), failed=failed)
    waiting = any(export.state is ExportState.WAITING for export in own_exports)
    seconds = REFRESH_SECONDS if waiting else None
    return render_template(
        "exports/index.html", exports=own_exports, failed=failed, seconds=seconds, **_template_globals()
    )


def _template_globals() -> dict[str, object]:
    return {
        "kinds": labels.KIND_LABELS,
        "formats": labels.FORMAT_LABELS,
        "personal_labels": labels.PERSONAL_LABELS,
        "subject": labels.subject,
        "whole": whole,
        "ExportState": ExportState,
        "Personal": PersonalData,
    }


@blueprint.route(
    "/exports/new/<any(offerings, participations, people, enrolments, attendances):kind>", methods=["GET", "POST"]
)
@requires(*STAFF_READERS, reading=True)
def new(kind: str) -> ResponseReturnValue:
    """Let the user choose the file, and send or order it."""
    return order_page(_export_request(ExportKind(kind)))


class ExportRequest(NamedTuple):
    """An order that the user is about to place. criteria: (label, value) for readers.

    up: the page that it was started on.
    """

    order: ExportOrder
    criteria: list[tuple[str, str]]
    up: Breadcrumb
    wording: ExportWording


def order_page(export: ExportRequest) -> ResponseReturnValue:
    """The page on which the user chooses the file; a POST sends it at once or, with many rows, owes it to a worker."""
    form = ExportForm(data={"form": _format(request.args.get("form")), "personal": PersonalData.NONE})
    if export.order.kind is ExportKind.OFFERINGS or not holds(*ADMINISTRATORS):
        del form.personal
    if form.validate_on_submit():
        personal = form.personal.data if form.personal else PersonalData.NONE
        if personal is not PersonalData.NONE:
            demand_confirmed()
        order = replace(export.order, scope=_scope_for(personal), personal=personal)
        return _send_or_owe(export._replace(order=order), form.form.data)
    page = render_template(
        "exports/new.html",
        form=form,
        kind=export.order.kind,
        rows=export.order.count_rows(report_db()),
        limit=current_app.config["SETTINGS"].export_limit_rows,
        criteria=export.criteria,
        up=export.up,
        **_template_globals(),
    )
    return make_response(page, 422 if request.method == "POST" else 200)


def _export_request(kind: ExportKind) -> ExportRequest:
    if kind in SUBJECT_ARGUMENTS:
        return _people_request(kind, request_filters()[0])
    if kind is ExportKind.OFFERINGS:
        return _offerings_request()
    question, options = request_question()
    filters = question.filters
    up = navigation.people_crumb(filters) if kind is ExportKind.PEOPLE else navigation.offerings_crumb(filters, None)
    order = ReportExportOrder(kind=kind, filters=filters, scope=scope())
    return ExportRequest(order, drill_down_criteria(question, options), up, labels.wording())


def _offerings_request() -> ExportRequest:
    """The offerings behind a figure, with their sum."""
    question, options = request_question()
    filters, figure = question.filters, request_figure()
    order = ReportExportOrder(kind=ExportKind.OFFERINGS, filters=filters, scope=scope(), figure=figure)
    criteria = drill_down_criteria(question, options, figure)
    return ExportRequest(order, criteria, navigation.offerings_crumb(filters, figure), labels.wording())


def _people_request(kind: ExportKind, filters: Filters) -> ExportRequest:
    """The people of an offering or of a session. The filters lead back to the page that it was started on."""
    subject_id = request.args.get(SUBJECT_ARGUMENTS[kind], type=edge.row_id)
    if subject_id is None:
        raise NotFound
    order = PeopleExportOrder(kind=kind, scope=scope(), subject_id=subject_id)
    if kind is ExportKind.ENROLMENTS:
        offering = report_sessions.offering_with_names(report_db(), subject_id, scope())
        up = navigation.offering_people_crumb(filters, request_figure(), subject_id)
        return ExportRequest(order, offering_criteria(offering), up, labels.wording())
    meeting = report_sessions.session_in_scope(report_db(), subject_id, scope())
    up = navigation.session_people_crumb(filters, request_figure(), meeting.offering.id, subject_id)
    return ExportRequest(order, offering_criteria(meeting.offering, meeting), up, labels.wording())


def _format(name: str | None) -> Format:
    return Format(name) if name in set(Format) else Format.XLSX


@blueprint.get("/offerings/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def offerings(form: str) -> ResponseReturnValue:
    """Send the offerings behind a number at once; with many rows, redirect to the page that owes them to a worker."""
    export = _offerings_request()
    if export.order.count_rows(report_db()) > current_app.config["SETTINGS"].export_limit_rows:
        carried = navigation.carried_arguments(request_filters()[0], request_figure())
        return redirect(navigation.link(".new", {**carried, "kind": ExportKind.OFFERINGS.value, "form": form}))
    return _send_or_owe(export, Format(form))


def _scope_for(personal: PersonalData) -> Scope:
    """The scope of an export with this personal data.

    Names are for administrators alone: a user who audits the branch and administers a district gets the names of the
    district.
    """
    if personal is PersonalData.NONE:
        return scope()
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in ADMINISTRATORS])


def _send_or_owe(export: ExportRequest, form: Format) -> ResponseReturnValue:
    order = export.order
    rows = order.count_rows(report_db())
    table = order.table(export.wording)
    total = None
    if isinstance(order, ReportExportOrder) and order.kind is ExportKind.OFFERINGS:
        total = report_offerings.drill_down(report_db(), order.question, figure=order.figure).total
    head = labels.head(order.kind, table, export.criteria, total, export.wording, plain="plain" in request.values)
    if rows > current_app.config["SETTINGS"].export_limit_rows:
        owed = exports.begin(db(), order, form, head=head, rows=rows)
        return redirect(url_for("exports.page", ref=owed.ref))
    order.record(db(), form, rows)
    name = _file_name(order.kind, order.arguments, form)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # a large one is closed when it was sent
    file.writelines(exports.file_pieces(report_db().connection(), table, form, head))
    size = file.tell()
    file.seek(0)
    if size > IN_MEMORY:
        answer = send_file(file, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name)
        answer.call_on_close(file.close)
        return answer
    with file:
        content = io.BytesIO(file.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name)


@blueprint.get("/exports/<ref>")
@requires(*STAFF_READERS)
def page(ref: str) -> str:
    """Show the progress of an export, and the link to its file."""
    export = exports.export_of(db(), ref, scope())
    before = exports.places_before(db(), export)
    return render_template(
        "exports/page.html", export=export, before=before, seconds=REFRESH_SECONDS, **_template_globals()
    )


@blueprint.get("/exports/<ref>/file")
@requires(*STAFF_READERS)
def file(ref: str) -> ResponseReturnValue:
    """Stream the file from the database, piece by piece."""
    export = exports.export_of(db(), ref, scope())
    if export.bytes is None:
        return redirect(url_for(".page", ref=ref))
    if export.personal is not PersonalData.NONE:
        demand_confirmed()
    answer = Response(
        exports.stored_pieces(current_app.extensions["sessions"], export.id), mimetype=MEDIA_TYPES[export.format]
    )
    answer.content_length = export.bytes
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{_file_name(export.kind, export.question, export.format)}"'
    )
    answer.headers["X-Accel-Buffering"] = "no"  # otherwise nginx writes the file to disk first
    exports.record_download(db(), export)
    return answer


def _file_name(kind: ExportKind, arguments: Mapping[str, str], form: Format) -> str:
    if kind is ExportKind.CERTIFICATES:
        return f"{kind}-{arguments['today']}.{form}"
    if kind in SUBJECT_ARGUMENTS:
        return f"{kind}-{arguments[SUBJECT_ARGUMENTS[kind]]}.{form}"
    return f"{kind}-{arguments['since']}-{arguments['until']}.{form}"


@blueprint.post("/exports/<ref>/delete")
@requires(*STAFF_READERS, reading=True)
def delete(ref: str) -> ResponseReturnValue:
    """Delete an export before it expires."""
    exports.remove(db(), ref, scope())
    flash(_("The export is deleted."))
    return redirect(url_for(".index"))
