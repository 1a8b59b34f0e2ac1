"""Imports: choose what comes in, send a file, see how it is read, check it, let it in, stop, resume, undo."""

import io
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.imports import corrections, kinds, preview, runs
from courses.imports import labels as words
from courses.imports.forms import ColumnsForm, ImportFileForm, UndoForm, columns_form
from courses.imports.kinds import Kind
from courses.models.imports import ImportRun, ImportState
from lms.core.access import holds, requires, scope
from lms.core.exports import MEDIA_TYPES, Format, Sheet, write
from lms.core.languages import language, whole
from lms.core.scope import ADMINISTRATORS
from lms.core.web import db, refuse, refused_on

blueprint = Blueprint("imports", __name__)

REFRESH_SECONDS = 2
REFUSED_SHOWN = 20
UNDOING = {ImportState.UNDOING, ImportState.UNDONE}
FORM_BYTES = 64 * 1024  # what surrounds the file
IN_MEMORY = 4 * 1024 * 1024  # bytes of a file to correct


@blueprint.url_value_preprocessor
def _allow_large_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before the form is read, which the check of its token does."""
    if endpoint == "imports.new":
        request.max_content_length = current_app.config["SETTINGS"].import_limit_bytes + FORM_BYTES


@blueprint.get("/")
@requires(*ADMINISTRATORS)
def index() -> str:
    """What came in, the newest first."""
    found = runs.listing(db(), scope(), request.args.get("page", 1, int))
    return render_template("imports/index.html", listing=found, titles=_titles(), **_words())


def _titles() -> dict[str, str]:
    return {kind.name: _(kind.title) for kind in kinds.everyone()}


def _words() -> dict[str, Any]:
    return {"states": words.STATES, "tally": words.tally, "whole": whole, "ImportState": ImportState}


@blueprint.get("/new")
@requires(*ADMINISTRATORS)
def choose() -> str:
    """Which kind."""
    return render_template("imports/choose.html", kinds=preview.offered(scope()))


@blueprint.route("/new/<kind>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def new(kind: str) -> ResponseReturnValue:
    """Send a file."""
    chosen = preview.offered_kind(kind, scope())
    form = ImportFileForm()
    largest = _largest(chosen)
    if form.validate_on_submit():
        with refused_on(form):
            run = runs.receive(
                db(),
                chosen,
                file=form.file.data.stream,
                file_name=PurePath(form.file.data.filename or "").name,
                scope=scope(),
                largest=largest,
            )
            return redirect(url_for(".page", ref=run.ref))
    return _new(chosen, form, 422 if form.is_submitted() else 200)


def _largest(kind: Kind) -> int:
    return min(int(current_app.config["SETTINGS"].import_limit_bytes), kind.largest)


def _new(kind: Kind, form: ImportFileForm, status: int) -> ResponseReturnValue:
    limit = _largest(kind) >> 20
    page = render_template("imports/new.html", form=form, kind=kind, heading=_heading, limit=limit)
    return make_response(page, status)


@blueprint.errorhandler(413)
def _too_large(_error: Exception) -> ResponseReturnValue:
    """A file that was not even read, said where another can be chosen. It may be anybody who sent it: nothing was asked yet."""
    name = (request.view_args or {}).get("kind")
    chosen = next((kind for kind in kinds.everyone() if kind.name == name), None)
    most = (current_app.config["SETTINGS"].import_limit_bytes if chosen is None else _largest(chosen)) >> 20
    message = _("The file is larger than %(most)s MB. Send fewer rows at a time.", most=most)
    if chosen is None or not holds(*ADMINISTRATORS):
        return refuse(413, "file_too_large", message)
    form = ImportFileForm(formdata=None)
    form.file.errors = [message]
    return _new(chosen, form, 413)


def _heading(column: kinds.Column) -> str:
    return preview.heading(column, chinese=language() == "zh")


@blueprint.get("/template/<kind>.<any(csv, xlsx):form>")
@requires(*ADMINISTRATORS)
def template(kind: str, form: str) -> ResponseReturnValue:
    """The headings and an example."""
    chosen = preview.offered_kind(kind, scope())
    sheet = preview.template(chosen, _(chosen.title), chinese=language() == "zh")
    return _file(sheet, Format(form), f"{chosen.name}-template")


def _file(sheet: Sheet, form: Format, name: str) -> ResponseReturnValue:
    written = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed when it was sent
    write(sheet, form, written)
    size = written.tell()
    written.seek(0)
    if size > IN_MEMORY:
        answer = send_file(written, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=f"{name}.{form}")
        answer.call_on_close(written.close)
        return answer
    with written:
        content = io.BytesIO(written.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=f"{name}.{form}")


@blueprint.get("/<ref>")
@requires(*ADMINISTRATORS)
def page(ref: str) -> ResponseReturnValue:
    """Where it is, and what can be done with it now."""
    run = runs.find(db(), ref, scope())
    return _page(run, _columns(run))


def _columns(run: ImportRun) -> ColumnsForm:
    kind = kinds.kind_of(run.kind)
    return columns_form(kind.columns, run.headings, run.mapping, chinese=language() == "zh")


def _page(run: ImportRun, form: ColumnsForm, status: int = 200) -> ResponseReturnValue:
    kind = kinds.kind_of(run.kind)
    received = run.state is ImportState.RECEIVED and run.erased_at is None
    judged = bool(run.tally) and run.erased_at is None and run.state not in UNDOING
    problem, params = runs.problem(run)
    page = render_template(
        "imports/page.html",
        run=run,
        kind=kind,
        form=form,
        needed={column.name for column in kind.columns if column.needed},
        first_rows=preview.first_rows(db(), run) if received else [],
        refused=[
            (line, _in_words(kind, text, given)) for line, text, given in corrections.refused(db(), run, REFUSED_SHOWN)
        ]
        if judged
        else [],
        refused_number=run.tally.get("refused", 0) + run.tally.get("double", 0),
        problem=_in_words(kind, problem, params) if problem else "",
        busy=run.state in runs.BUSY,
        step=_step(run, kind),
        settled=runs.SETTLED,
        can_undo=_can_undo(run),
        may_resume=runs.may_resume(run),
        place=words.PLACES.get(run.kind),
        seconds=REFRESH_SECONDS,
        **_words(),
    )
    return make_response(page, status)


def _in_words(kind: Kind, message: str, params: Mapping[str, Any]) -> str:
    """A reason in the reader's language."""
    return _(message, **preview.filled(kind, params, chinese=language() == "zh"))


