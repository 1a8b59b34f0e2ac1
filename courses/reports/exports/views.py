"""The rows beneath a report as files: at once while they are few, by a worker when they are many, kept a week."""

import io
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

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
from courses.reports import offerings as offering_rules
from courses.reports import sessions as session_rules
from courses.reports.exports import exports
from courses.reports.exports import labels as words
from courses.reports.exports.orders import SUBJECTS, ListOrder, Order, ReportOrder
from courses.reports.filters import Filters
from courses.reports.labels import report
from courses.reports.tables import Wording
from courses.reports.views import navigation as ways
from courses.reports.views.question import asked, asked_of, column
from lms.core.access import holds, requires, scope, scope_of
from lms.core.errors import NotFound
from lms.core.exports import MEDIA_TYPES, Format
from lms.core.forms import Form, choices
from lms.core.languages import whole
from lms.core.scope import ADMINISTRATORS, READERS, Scope
from lms.core.web import db, reporting

blueprint = Blueprint("exports", __name__)

LARGEST = 2**63 - 1
IN_MEMORY = 4 * 1024 * 1024  # bytes of a file
REFRESH_SECONDS = 2


class ExportForm(Form):
    """What kind of file, and what of the people in it. Who administers nobody has no choice of the latter."""

    form = RadioField(_l("File"), choices=choices(words.FORMATS.items()), coerce=Format)
    personal = RadioField(_l("Personal data"), choices=choices(words.PERSONAL.items()), coerce=PersonalData)


@blueprint.get("/exports/")
@requires(*READERS)
def index() -> str:
    """One's own exports of the last week."""
    found = exports.listing(db(), scope())
    waiting = any(export.state is ExportState.WAITING for export in found)
    seconds = REFRESH_SECONDS if waiting else None
    return render_template("exports/index.html", exports=found, seconds=seconds, **_words())


def _words() -> dict[str, object]:
    return {
        "kinds": words.KINDS,
        "formats": words.FORMATS,
        "personal_words": words.PERSONAL,
        "subject": words.subject,
        "whole": whole,
        "ExportState": ExportState,
        "Personal": PersonalData,
    }


@blueprint.route(
    "/exports/new/<any(offerings, participations, people, enrolments, attendances):kind>", methods=["GET", "POST"]
)
@requires(*READERS, reading=True)
def new(kind: str) -> ResponseReturnValue:
    """Choose the file. Few rows come at once; many are owed to a worker, and the page shows how far it is."""
    return choose(_question(ExportKind(kind)))


class Question(NamedTuple):
    """An order, what it asks in words, the page that it was asked on, and how codes are shown."""

    order: Order
    lines: list[tuple[str, str]]
    up: ways.Step
    wording: Wording


def choose(question: Question) -> ResponseReturnValue:
    """The page on which the file is chosen, and what happens then."""
    form = ExportForm(data={"form": _format(request.args.get("form")), "personal": PersonalData.NONE})
    if question.order.kind is ExportKind.OFFERINGS or not holds(*ADMINISTRATORS):
        del form.personal
    if form.validate_on_submit():
        personal = form.personal.data if form.personal else PersonalData.NONE
        order = replace(question.order, scope=_reach(personal), personal=personal)
        return _answer(question._replace(order=order), form.form.data)
    page = render_template(
        "exports/new.html",
        form=form,
        kind=question.order.kind,
        rows=question.order.rows(reporting()),
        limit=current_app.config["SETTINGS"].export_limit_rows,
        asked=question.lines,
        up=question.up,
        **_words(),
    )
    return make_response(page, 422 if request.method == "POST" else 200)


def _question(kind: ExportKind) -> Question:
    filters, options = asked()
    if kind in SUBJECTS:
        return _question_of_one(kind, filters)
    if kind is ExportKind.OFFERINGS:
        return _question_of_offerings()
    up = ways.people(filters) if kind is ExportKind.PEOPLE else ways.offerings(filters, None)
    order = ReportOrder(kind=kind, filters=filters, scope=scope())
    return Question(order, asked_of(filters, options, None), up, words.wording())


def _question_of_offerings() -> Question:
    """Those behind a figure, with their sum."""
    filters, options = asked()
    figure = column()
    order = ReportOrder(kind=ExportKind.OFFERINGS, filters=filters, scope=scope(), column=figure)
    return Question(order, asked_of(filters, options, figure), ways.offerings(filters, figure), words.wording())


