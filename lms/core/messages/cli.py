"""The command `messages`: look at the queue of messages, and send again what was put aside."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from lms.core.messages import owing, repeating, standing
from lms.core.transactions import transaction


@click.group("messages")
def cli() -> None:
    """The messages to people: what waits, what was not delivered."""


@cli.command("status")
@with_appcontext
def status() -> None:
    """Print how many messages wait, for how long, and how many were not delivered."""
    with transaction(current_app.extensions["sessions"]) as db:
        click.echo(json.dumps(standing.as_json(standing.read(db)), indent=2))


@cli.command("purposes")
@with_appcontext
def purposes() -> None:
    """Print the purposes that an SMS gateway needs a template for, with the template's parameters in their order."""
    for purpose in owing.purposes():
        if purpose.parameters:
            click.echo(f"{purpose.code}: {', '.join(purpose.parameters)}")


@cli.command("retry")
@click.option("--purpose", help="Only messages of this purpose, for example ticket.")
@click.option("--reason", help="Only messages that were put aside for this reason, for example no_template.")
@click.option("--to-call", is_flag=True, help="Also the messages on the list of people to call.")
@with_appcontext
def retry(purpose: str | None, reason: str | None, to_call: bool) -> None:
    """Send messages again that were put aside in the last 30 days."""
    with transaction(current_app.extensions["sessions"]) as db:
        count = repeating.retry(db, purpose=purpose, reason=reason, to_call=to_call)
    click.echo(f"{count} messages wait again.")
