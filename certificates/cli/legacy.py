"""`flask certificates legacy`: certificates from before this system."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from certificates import legacy, legacy_import
from certificates.branch import Branch
from lms.core.db import transaction
from lms.core.errors import DomainError

SHOWN = 100

legacy_group = AppGroup("legacy", help="Certificates from before this system, without a signed code.")


@legacy_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check everything, keep nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows although there are bad ones.")
def load(file: Path, dry_run: bool, skip_bad: bool) -> None:
    """Import a CSV or XLSX file: all of its rows, or none unless --skip-bad. Each bad row is named by line and reason."""
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            imported, bad = _load(db, file)
            kept = not dry_run and (skip_bad or not bad)
            if not kept:
                db.rollback()
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    if bad > SHOWN:
        click.echo(f"… and {bad - SHOWN} more")
    if dry_run:
        click.echo(f"Dry run: {imported} rows are good, {bad} are bad. Nothing was imported.")
    elif kept:
        click.echo(f"{imported} imported, {bad} bad rows left out.")
    else:
        click.echo(f"Nothing was imported: {bad} bad rows. Mend them, or import the other {imported} with --skip-bad.")
    if bad and not kept:
        sys.exit(1)


def _load(db: Session, file: Path) -> tuple[int, int]:
    """Import, naming the first bad rows; how many rows went in, and how many are bad."""
    imported = bad = 0
    for step in legacy_import.load(db, file, Branch.of(current_app.config["SETTINGS"]).scheme):
        imported += step.imported
        for row in step.bad:
            bad += 1
            if bad <= SHOWN:
                click.echo(f"line {row.line}: {row.reason}")
    return imported, bad


@legacy_group.command()
@click.argument("number")
@click.option("--reason", required=True)
def revoke(number: str, reason: str) -> None:
    """Take a legacy certificate back."""
    _change(legacy.revoke, number, reason)
    click.echo(f"{number} is revoked.")


@legacy_group.command()
@click.argument("number")
@click.option("--reason", required=True)
def restore(number: str, reason: str) -> None:
    """Undo the revocation of a legacy certificate."""
    _change(legacy.restore, number, reason)
    click.echo(f"{number} is not revoked any more.")


def _change(rule: Callable[[Session, str, str], object], number: str, reason: str) -> None:
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            rule(db, number, reason)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
