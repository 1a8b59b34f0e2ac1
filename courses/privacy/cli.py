"""The command `flask retention run`: erase what the rules of retention say, as the nightly job does."""

import click
from flask import current_app
from flask.cli import with_appcontext

from courses.privacy import retention
from lms.core import clock
from lms.core.transactions import commit, transaction


@click.group("retention")
def cli() -> None:
    """The periods for which personal data is kept."""


@cli.command("run")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@with_appcontext
def run(*, dry_run: bool) -> None:
    """Erase the personal data whose period is over, in batches; it can be stopped and run again."""
    zone = current_app.config["SETTINGS"].zone
    with transaction(current_app.extensions["sessions"]) as db:
        for due in retention.overview(db):
            if due.before is None:
                click.echo(f"{due.kind.code}: kept for good")
            else:
                click.echo(f"{due.kind.code}: {due.number} due, from before {clock.day_of(due.before, zone)}")
        if dry_run:
            return
        totals: dict[str, int] = {}
        for code, number in retention.run(db):
            commit(db)
            totals[code] = totals.get(code, 0) + number
            if number:
                click.echo(f"{code}: {totals[code]} erased", err=True)
    click.echo(f"{sum(totals.values())} rows of personal data erased.")
