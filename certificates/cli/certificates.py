"""`flask certificates`: issue what is owed, print, and check the ledger."""

import sys
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from certificates import issuing, ledger, missing_glyphs, printing, unprintable
from certificates.branch import Branch
from certificates.cli.legacy import legacy_group
from certificates.cli.offline import verify
from certificates.cli.renewal import reissue_owed, remind
from certificates.issuing import CountingPeriod
from lms.core import clock, fonts
from lms.core.errors import DomainError
from lms.core.paging import ALL
from lms.core.scope import EVERYTHING
from lms.core.transactions import transaction

MAX_FAULTS_SHOWN = 100

cli = AppGroup("certificates", help="Certificates: issuing, and the ledger of issuance.")
ledger_group = AppGroup("ledger", help="The append-only ledger of issuance.")
for command in (ledger_group, legacy_group, remind, reissue_owed, verify):
    cli.add_command(command)


day = click.DateTime(["%Y-%m-%d"])
offering_option = click.option("--offering", "offering_id", type=int, help="Only this offering's (its number).")


FORMS = {".pdf": printing.PrintFormat.PDF, ".zip": printing.PrintFormat.ZIP}


@cli.command()
@offering_option
@click.option("--from", "since", type=day, help="Only of offerings counted on or after this day.")
@click.option("--until", type=day, help="Only of offerings counted on or before this day.")
def issue(offering_id: int | None, since: datetime | None, until: datetime | None) -> None:
    """Issue all certificates that are owed, of one offering or of a period, a chunk at a time."""
    branch = Branch.of(current_app.config["SETTINGS"])
    sessions = current_app.extensions["sessions"]
    period = CountingPeriod(since.date() if since else None, until.date() if until else None)
    with transaction(sessions) as db:
        issuing.release(db, branch)
        owed = issuing.count_owed(db, offering_id, period)
    total = 0
    while True:
        try:
            with transaction(sessions) as db:
                number = issuing.issue_owed(db, branch, offering_id=offering_id, period=period)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        if number == 0:
            break
        total += number
        click.echo(f"{total} of {max(owed, total)} issued")
    with transaction(sessions) as db:
        left = issuing.count_owed(db, offering_id, period)
        held = issuing.count_held(db, offering_id, period)
    click.echo(f"Done: {total} issued, {left} still owed" + (" (another worker holds them)" if left else ""))
    if held:
        click.echo(f"{held} wait: no font has a character of the name. flask certificates unprintable names them.")


@cli.command("unprintable")
def list_unprintable() -> None:
    """Look for names that no font can print, in certificates in force and among people enrolled, and list all of them.

    Whoever can be printed now, for example with another font in FONTS_DIR, is off the list and gets the certificate.
    """
    branch = Branch.of(current_app.config["SETTINGS"])
    with transaction(current_app.extensions["sessions"]) as db:
        today = clock.today(branch.zone)
        missing_glyphs.scan(db, today)
        missing_glyphs.scan_coming(db)
        gone = issuing.release(db, branch) + missing_glyphs.sift(db, today)
        rows = unprintable.listing(db, EVERYTHING, size=ALL).rows
    for row in rows:
        texts = "; ".join(f"{name}: {fonts.named(characters)}" for name, characters in row.lacking.items())
        click.echo(f"enrolment {row.enrolment_id}, {row.stage}, {row.name}: {texts}")
    click.echo(f"{len(rows)} cannot be printed, {gone} can be printed again.")


@cli.command("print")
@offering_option
@click.option("--from", "since", type=day, help="Only issued on or after this day.")
@click.option("--until", type=day, help="Only issued on or before this day.")
@click.option("--cards", is_flag=True, help="Wallet cards on sheets for cutting, as a PDF.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def print_(offering_id: int | None, since: datetime | None, until: datetime | None, cards: bool, file: Path) -> None:
    """Write certificates to FILE: one PDF of them all (.pdf), or a ZIP with a PDF of each (.zip)."""
    forms = {".pdf": printing.PrintFormat.CARDS} if cards else FORMS
    form = forms.get(file.suffix)
    if form is None:
        raise click.BadParameter(f"must end with {' or '.join(forms)}", param_hint="FILE")
    sessions = current_app.extensions["sessions"]
    selection = printing.PrintSelection(offering_id, since.date() if since else None, until.date() if until else None)
    try:
        with transaction(sessions) as db:
            ids = printing.select_ids(db, EVERYTHING, selection, form)
        with file.open("wb") as out:
            out.writelines(printing.stream(sessions, ids, Branch.of(current_app.config["SETTINGS"]), form))
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(ids)} certificates in {file}")


@ledger_group.command()
@click.option("--names", is_flag=True, help="Compare each holder's name with its tag too: 5 ms each.")
def check(names: bool) -> None:
    """Verify the whole chain, and each certificate against what was signed and what the audit trail tells of it.

    Exit code 1 when anything was edited.
    """
    faults = 0
    with transaction(current_app.extensions["sessions"]) as db:
        for fault in ledger.check(db, names=names):
            faults += 1
            if faults <= MAX_FAULTS_SHOWN:
                place = f"line {fault.seq}" if fault.seq is not None else "no line"
                click.echo(f"{place}, certificate {fault.number or '?'}: {fault.what}")
    if faults:
        click.echo(f"{faults} faults found.")
        sys.exit(1)
    click.echo("The ledger is whole; every certificate is as it was signed, and stands as the audit trail tells.")
