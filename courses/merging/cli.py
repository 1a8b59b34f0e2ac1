"""The command `flask same-people find`: find records that may be of one person, as the nightly job does."""

import click
from flask import current_app
from flask.cli import with_appcontext

from courses.merging import finding
from lms.core.transactions import commit, transaction


@click.group("same-people")
def cli() -> None:
    """Records that may be of one person."""


@cli.command("find")
@click.option("--all-hosts", is_flag=True, help="Also the hosts whose turn is on another night.")
@with_appcontext
def find(*, all_hosts: bool) -> None:
    """Find pairs of records; administrators see them under “Trainees”. It can be stopped and run again."""
    pairs = 0
    with transaction(current_app.extensions["sessions"]) as db:
        for number in finding.search(db, all_hosts=all_hosts):
            commit(db)
            pairs += number
    click.echo(f"{pairs} pairs of records found.")
