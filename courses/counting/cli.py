"""The commands `flask person-time check` and `flask person-time freeze`."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from courses.counting import quarters, recount
from courses.counting.quarters import Quarter
from lms.core.errors import DomainError
from lms.core.transactions import transaction


@click.group("person-time")
def cli() -> None:
    """The figures that the branch answers for."""


@cli.command()
@with_appcontext
def check() -> None:
    """Recount each figure of the reports from the rows it is derived from; exit 1 when a stored one differs."""
    differences = 0
    sessions = current_app.extensions["sessions"]
    with transaction(sessions) as db:
        ranges = recount.ranges(db)
        total = sum(part.offerings for part in ranges)
        with click.progressbar(length=total, label="Recounting", file=sys.stderr) as bar:
            for part, differing in zip(ranges, recount.check_all(sessions, ranges), strict=True):
                bar.update(part.offerings)
                for difference in differing:
                    differences += 1
                    click.echo(
                        f"Offering {difference.offering_id} ({difference.course}, {difference.host}): "
                        f"{difference.figure} is {difference.in_ledger} in the ledger, {difference.recounted} recounted"
                    )
        checks = recount.check_rollups(db)
        with click.progressbar(checks, recount.ROLLUP_STEPS, "Kept totals", file=sys.stderr) as steps:
            for stale in (difference for step in steps for difference in step):
                differences += 1
                click.echo(f"Kept total {stale.place} is {stale.stored}, recounted {stale.recounted}")
    if differences:
        click.echo(f"{differences} differences in {total} offerings.", err=True)
        sys.exit(1)
    click.echo(f"{total} offerings recounted: no difference.")


@cli.command()
@click.argument("quarter", metavar="2026Q3")
@with_appcontext
def freeze(quarter: str) -> None:
    """Freeze a quarter that is over: later corrections to it become adjustments in the open one."""
    try:
        parsed = Quarter.parse(quarter)
    except ValueError:
        raise click.BadParameter("write a quarter as 2026Q3", param_hint="quarter") from None
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            quarters.freeze(db, parsed, current_app.config["SETTINGS"].zone)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{parsed} is frozen.")