def _question_of_one(kind: ExportKind, filters: Filters) -> Question:
    """Of one offering or one session; the filters that one came with lead back."""
    number = request.args.get(SUBJECTS[kind], type=int)
    if number is None or abs(number) > LARGEST:
        raise NotFound
    order = ListOrder(kind=kind, scope=scope(), subject=number)
    if kind is ExportKind.ENROLMENTS:
        offering = session_rules.of(reporting(), number, scope())
        up = ways.offering_people(filters, column(), number)
        return Question(order, report.of_offering(offering), up, words.wording())
    meeting = session_rules.one(reporting(), number, scope())
    offering = meeting.offering
    up = ways.session_people(filters, column(), offering.id, number)
    return Question(order, report.of_offering(offering, meeting), up, words.wording())


def _format(name: str | None) -> Format:
    return Format(name) if name in set(Format) else Format.XLSX


@blueprint.get("/offerings/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def offerings(form: str) -> ResponseReturnValue:
    """The offerings that a number is made of, at once; too many lead to the page that owes them to a worker."""
    question = _question_of_offerings()
    if question.order.rows(reporting()) > current_app.config["SETTINGS"].export_limit_rows:
        address: dict[str, Any] = {**ways.here(asked()[0], column()), "kind": ExportKind.OFFERINGS.value, "form": form}
        return redirect(url_for(".new", **address))
    return _answer(question, Format(form))


def _reach(personal: PersonalData) -> Scope:
    """Where somebody who audits the branch and administers a district asks for names, the district is what is meant."""
    if personal is PersonalData.NONE:
        return scope()
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in ADMINISTRATORS])


def _answer(question: Question, form: Format) -> ResponseReturnValue:
    order = question.order
    rows = order.rows(reporting())
    table = order.table(question.wording)
    total = None
    if isinstance(order, ReportOrder) and order.kind is ExportKind.OFFERINGS:
        total = offering_rules.behind(reporting(), order.filters, order.scope, column=order.column).total
    head = words.head(order.kind, table, question.lines, total, question.wording)
    if rows > current_app.config["SETTINGS"].export_limit_rows:
        export = exports.begin(db(), order, form, head=head, rows=rows)
        return redirect(url_for("exports.page", ref=export.ref))
    order.note(db(), form, rows)
    name = _name(order.kind, order.question, form)
    written = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # a large one is closed when it was sent
    written.writelines(exports.file_pieces(reporting().connection(), table, form, head))
    size = written.tell()
    written.seek(0)
    if size > IN_MEMORY:
        answer = send_file(written, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name)
        answer.call_on_close(written.close)
        return answer
    with written:
        content = io.BytesIO(written.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name)


@blueprint.get("/exports/<ref>")
@requires(*READERS)
def page(ref: str) -> str:
    """How far it is, and the file."""
    export = exports.one(db(), ref, scope())
    before = exports.places_before(db(), export)
    return render_template("exports/page.html", export=export, before=before, seconds=REFRESH_SECONDS, **_words())


@blueprint.get("/exports/<ref>/file")
@requires(*READERS)
def file(ref: str) -> ResponseReturnValue:
    """The file, from the database to the reader a piece at a time."""
    export = exports.one(db(), ref, scope())
    if export.bytes is None:
        return redirect(url_for(".page", ref=ref))
    answer = Response(
        exports.stored(current_app.extensions["sessions"], export.id), mimetype=MEDIA_TYPES[export.format]
    )
    answer.content_length = export.bytes
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{_name(export.kind, export.question, export.format)}"'
    )
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep it on disk first
    exports.note_download(db(), export)
    return answer


def _name(kind: ExportKind, question: Mapping[str, str], form: Format) -> str:
    if kind is ExportKind.CERTIFICATES:
        return f"{kind}-{question['today']}.{form}"
    of = question[SUBJECTS[kind]] if kind in SUBJECTS else f"{question['since']}-{question['until']}"
    return f"{kind}-{of}.{form}"


@blueprint.post("/exports/<ref>/delete")
@requires(*READERS, reading=True)
def delete(ref: str) -> ResponseReturnValue:
    """Delete it before its week is over."""
    exports.remove(db(), ref, scope())
    flash(_("The export is deleted."))
    return redirect(url_for(".index"))