def _step(run: ImportRun, kind: Kind) -> tuple[int, int]:
    """Which step of how many the work is at."""
    steps = {
        ImportState.CHECKING: ("read", "match"),
        ImportState.RUNNING: kind.steps,
        ImportState.UNDOING: kind.undo_steps,
    }.get(run.state, (run.step,))
    return (steps.index(run.step) + 1 if run.step in steps else 1), len(steps)


def _can_undo(run: ImportRun) -> bool:
    moved = run.state is ImportState.DONE or (
        run.state in {ImportState.STOPPED, ImportState.FAILED} and run.doing is not ImportState.CHECKING
    )
    return moved and run.erased_at is None


@blueprint.post("/<ref>/columns")
@requires(*ADMINISTRATORS)
def columns(ref: str) -> ResponseReturnValue:
    """Keep which column holds what, and have the file checked: nothing goes in yet."""
    run = runs.find(db(), ref, scope())
    form = _columns(run)
    if form.validate_on_submit():
        runs.remap(db(), run, form.mapping())
        missing = {column.name for column in runs.missing(run)}
        if not missing:
            runs.check(db(), run)
            return redirect(url_for(".page", ref=ref))
        for field in form:
            if field.name.removeprefix("column-") in missing:
                field.errors = [*field.errors, _("Choose the column of this field.")]
    return _page(run, form, 422)


@blueprint.post("/<ref>/start")
@requires(*ADMINISTRATORS)
def start(ref: str) -> ResponseReturnValue:
    """Let the rows in that can go in."""
    runs.start(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/stop")
@requires(*ADMINISTRATORS)
def stop(ref: str) -> ResponseReturnValue:
    """Stop after the chunk at hand."""
    runs.stop(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/resume")
@requires(*ADMINISTRATORS)
def resume(ref: str) -> ResponseReturnValue:
    """Go on where it stopped."""
    runs.resume(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.route("/<ref>/undo", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def undo(ref: str) -> ResponseReturnValue:
    """Take everything back that it made, with a reason."""
    run = runs.find(db(), ref, scope())
    if not _can_undo(run):
        flash(_("This import cannot be undone now."), "warning")
        return redirect(url_for(".page", ref=ref))
    form = UndoForm()
    if form.validate_on_submit():
        with refused_on(form):
            runs.undo(db(), run, form.reason.data)
            return redirect(url_for(".page", ref=ref))
    page = render_template("imports/undo.html", run=run, form=form, titles=_titles())
    return make_response(page, 422 if form.is_submitted() else 200)


@blueprint.get("/<ref>/rows-to-correct.<any(csv, xlsx):form>")
@requires(*ADMINISTRATORS)
def correction(ref: str, form: str) -> ResponseReturnValue:
    """The rows that do not go in, with the reasons: mended, the same file can be sent again."""
    run = runs.find(db(), ref, scope())
    corrections.note_correction(db(), run)
    extra = (_("Row"), _("Why it cannot be imported"))
    in_words = partial(_in_words, kinds.kind_of(run.kind))
    sheet = preview.correction(db(), run, _("Rows to correct"), extra, in_words)
    return _file(sheet, Format(form), "rows-to-correct")
