"""The pages of imports: choose a kind, send a file, see how it is read, check it, import it, stop, resume, undo.

A file of several sheets waits for the choice of one; a checked import may go back to its columns and meanings.
"""

import io
import tempfile
from functools import partial
from pathlib import PurePath
from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.imports import choices, corrections, files, kinds, labels, presence_values, preview, runs, sheets
from courses.imports import columns as file_columns
from courses.imports.corrections import RowGroup
from courses.imports.forms import (
    NONE,
    PREFIX,
    ColumnsForm,
    ImportFileForm,
    MeaningsForm,
    OverlapsForm,
    SheetForm,
    UndoForm,
    columns_form,
    meanings_form,
    sheet_form,
)
from courses.imports.kinds import ImportKind
from courses.imports.presence_values import ColumnValues
from courses.imports.views.known_values import matching
from courses.imports.views.rows import in_words
from courses.models.imports import ImportRun, ImportState
from lms.core import edge
from lms.core.access import holds, requires, scope
from lms.core.error_pages import refuse
from lms.core.exports import MEDIA_TYPES, Format, Sheet, write
from lms.core.form_errors import refused_on
from lms.core.languages import language, whole
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS

blueprint = Blueprint("imports", __name__)

REFRESH_SECONDS = 2
GROUPS_SHOWN = 20
UNDOING = {ImportState.UNDOING, ImportState.UNDONE}
FORM_BYTES = 64 * 1024  # the other fields and the boundaries of a multipart request
IN_MEMORY = 4 * 1024 * 1024  # bytes; a larger download goes through a temporary file


