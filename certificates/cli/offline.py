"""`flask certificates verify --offline`: judge a code with the published files alone.

The command needs no database and no settings. A person who has this code, the keys and the lists runs

    flask --app wsgi certificates verify --offline --keys jwks.json --status FOLDER --types certificate-types.json DIGITS

`wsgi` then provides the small application of this module, which `--app certificates.cli.offline` names as well.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import Flask
from flask.cli import AppGroup

from certificates.payload import Payload
from certificates.states import State
from certificates.verification import offline, type_table
from certificates.verification.offline import OfflineVerdict
from certificates.verification.reading import digits_in
from certificates.verification.type_table import TypeTable
from lms.core import clock
from lms.core.errors import DomainError

REASON_TEXTS = {
    "key_unknown": "unknown key: fetch the newest jwks.json, then ask again",
    "key_compromised": "its key is marked compromised: ask online, where the ledger of issuance tells",
    "status_missing": "no status list for it: whether it was revoked or superseded is not known",
    "unreadable": "cannot be read: give the 198 digits of the code, or the whole address",
    "signature_wrong": "we did not sign this code",
    "outside_window": "its issue day is outside the key's window",
}


@click.command("verify")
@click.option("--offline", is_flag=True, required=True, expose_value=False, help="With the published files alone.")
@click.option("--keys", "keys_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--status", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option(
    "--types",
    "types_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The published certificate-types.json: type and unit in words, and the number.",
)
@click.option("--name", help="The name on the paper, to compare.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Where the branch's days begin.")
@click.argument("code")
def verify(*, keys_file: Path, folder: Path, types_file: Path | None, name: str | None, zone: str, code: str) -> None:
    """Judge CODE: 198 digits, or the whole address.

    Exit code 0 for a valid one (and a name that fits); 2 where it would be valid, and the lists are missing or too old to tell
    whether it was revoked since; else 1.
    """
    try:
        keys = offline.read_keys(keys_file.read_text(encoding="utf-8"))
        lists = offline.read_lists(folder, keys)
        types = type_table.read(types_file.read_text(encoding="utf-8"), keys.others) if types_file else None
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    today = clock.today(ZoneInfo(zone))
    verdict = offline.verify(digits_in(code) or "", keys, lists, now=clock.now(), today=today)
    _print_verdict(verdict, types)
    name_matches = offline.name_matches_code(verdict, name) if name else None
    if name:
        click.echo("name: " + {True: "yes", False: "no", None: "cannot be compared"}[name_matches])
    if verdict.state is not State.VALID or (name and not name_matches):
        sys.exit(1)
    sys.exit(0 if verdict.is_current else 2)


def _print_verdict(verdict: OfflineVerdict, types: TypeTable | None) -> None:
    state = verdict.state.value if verdict.state is not None else "undecided"
    is_doubtful = verdict.state is State.VALID and not verdict.is_current
    click.echo(f"{state}, unless that changed" if is_doubtful else state)
    if verdict.reason in REASON_TEXTS:
        click.echo(REASON_TEXTS[verdict.reason])
    if verdict.payload is not None and verdict.reason != "key_unknown":
        _print_signed(verdict.payload, types)
    if verdict.as_of is not None:
        warning = ", which is too old to rely on: fetch the lists again" if verdict.stale else ""
        click.echo(f"status as of {verdict.as_of:%Y-%m-%d %H:%M} UTC{warning}")


def _print_signed(signed: Payload, types: TypeTable | None) -> None:
    known = types.types.get(signed.certificate_type) if types else None
    unit = types.units.get(signed.unit) if types else None
    number = types.number_of(signed) if types else None
    kind = f"{known['name']['zh']} {known['name']['en']}" if known else f"no. {signed.certificate_type}"
    click.echo(f"type: {kind}")
    click.echo(f"unit: {unit['zh']} {unit['en']}" if unit else f"unit: no. {signed.unit}")
    click.echo(f"number {number}" if number else f"serial {signed.serial}")
    click.echo(f"issued {signed.issued_on}, last valid day {signed.valid_until or 'none'}")


def is_requested(command: Sequence[str]) -> bool:
    """Tell whether this command line is a `flask` command that verifies, and so needs neither settings nor a database."""
    return click.get_current_context(silent=True) is not None and ("certificates", "verify") in pairwise(command)


def create_app() -> Flask:
    """Create an application with this command alone."""
    app = Flask("offline")
    group = AppGroup("certificates", help="Verify certificates without us.")
    group.add_command(verify)
    app.cli.add_command(group)
    return app
