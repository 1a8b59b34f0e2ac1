"""`flask certificates legacy`: match certificates from before this system to people, revoke and restore them.

`flask import run legacy_certificates` imports them.
"""

from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup

from certificates.legacy import legacy, matching
from lms.core.errors import DomainError
from lms.core.transactions import commit, transaction

legacy_group = AppGroup("legacy", help="Certificates from before this system, without a signed code.")


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


@legacy_group.command()
def match() -> None:
    """Match all legacy certificates to people of the register, a chunk at a time. It may be stopped and run again."""
    with current_app.extensions["sessions"]() as db:
        matched = matching.Matched()
        for progress in matching.match_all(db):
            commit(db)
            matched = progress.matched
            click.echo(f"{progress.reached} of {progress.last}")
    click.echo(f"Matched {matched.by_number} by ID number and {matched.by_phone} by phone.")


def _change(rule: Callable[..., object], number: str, reason: str) -> None:
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            rule(db, number, reason, contact=current_app.config["SETTINGS"].verification_contact)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
