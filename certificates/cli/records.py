"""`flask records`: seal the tables of record, check them against their blocks, and show the last blocks."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import Engine

from certificates.branch import Branch
from certificates.records import blocks, heads, sealing, status_keys
from certificates.records.checking import Check, Finding, Standing
from lms.core import clock, records
from lms.core.errors import DomainError
from lms.core.transactions import transaction

MAX_FINDINGS_SHOWN = 1000

cli = AppGroup("records", help="Sealed records: blocks over the tables of record, signed and published.")


@cli.command()
def seal() -> None:
    """Seal now what is new in the tables of record, as the worker does each minute."""
    rows = number = 0
    engine: Engine = current_app.extensions["engine"]
    try:
        for block in sealing.seal(current_app.extensions["sessions"], engine.connect, _branch()):
            number += 1
            rows += block.row_count
            click.echo(f"{block.record_table}: block {block.number}, {block.row_count} rows")
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"sealed, but the last blocks could not be noted in the keys folder: {error}"
        ) from error
    click.echo(f"{rows} rows sealed in {number} blocks.")


@cli.command()
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of signed blocks that was kept elsewhere, one a line, as `flask records head --signed` prints them.",
)
@click.option("--table", "only", multiple=True, help="Only this table; may be given several times.")
def check(against: Path | None, only: tuple[str, ...]) -> None:
    """Compare every row of record with its sealed block; name table and row of whatever was altered.

    Exit code 1 when anything was. With the private keys on this machine each altered row is named; without them the
    block is, and rows that are missing or new.
    """
    tables = {table.name for table in records.registered()}
    if not set(only) <= tables:
        raise click.BadParameter(f"must be one of {', '.join(sorted(tables))}", param_hint="--table")
    engine: Engine = current_app.extensions["engine"]
    folder = _branch().keys_dir
    known = _noted(folder)  # read before the snapshot begins, which then has at least these
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        keys = status_keys.load(connection, folder)
        known += _kept(against, keys.public) if against is not None else []
        bar = click.progressbar(length=heads.count_rows(connection, only), label="Rows", file=sys.stderr)
        findings: list[Finding] = []
        total = 0
        with bar:
            run = Check(connection, keys, known, bar.update, only)
            for finding in run.findings():
                total += 1
                if total <= MAX_FINDINGS_SHOWN:
                    findings.append(finding)
    for finding in findings:
        click.echo(_line(finding))
    for standing in run.standings:
        click.echo(_standing(standing))
    click.echo(_key_note(keys))
    if total:
        click.echo(f"{total} findings.")
        sys.exit(1)
    click.echo("Every sealed row is as it was sealed.")


@cli.command()
@click.option("--signed", is_flag=True, help="Print the signed blocks, one a line, to be kept elsewhere.")
@click.option("--accept", is_flag=True, help="Note these as the last blocks, after a backup was restored.")
def head(signed: bool, accept: bool) -> None:
    """Show the last block of each table."""
    with transaction(current_app.extensions["sessions"]) as db:
        newest = heads.newest(db)
        if accept:
            heads.note(db, _branch().keys_dir, [table.name for table in records.registered()], accept=True)
    for each in newest:
        click.echo(each.document if signed else f"{each.table} {each.number} {each.digest} {_moment(each.sealed_at)}")


def _branch() -> Branch:
    return Branch.of(current_app.config["SETTINGS"])


def _noted(folder: Path) -> list[tuple[str, int, str]]:
    try:
        return [(table, number, digest) for table, (number, digest) in heads.noted(folder).items()]
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        click.echo(f"The last blocks that this machine noted cannot be read: {error}", err=True)
        return []


def _kept(file: Path, public: Mapping[str, bytes]) -> list[tuple[str, int, str]]:
    kept = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            claims = blocks.read(line, public)
        except ValueError:
            raise click.ClickException(f"{file}, line {number}: not a block that a key of ours signed") from None
        kept.append((claims.table, claims.number, claims.digest.hex()))
    return kept


def _line(finding: Finding) -> str:
    row = f" row {finding.key}" if finding.key is not None else ""
    block = f", block {finding.block}" if finding.block is not None else ""
    return f"{finding.table}{row}{block}: {finding.fault}"


def _standing(standing: Standing) -> str:
    if standing.sealed_until is None:
        return f"{standing.table}: not sealed yet ({standing.unsealed_rows} rows)"
    text = f"{standing.table}: {standing.sealed_rows} rows in {standing.blocks} blocks, sealed until"
    text += f" {_moment(standing.sealed_until)}"
    if standing.oldest is None:
        return text
    minutes = int((clock.now() - standing.oldest).total_seconds() // 60)
    return f"{text}; {standing.unsealed_rows} rows not sealed yet, the oldest {minutes} minutes old"


def _key_note(keys: status_keys.StatusKeys) -> str:
    absent = sorted(set(keys.public) - set(keys.private))
    if not absent:
        return "The private keys are on this machine: an altered row is named."
    return (
        f"Without the private key on this machine: {', '.join(absent)}. Of blocks that it signed, signature and digest"
        " are verified with the published key; an edited row is found, but only its block is named."
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(current_app.config["SETTINGS"].zone).strftime("%Y-%m-%d %H:%M:%S")
