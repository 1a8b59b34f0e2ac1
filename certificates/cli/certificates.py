"""`flask certificates`: issue what is owed, and check the ledger."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from certificates import issuing, ledger
from certificates.branch import Branch
from certificates.cli.legacy import legacy_group
from certificates.cli.renewal import reissue, remind
from lms.core.db import transaction
from lms.core.errors import DomainError

SHOWN_FAULTS = 100

cli = AppGroup("certificates", help="Certificates: issuing, and the ledger of issuance.")
ledger_group = AppGroup("ledger", help="The append-only ledger of issuance.")
for command in (ledger_group, legacy_group, remind, reissue):
    cli.add_command(command)


@cli.command()
@click.option("--offering", "offering_id", type=int, help="Only this offering's (its number).")
def issue(offering_id: int | None) -> None:
    """Issue all certificates that are owed, a chunk at a time."""
    branch = Branch.of(current_app.config["SETTINGS"])
    sessions = current_app.extensions["sessions"]
    total = 0
    while True:
        try:
            with transaction(sessions) as db:
                number = issuing.issue_owed(db, branch, offering_id=offering_id)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        if number == 0:
            break
        total += number
        click.echo(f"{total} issued")
    with transaction(sessions) as db:
        left = issuing.count_owed(db, offering_id)
    click.echo(f"Done: {total} issued, {left} still owed" + (" (another worker holds them)" if left else ""))


@ledger_group.command()
@click.option("--names", is_flag=True, help="Compare each holder's name with its tag too: 5 ms each.")
def check(names: bool) -> None:
    """Verify the whole chain and each certificate against what was signed. Exit code 1 when anything was edited."""
    faults = 0
    with transaction(current_app.extensions["sessions"]) as db:
        for fault in ledger.check(db, names=names):
            faults += 1
            if faults <= SHOWN_FAULTS:
                place = f"line {fault.seq}" if fault.seq is not None else "no line"
                click.echo(f"{place}, certificate {fault.number or '?'}: {fault.what}")
    if faults:
        click.echo(f"{faults} faults found.")
        sys.exit(1)
    click.echo("The ledger is whole; every certificate is as it was signed.")
