"""`flask demo load`: a year to look at."""

from random import Random

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from certificates.branch import Branch
from lms.accounts.models import User
from lms.core import clock, events
from lms.core.db import transaction
from lms.demo import staff as demo_staff
from lms.demo.year import Year


@click.group("demo")
def cli() -> None:
    """Data to try the system with."""


@cli.command("load")
@click.option("--seed", default=1904, show_default=True, help="The same seed makes the same year.")
@with_appcontext
def load(seed: int) -> None:
    """Load a demo year into an empty database; all of it or nothing."""
    settings = current_app.config["SETTINGS"]
    with transaction(current_app.extensions["sessions"]) as db:
        if db.scalar(select(func.count()).select_from(User)):
            raise click.ClickException("This database has users already; the demo is for an empty one.")
        random = Random(seed)  # noqa: S311  # invented people, not secrets
        now = clock.now()
        password = demo_staff.new_password()
        staff = demo_staff.hire(db, random, clock.day_of(now, settings.zone), password)
        year = Year(db, Branch.of(settings), staff, random, now)
        year.prepare()
        with click.progressbar(year.load(), length=len(year), label="A year of training", show_eta=False) as steps:
            for _ in steps:
                pass
        demo_staff.lend_record(db, staff, year.somebody_certified())
        events.discard(db)  # all that was owed is done; the queue need not hear of it
    demo_staff.write_accounts(settings.instance_dir, staff, password)
    click.echo(f"Demo accounts: {settings.instance_dir / demo_staff.ACCOUNTS_FILE}")
