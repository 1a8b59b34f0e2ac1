"""`flask demo load`: a year to look at, or ten at the branch's size."""

import sys
from datetime import datetime
from itertools import groupby
from random import Random
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from certificates.branch import Branch
from courses.counting import frozen_figures
from courses.counting.quarters import Quarter
from courses.models.quarters import FrozenQuarter
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock, crypto, events
from lms.core.messages.models import Message
from lms.core.transactions import transaction
from lms.demo import staff as demo_staff
from lms.demo.decade.making import Decade, Size
from lms.demo.year import Year

SMALLEST, LARGEST = 0.001, 10.0


@click.group("demo")
def cli() -> None:
    """Data to try the system with."""


class _Scale(click.ParamType[float]):
    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`full` is 1."""
        try:
            scale = 1.0 if value == "full" else float(value)
        except ValueError:
            scale = 0.0
        if not SMALLEST <= scale <= LARGEST:
            self.fail(f"{value!r}: write full, or a number from {SMALLEST} to {LARGEST}", param, ctx)
        return scale


@cli.command("load")
@click.option("--seed", default=1904, show_default=True, help="The same seed makes the same data.")
@click.option(
    "--scale",
    type=_Scale(),
    help="Instead of a year, the ten years to the end of 2017 at a part of the branch's size: full, 0.1, 0.01 …",
)
@click.option("--living", is_flag=True, help="With --scale: the demo year, too, on top of the ten years.")
@with_appcontext
def load(seed: int, scale: float | None, living: bool) -> None:
    """Load a demo year, or ten years, into an empty database; all of it or nothing."""
    if living and scale is None:
        raise click.UsageError("--living goes with --scale; without it, the demo year is what is loaded.")
    settings = current_app.config["SETTINGS"]
    with transaction(current_app.extensions["sessions"]) as db:
        if db.scalar(select(func.count()).select_from(User)):
            raise click.ClickException("This database has users already; the demo is for an empty one.")
        random = Random(seed)  # noqa: S311  # invented people, not secrets
        now = clock.now()
        password = demo_staff.new_password()
        staff = demo_staff.hire(db, random, clock.day_of(now, settings.zone), password)
        person = None if scale is None else _load_decade(db, scale, seed)
        if scale is None or living:
            person = _load_year(db, staff, random, now)
        if person is not None:
            demo_staff.lend_record(db, staff, person)
        db.execute(delete(Message))  # nobody is told of a year that is over
        events.discard(db)  # all that was owed is done; the queue need not hear of it
    demo_staff.write_accounts(settings.instance_dir, staff, password)
    click.echo(f"Demo accounts: {settings.instance_dir / demo_staff.ACCOUNTS_FILE}")


def _load_year(db: Session, staff: demo_staff.Staff, random: Random, now: datetime) -> Trainee:
    year = Year(db, Branch.of(current_app.config["SETTINGS"]), staff, random, now)
    year.prepare()
    with click.progressbar(year.load(), length=len(year), label="A year of training", show_eta=False) as steps:
        for _ in steps:
            pass
    return year.somebody_certified()


def _load_decade(db: Session, scale: float, seed: int) -> Trainee | None:
    """Rows are made on a connection of their own, so that making and writing go on at the same time."""
    engine: Engine = current_app.extensions["engine"]
    db.flush()
    source = engine.raw_connection()
    try:
        decade = Decade(
            source.driver_connection,  # type: ignore[arg-type]
            db.connection().connection.driver_connection,  # type: ignore[arg-type]
            Size(scale),
            crypto.cipher(),
            seed=seed,
            zone=current_app.config["SETTINGS"].zone,
        )
        for name, steps in groupby(decade.make(), key=lambda step: step.name):
            with click.progressbar(length=1, label=f"{name:<20}", file=sys.stderr) as bar:
                for step in steps:
                    bar.length = max(step.total, 1)
                    bar.update(step.done - bar.pos)
        for frozen in db.scalars(select(FrozenQuarter).order_by(FrozenQuarter.year, FrozenQuarter.quarter)):
            frozen_figures.store(db, Quarter(frozen.year, frozen.quarter), frozen.frozen_at)
        return db.get(Trainee, decade.somebody_certified())
    finally:
        source.invalidate()  # its temporary tables end with it
