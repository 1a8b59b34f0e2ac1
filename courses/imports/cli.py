"""The commands `flask import …`: check, import, stop, resume and undo a file of any kind."""

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from courses.imports import choices, columns, corrections, kinds, presence, presence_values, preview, runs, sheets
from courses.imports.kinds import ImportContext, ImportKind
from courses.models.imports import ImportRun, ImportState
from lms.core.errors import DomainError
from lms.core.exports import Format, Sheet, write
from lms.core.garbage import collected_on_demand
from lms.core.scope import EVERYTHING
from lms.core.transactions import commit, transaction

REFUSED_SHOWN = 20
ACCEPT_HELP = "Import months that have other figures already, and why they are not counted twice."


@click.group("import")
def cli() -> None:
    """Bring in what offices kept in spreadsheets: `flask import kinds` says what, and with which columns."""


@contextmanager
def _database() -> Iterator[Session]:
    """A transaction whose DomainError becomes a message of the command."""
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            yield db
    except DomainError as error:
        raise click.ClickException(str(error)) from error


def _kind(_context: click.Context, _option: click.Parameter, name: str) -> ImportKind:
    try:
        return kinds.kind_of(name)
    except KeyError:
        raise click.BadParameter(f"choose one of {', '.join(kind.name for kind in kinds.all_kinds())}") from None


def _meanings(pairs: tuple[str, ...]) -> dict[str, str]:
    chosen = dict(pair.rpartition("=")[::2] for pair in pairs)
    if not set(chosen.values()) <= set(presence_values.MEANINGS):
        raise click.BadParameter(f"a value means {' or '.join(presence_values.MEANINGS)}", param_hint="--meaning")
    return {presence.key(text): meaning for text, meaning in chosen.items()}


def _mapping(kind: ImportKind, pairs: tuple[str, ...]) -> dict[str, str]:
    names = {column.name for column in kind.columns}
    headings = dict(pair.partition("=")[::2] for pair in pairs)
    if unknown := set(headings) - names:
        raise click.BadParameter(
            f"no field {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}", param_hint="--mapping"
        )
    return headings


@cli.command("kinds")
def kinds_() -> None:
    """List what can be imported, with its columns; those with a star must be there."""
    for kind in kinds.all_kinds():
        click.echo(f"{kind.name}: {kind.title}")
        click.echo("  " + ", ".join(f"{column.zh} ({column.name}){'*' * column.required}" for column in kind.columns))


@cli.command("run")
@click.argument("kind", callback=_kind)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check only: say what would go in and what would not.")
@click.option("--mapping", multiple=True, metavar="FIELD=HEADING", help="Which heading holds a field.")
@click.option("--sheet", metavar="NAME", help="Which sheet of the workbook to read, where several could be meant.")
@click.option("--hidden", is_flag=True, help="Also read the hidden rows and columns of the sheet.")
@click.option("--meaning", multiple=True, metavar="VALUE=all|none", help="What a value of attendance means.")
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write refused rows here (.csv or .xlsx)."
)
@click.option("--accept-overlaps", metavar="REASON", help=ACCEPT_HELP)
@click.option("--chunk", default=ImportContext.chunk, show_default=True, help="Rows of one transaction.")
@with_appcontext
def run(  # noqa: PLR0917  # options, each by name
    kind: ImportKind, file: Path, dry_run: bool, mapping: tuple[str, ...], sheet: str | None, hidden: bool,
    meaning: tuple[str, ...], errors: Path | None, accept_overlaps: str | None, chunk: int,
) -> None:  # fmt: skip
    """Check FILE (CSV or XLSX), then let the rows in that can go in."""
    if errors is not None and errors.suffix not in {".csv", ".xlsx"}:
        raise click.BadParameter("must end with .csv or .xlsx", param_hint="--errors")
    headings, meanings = _mapping(kind, mapping), _meanings(meaning)
    with _database() as db, file.open("rb") as opened:
        row = runs.receive(
            db, kind, file=opened, file_name=file.name, scope=EVERYTHING, mapping=headings, sheet=sheet, hidden=hidden
        )
        if row.sheet_name is None:
            named = ", ".join(f"“{outline.name}”" for outline in sheets.outlines(db, row))
            raise click.ClickException(f"The file has several sheets: say which with --sheet. They are {named}.")
        choices.remap(db, row, row.mapping, meanings)
        _print_unread(db, row)
        if missing := columns.missing(row):
            named = ", ".join(f"{column.en} ({column.name})" for column in missing)
            raise click.ClickException(f"No column is found for {named}: say which with --mapping.")
        runs.check(db, row)
        run_id = row.id
    click.echo(f"Import {run_id}: {file.name}")
    _work(run_id, chunk)
    with _database() as db:
        row = runs.by_id(db, run_id)
        _print_run(row)
        if row.state is ImportState.CHECKED:
            _print_refused(db, row, errors)
            _print_overlaps(db, row)
            if dry_run or not row.tally.get("new"):
                return
            runs.start(db, row, accept_overlaps)
    _finish(run_id, chunk)


@cli.command("list")
@with_appcontext
def list_() -> None:
    """The last imports, the newest first."""
    with _database() as db:
        for row in runs.listing(db, EVERYTHING, 1).rows:
            _print_run(row)


