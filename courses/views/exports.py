"""The rows beneath a report as files: at once while they are few, by a worker when they are many, kept a week."""

import io
import tempfile
from collections.abc import Mapping
from typing import Any

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

from courses import exports
from courses.exports import Order
from courses.models.exports import ExportKind, ExportState, Personal
from courses.reports import offerings as offering_rules
from courses.reports.filters import Column, Filters
from courses.views import export_words as words
from courses.views import report_ways as ways
from courses.views.report_question import asked, asked_of, column
from courses.views.report_words import whole
from lms.core.access import holds, requires, scope, scope_of
from lms.core.exports import MEDIA_TYPES, Format
from lms.core.forms import Form, choices
from lms.core.scope import ADMINISTRATORS, READERS, Scope
from lms.core.web import reporting, session

blueprint = Blueprint("exports", __name__)

IN_MEMORY = 4 * 1024 * 1024  # bytes of a file
REFRESH_SECONDS = 2


class ExportForm(Form):
    """What kind of file, and what of the people in it. Who administers nobody has no choice of the latter."""

    form = RadioField(_l("File"), choices=choices(words.FORMATS.items()), coerce=Format)
    personal = RadioField(_l("Personal data"), choices=choices(words.PERSONAL.items()), coerce=Personal)


@blueprint.get("/exports/")
@requires(*READERS)
def index() -> str:
    """One's own exports of the last week."""
    return render_template("exports/index.html", exports=exports.listing(session(), scope()), **_words())


def _words() -> dict[str, object]:
    return {
        "kinds": words.KINDS,
        "formats": words.FORMATS,
        "personal_words": words.PERSONAL,
        "whole": whole,
        "ExportState": ExportState,
        "Personal": Personal,
    }


@blueprint.route("/exports/new/<any(offerings, participations):kind>", methods=["GET", "POST"])
@requires(*READERS, reading=True)
def new(kind: str) -> ResponseReturnValue:
    """Choose the file. Few rows come at once; many are owed to a worker, and the page shows how far it is."""
    chosen = ExportKind(kind)
    filters, options = asked()
    figure = column() if chosen is ExportKind.OFFERINGS else None
    form = ExportForm(data={"form": _format(request.args.get("form")), "personal": Personal.NONE})
    if chosen is ExportKind.OFFERINGS or not holds(*ADMINISTRATORS):
        del form.personal
    if form.validate_on_submit():
        personal = form.personal.data if form.personal else Personal.NONE
        return _answer(Order(chosen, filters, _reach(personal), personal, figure), form.form.data)
    page = render_template(
        "exports/new.html",
        form=form,
        kind=chosen,
        rows=Order(chosen, filters, scope(), column=figure).rows(reporting()),
        limit=current_app.config["SETTINGS"].export_limit_rows,
        asked=asked_of(filters, options, figure),
        up=_to("reports.offerings", filters, figure),
        **_words(),
    )
    return make_response(page, 422 if request.method == "POST" else 200)


def _format(name: str | None) -> Format:
    return Format(name) if name in set(Format) else Format.XLSX


def _to(endpoint: str, filters: Filters, figure: Column | None, **more: Any) -> str:
    arguments: dict[str, Any] = {**ways.here(filters, figure), **more}
    return url_for(endpoint, **arguments)


@blueprint.get("/offerings/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def offerings(form: str) -> ResponseReturnValue:
    """The offerings that a number is made of, at once; too many lead to the page that owes them to a worker."""
    filters, _choices = asked()
    figure = column()
    order = Order(ExportKind.OFFERINGS, filters, scope(), column=figure)
    if order.rows(reporting()) > current_app.config["SETTINGS"].export_limit_rows:
        return redirect(_to(".new", filters, figure, kind=ExportKind.OFFERINGS.value, form=form))
    return _answer(order, Format(form))


def _reach(personal: Personal) -> Scope:
    """Where somebody who audits the branch and administers a district asks for names, the district is what is meant."""
    if personal is Personal.NONE:
        return scope()
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in ADMINISTRATORS])


def _answer(order: Order, form: Format) -> ResponseReturnValue:
    rows = order.rows(reporting())
    table = order.table(words.wording())
    total = None
    if order.kind is ExportKind.OFFERINGS:
        total = offering_rules.behind(reporting(), order.filters, order.scope, column=order.column).total
    _filters, options = asked()
    head = words.head(order.kind, table, asked_of(order.filters, options, order.column), total)
    if rows > current_app.config["SETTINGS"].export_limit_rows:
        export = exports.begin(session(), order, form, head=head, rows=rows)
        return redirect(url_for(".page", ref=export.ref))
    order.note(session(), form, rows)
    name = _name(order.kind, order.filters.address(), form)
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
    return render_template(
        "exports/page.html", export=exports.one(session(), ref, scope()), seconds=REFRESH_SECONDS, **_words()
    )


@blueprint.get("/exports/<ref>/file")
@requires(*READERS)
def file(ref: str) -> ResponseReturnValue:
    """The file, from the database to the reader a piece at a time."""
    export = exports.one(session(), ref, scope())
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
    exports.note_download(session(), export)
    return answer


def _name(kind: ExportKind, question: Mapping[str, str], form: Format) -> str:
    return f"{kind}-{question['since']}-{question['until']}.{form}"


@blueprint.post("/exports/<ref>/delete")
@requires(*READERS, reading=True)
def delete(ref: str) -> ResponseReturnValue:
    """Delete it before its week is over."""
    exports.remove(session(), ref, scope())
    flash(_("The export is deleted."))
    return redirect(url_for(".index"))
