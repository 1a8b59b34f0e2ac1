"""`flask certificates remind` and `reissue`: run by hand what the worker does on its schedule."""

import click
from flask import current_app
from flask.cli import with_appcontext

from certificates import reissue, reminders
from certificates.branch import Branch
from certificates.legacy import reminders as legacy_reminders
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.masks import mask_email, mask_phone
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address
from lms.core.transactions import transaction


@click.command()
@click.option("--dry-run", is_flag=True, help="Show whom it would remind, and remind nobody.")
@with_appcontext
def remind(dry_run: bool) -> None:
    """Remind holders whose certificates end soon: once at each distance of REMINDER_DAYS."""
    settings = current_app.config["SETTINGS"]
    sessions = current_app.extensions["sessions"]
    if dry_run:
        with transaction(sessions) as db:
            today = clock.today(settings.zone)
            due_reminders = reminders.due(db, settings.reminder_days, today=today)
            legacy_due = legacy_reminders.due(db, settings.reminder_days, today=today)
        for reminder in due_reminders:
            click.echo(
                f"{reminder.certificate.number}: {reminder.days_left} days left, reminder of {reminder.days_before} days"
                f" to {_masked(reminder.recipient.addresses[0])}"
            )
        for row, distance in legacy_due:
            left = (row.valid_until - today).days if row.valid_until is not None else 0
            click.echo(f"{row.number} (legacy): {left} days left, reminder of {distance} days")
        click.echo(f"Dry run: {len(due_reminders) + len(legacy_due)} reminders are due. Nobody was reminded.")
        return
    total = 0
    for rule in (reminders.remind, legacy_reminders.remind):
        while True:
            with transaction(sessions) as db:
                number = rule(db, settings.reminder_days, zone=settings.zone)
            if number == 0:
                break
            total += number
    click.echo(f"{total} reminders are on their way.")


@click.command("reissue")
@with_appcontext
def reissue_owed() -> None:
    """Make the corrected certificates that are owed."""
    branch = Branch.of(current_app.config["SETTINGS"])
    total = 0
    while True:
        try:
            with transaction(current_app.extensions["sessions"]) as db:
                number = reissue.issue_owed(db, branch)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        if number == 0:
            break
        total += number
    click.echo(f"{total} corrections dealt with.")


def _masked(address: Address) -> str:
    return mask_email(address.value) if address.channel is Channel.EMAIL else mask_phone(address.value)