@cli.command()
@click.argument("run_id", type=int)
@click.option("--accept-overlaps", metavar="REASON", help=ACCEPT_HELP)
@click.option("--chunk", default=ImportContext.chunk, show_default=True, help="Rows of one transaction.")
@with_appcontext
def resume(run_id: int, accept_overlaps: str | None, chunk: int) -> None:
    """Go on with an import that was stopped, killed or only checked."""
    with _database() as db:
        row = runs.by_id(db, run_id)
        if row.state in {ImportState.STOPPED, ImportState.FAILED}:
            runs.resume(db, row)
        elif row.state is ImportState.CHECKED:
            _print_overlaps(db, row)
            runs.start(db, row, accept_overlaps)
    _finish(run_id, chunk)


@cli.command()
@click.argument("run_id", type=int)
@with_appcontext
def stop(run_id: int) -> None:
    """Let whoever works at an import stop after the chunk at hand."""
    with _database() as db:
        runs.stop(db, runs.by_id(db, run_id))


@cli.command()
@click.argument("run_id", type=int)
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--chunk", default=ImportContext.chunk, show_default=True, help="Rows of one transaction.")
@with_appcontext
def undo(run_id: int, reason: str, chunk: int) -> None:
    """Take back what an import made; what has been used since is named and stays."""
    with _database() as db:
        runs.undo(db, runs.by_id(db, run_id), reason)
    _finish(run_id, chunk)
    with _database() as db:
        for note in runs.by_id(db, run_id).notes:
            click.echo(f"Kept, because it was changed since: {note}")


@cli.command()
@with_appcontext
def erase() -> None:
    """Erase files and rows of imports that ended 30 days ago; they cannot be undone any more."""
    with _database() as db:
        click.echo(f"Imports erased: {runs.erase(db)}.")


def _finish(run_id: int, chunk: int) -> None:
    _work(run_id, chunk)
    with _database() as db:
        row = runs.by_id(db, run_id)
        _print_run(row)
        failed = row.state is ImportState.FAILED
    if failed:
        sys.exit(1)


def _work(run_id: int, chunk: int) -> None:
    """Work in this process, committing each chunk."""
    context = ImportContext(current_app.config["SETTINGS"].zone, chunk)
    step = ""
    with current_app.extensions["sessions"]() as db, collected_on_demand():
        for progress in runs.work(db, run_id, context):
            commit(db)
            gc.collect()
            if progress.step != step or sys.stderr.isatty():
                click.echo(f"{progress.step}: {progress.done} of {progress.total}", err=True)
            step = progress.step
        db.rollback()


def _print_run(row: ImportRun) -> None:
    numbers = ", ".join(f"{name} {number}" for name, number in row.tally.items())
    click.echo(f"{row.id} {row.kind} {row.file_name}: {row.state}" + (f" ({numbers})" if numbers else ""))
    message, params = runs.problem(row)
    if message:
        click.echo(message % params if params else message, err=True)


def _ranges(ranges: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def _lines(lines: list[int]) -> str:
    return f"line{'s' if len(lines) > 1 else ''} {_ranges(corrections.ranges(lines))}"


def _print_unread(db: Session, row: ImportRun) -> None:
    """Say which sheet is read, what of the file is not, and what the values of attendance mean."""
    if row.sheet_name:
        click.echo(f"Sheet: {row.sheet_name}")
    skipped = sheets.skipped(row, sheets.outlines(db, row))
    for label, names in (
        ("other sheets", ", ".join(skipped.sheets)),
        ("hidden sheets", ", ".join(skipped.hidden_sheets)),
        ("hidden rows", _ranges(skipped.rows)),
        ("hidden columns", ", ".join(skipped.columns)),
        ("columns without a field", ", ".join(text or at for at, text in preview.columns_without_field(db, row))),
    ):
        if names:
            click.echo(f"Not read, {label}: {names}")
    at = row.mapping.get(kinds.kind_of(row.kind).presence_column)
    counted = presence_values.of_column(db, row, at) if at is not None else None
    for value in (counted.values or [])[: presence_values.VALUES_SHOWN] if counted else []:
        meaning = row.meanings.get(value.key, value.meaning) or "not understood, refused: say with --meaning"
        click.echo(f"Attendance “{preview.masked(value.text)}”: {value.number} rows, {meaning}")


def _print_overlaps(db: Session, row: ImportRun) -> None:
    for overlap in kinds.kind_of(row.kind).overlaps(db, row):
        click.echo(
            f"{overlap}: {overlap.entering} in the file, {overlap.balances} in opening balances,"
            f" {overlap.recorded} of recorded offerings"
        )


def _in_words(row: ImportRun, message: str, params: Mapping[str, Any]) -> str:
    return message % preview.fill_params(kinds.kind_of(row.kind), params, chinese=False) if params else message


def _print_refused(db: Session, row: ImportRun, errors: Path | None) -> None:
    for group in corrections.remarks(db, row)[:REFUSED_SHOWN]:
        click.echo(f"{_lines(group.lines)}, with a remark: {_in_words(row, group.message, group.params)}")
    if errors is None:
        for group in corrections.grouped(db, row)[:REFUSED_SHOWN]:
            click.echo(f"{_lines(group.lines)}: {_in_words(row, group.message, group.params)}")
            if group.waiting:
                click.echo(f"  {_lines(group.waiting)} wait for this")
        return
    rows = (
        [*cells, str(line), _in_words(row, message, params)]
        for line, cells, message, params in corrections.rows_to_correct(db, row)
    )
    with errors.open("wb") as file:
        number = write(
            Sheet("Rows to correct", [*row.headings, "line", "reason"], rows), Format(errors.suffix[1:]), file
        )
    click.echo(f"Rows to correct: {number}, in {errors}")
