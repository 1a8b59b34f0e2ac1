"""`flask certificates legacy`: revoke and restore certificates from before this system.

`flask import run legacy_certificates` imports them.
"""

from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup

from certificates.legacy import legacy
from lms.core.errors import DomainError
from lms.core.transactions import transaction

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


def _change(rule: Callable[..., object], number: str, reason: str) -> None:
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            rule(db, number, reason, contact=current_app.config["SETTINGS"].verification_contact)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