@blueprint.url_value_preprocessor
def _allow_large_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Raise the limit of the request body before Flask-WTF reads the form to check its token."""
    if endpoint == "imports.new":
        request.max_content_length = current_app.config["SETTINGS"].import_limit_bytes + FORM_BYTES


@blueprint.get("/")
@requires(*ADMINISTRATORS)
def index() -> str:
    """List the imports, the newest first; with `?left=1` those with something left to do."""
    left = request.args.get("left") == "1"
    listing = runs.listing(db(), scope(), request.args.get("page", 1, type=edge.page_number), left=left)
    return render_template("imports/index.html", listing=listing, left=left, titles=_titles(), **_template_values())


def _titles() -> dict[str, str]:
    return {kind.name: _(kind.title) for kind in kinds.all_kinds()}


def _template_values() -> dict[str, Any]:
    return {
        "states": labels.STATES,
        "tally": labels.tally,
        "whole": whole,
        "ImportState": ImportState,
        "masked": preview.masked,
    }


@blueprint.get("/new")
@requires(*ADMINISTRATORS)
def choose() -> str:
    """Choose the kind of an import."""
    return render_template("imports/choose.html", kinds=preview.available_kinds(scope()))


@blueprint.route("/new/<kind>", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def new(kind: str) -> ResponseReturnValue:
    """Send a file of a kind."""
    chosen = preview.available_kind(kind, scope())
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


def _largest(kind: ImportKind) -> int:
    return min(int(current_app.config["SETTINGS"].import_limit_bytes), kind.largest)


def _new(kind: ImportKind, form: ImportFileForm, status: int) -> ResponseReturnValue:
    limit = _largest(kind) >> 20
    page = render_template("imports/new.html", form=form, kind=kind, heading=_heading, limit=limit)
    return make_response(page, status)


@blueprint.errorhandler(413)
def _too_large(_error: Exception) -> ResponseReturnValue:
    """Answer a request whose body is too large: an administrator sees the form again, where another file can be chosen.

    The sender may be anybody: the access check of the view has not run.
    """
    name = (request.view_args or {}).get("kind")
    chosen = next((kind for kind in kinds.all_kinds() if kind.name == name), None)
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
    """Download the template of a kind: the headings and an example row."""
    chosen = preview.available_kind(kind, scope())
    sheet = preview.template(chosen, _(chosen.title), chinese=language() == "zh")
    return _file(sheet, Format(form), f"{chosen.name}-template")


def _file(sheet: Sheet, form: Format, name: str) -> ResponseReturnValue:
    buffer = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed after the response
    write(sheet, form, buffer)
    size = buffer.tell()
    buffer.seek(0)
    if size > IN_MEMORY:
        answer = send_file(buffer, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=f"{name}.{form}")
        answer.call_on_close(buffer.close)
        return answer
    with buffer:
        content = io.BytesIO(buffer.read())
    return send_file(content, mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=f"{name}.{form}")


@blueprint.get("/<ref>")
@requires(*ADMINISTRATORS)
def page(ref: str) -> ResponseReturnValue:
    """Show the state of an import, and the actions that are possible now."""
    run = runs.find(db(), ref, scope())
    return _page(run, _columns(run))


def _columns(run: ImportRun) -> ColumnsForm:
    """Return the form of the columns, with the values of the column that the user chooses now, or chose before."""
    kind = kinds.kind_of(run.kind)
    chinese = language() == "zh"
    form = columns_form(kind.columns, run.headings, run.mapping, chinese=chinese)
    if not kind.presence_column:
        return form
    counted = _values(run, form[PREFIX + kind.presence_column].data)
    if counted is None or counted.values is None:
        return form
    meanings = {**file_columns.remembered(db(), run).meanings, **run.meanings}
    return columns_form(kind.columns, run.headings, run.mapping, counted.values, meanings, chinese=chinese)


def _values(run: ImportRun, at: int | None) -> ColumnValues | None:
    """Return the counted values of a column; None where there is no column, and once they are erased."""
    return None if at is None or at == NONE else presence_values.of_column(db(), run, at)


def _page(
    run: ImportRun,
    form: ColumnsForm,
    status: int = 200,
    *,
    decision: OverlapsForm | None = None,
    choice: SheetForm | None = None,
) -> ResponseReturnValue:
    kind = kinds.kind_of(run.kind)
    received = run.state is ImportState.RECEIVED and run.erased_at is None
    checked = labels.is_checked(run) and run.erased_at is None and run.state not in UNDOING
    problem, params = runs.problem(run)
    outlines = preview.outlines(db(), run)
    refused = corrections.grouped(db(), run) if checked else []
    page = render_template(
        "imports/page.html",
        run=run,
        kind=kind,
        form=form,
        counted=_values(run, run.mapping.get(kind.presence_column)) if received else None,
        listed=presence_values.VALUES_SHOWN,
        mapped=run.mapping.get(kind.presence_column) is not None,
        choice=choice or sheet_form(outlines, run.sheet_name, hidden=run.hidden),
        outlines=outlines,
        skipped=sheets.skipped(run, outlines),
        without_field=[] if run.sheet_name is None else preview.columns_without_field(db(), run),
        overlaps=kind.overlaps(db(), run) if run.state is ImportState.CHECKED and not run.erased_at else [],
        decision=decision or OverlapsForm(formdata=None),
        required={column.name for column in kind.columns if column.required},
        first_rows=preview.first_rows(db(), run) if received else [],
        refused=[_group(kind, group) for group in refused[:GROUPS_SHOWN]],
        wrong_number=sum(group.number for group in refused),
        waiting_number=sum(group.waiting_number for group in refused),
        corrected=sum(map(len, files.corrected(db(), run).values())) if choices.may_reopen(run) else 0,
        matching=matching(run) if choices.may_reopen(run) else None,
        refused_groups=len(refused),
        refused_number=run.tally.get("refused", 0) + run.tally.get("double", 0),
        remarks=[_group(kind, group) for group in corrections.remarks(db(), run)[:GROUPS_SHOWN]] if checked else [],
        unknown=_unknown(run),
        problem=in_words(kind, problem, params) if problem else "",
        busy=run.state in runs.BUSY,
        step=_step(run, kind),
        finished=runs.FINISHED,
        can_undo=_can_undo(run),
        may_resume=runs.may_resume(run),
        may_reopen=choices.may_reopen(run),
        destination=labels.DESTINATIONS.get(run.kind),
        seconds=REFRESH_SECONDS,
        labels=labels,
        **_template_values(),
    )
    return make_response(page, status)


def _unknown(run: ImportRun) -> tuple[MeaningsForm, list[presence_values.Value]] | None:
    """Return the values that the check did not understand, with the form that gives them a meaning."""
    if not choices.may_reopen(run) or not kinds.kind_of(run.kind).presence_column:
        return None
    values = presence_values.refused(db(), run)
    return (meanings_form(values, {}), values) if values else None


def _group(kind: ImportKind, group: RowGroup) -> tuple[RowGroup, str]:
    return group, in_words(kind, group.message, group.params)


def _step(run: ImportRun, kind: ImportKind) -> tuple[int, int]:
    """Return the number of the current step, from 1, and the number of steps."""
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


@blueprint.post("/<ref>/sheet")
@requires(*ADMINISTRATORS)
def sheet(ref: str) -> ResponseReturnValue:
    """Choose the sheet that is read, and whether its hidden rows and columns are."""
    run = runs.find(db(), ref, scope())
    form = sheet_form(sheets.outlines(db(), run), None, hidden=False)
    if form.validate_on_submit():
        with refused_on(form):
            choices.choose_sheet(db(), run, form.sheet.data, hidden=form.hidden.data)
            return redirect(url_for(".page", ref=ref))
    return _page(run, _columns(run), 422, choice=form)


@blueprint.post("/<ref>/columns")
@requires(*ADMINISTRATORS)
def columns(ref: str) -> ResponseReturnValue:
    """Save which column holds which field and what values mean, then request the check, which changes no record.

    With the button `look` the file is not checked: the page shows the values of the column that was chosen.
    """
    run = runs.find(db(), ref, scope())
    form = _columns(run)
    if form.validate_on_submit():
        choices.remap(db(), run, form.mapping(), form.meanings())
        missing = {column.name for column in file_columns.missing(run)}
        if "look" in request.form:
            return redirect(url_for(".page", ref=ref, _anchor="values"))
        if not missing:
            runs.check(db(), run)
            return redirect(url_for(".page", ref=ref))
        for field in form:
            if field.name.removeprefix(PREFIX) in missing:
                field.errors = [*field.errors, _("Choose a column for this field.")]
    return _page(run, form, 422)


@blueprint.post("/<ref>/meanings")
@requires(*ADMINISTRATORS)
def meanings(ref: str) -> ResponseReturnValue:
    """Give values that the check did not understand a meaning, and check the file again."""
    run = runs.find(db(), ref, scope())
    form = meanings_form(presence_values.refused(db(), run), {})
    if not form.validate_on_submit():
        return _page(run, _columns(run), 422)
    choices.reopen(db(), run)
    choices.remap(db(), run, run.mapping, {**run.meanings, **form.meanings()})
    runs.check(db(), run)
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/reopen")
@requires(*ADMINISTRATORS)
def reopen(ref: str) -> ResponseReturnValue:
    """Go back to the choice of sheet, columns and meanings."""
    choices.reopen(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/start")
@requires(*ADMINISTRATORS)
def start(ref: str) -> ResponseReturnValue:
    """Request the import of the new rows; figures that overlap with existing ones need a reason."""
    run = runs.find(db(), ref, scope())
    form = OverlapsForm()
    if kinds.kind_of(run.kind).overlaps(db(), run) and not form.validate():
        return _page(run, _columns(run), 422, decision=form)
    runs.start(db(), run, form.reason.data)
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/stop")
@requires(*ADMINISTRATORS)
def stop(ref: str) -> ResponseReturnValue:
    """Request a stop after the current chunk."""
    runs.stop(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.post("/<ref>/resume")
@requires(*ADMINISTRATORS)
def resume(ref: str) -> ResponseReturnValue:
    """Request that the import continues where it stopped."""
    runs.resume(db(), runs.find(db(), ref, scope()))
    return redirect(url_for(".page", ref=ref))


@blueprint.route("/<ref>/undo", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def undo(ref: str) -> ResponseReturnValue:
    """Request the undo of an import, with a reason."""
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
    """Download the refused rows with their reasons, all or those with one; once corrected, the file can be sent again."""
    run = runs.find(db(), ref, scope())
    digest = request.args.get("group")
    group = corrections.group(db(), run, digest) if digest else None
    corrections.audit_download(db(), run)
    extra = (_("Row"), _("Why it cannot be imported"))
    worded = partial(in_words, kinds.kind_of(run.kind))
    sheet = preview.correction_sheet(db(), run, _("Rows to correct"), extra, worded, of_group=group)
    return _file(sheet, Format(form), "rows-to-correct")
