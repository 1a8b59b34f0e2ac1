"""`flask user …`: accounts from the command line, for the first administrator and for scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.accounts import places, second_factors, users
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core.constraints import refusal_of
from lms.core.errors import DomainError
from lms.core.phones import normalise_phone
from lms.core.scope import EVERYTHING, Role
from lms.core.transactions import transaction


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """A session that commits at the end. A refusal by a rule or a constraint prints one line and exits with 1."""
    try:
        with transaction(current_app.extensions["sessions"]) as db:
            yield db
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    except IntegrityError as error:
        known_refusal = refusal_of(error)
        if known_refusal is None:
            raise
        raise click.ClickException(str(known_refusal)) from None


@click.group("user")
def cli() -> None:
    """Accounts: create, disable, reset a second factor, list."""


@cli.command()
@click.option("--name", required=True)
@click.option("--email")
@click.option("--phone")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--district", help="Number, GB/T 2260 code or name; for a district administrator.")
@click.option("--organisation", help="Number or name; for a coordinator.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh")
@click.option(
    "--password-file",
    type=click.File(),
    help="A file whose first line is the password; - reads standard input. Asked for when left out.",
)
@with_appcontext
def create(
    *,
    name: str,
    email: str | None,
    phone: str | None,
    role: str,
    district: str | None,
    organisation: str | None,
    language: str,
    password_file: TextIO | None,
) -> None:
    """Make an account with one role and a password. The operator vouches for its contacts, which count as proven by staff."""
    if phone is not None:
        try:
            phone = normalise_phone(phone)
        except ValueError:
            raise click.ClickException(f"{phone} is not a phone number") from None
    for option, value, wanted_by in (
        ("--district", district, Role.DISTRICT_ADMINISTRATOR),
        ("--organisation", organisation, Role.COORDINATOR),
    ):
        if (role == wanted_by) != (value is not None):
            raise click.ClickException(
                f"{option} is missing; {role} needs it" if value is None else f"{option} is only for {wanted_by.value}"
            )
    if password_file is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = password_file.readline().rstrip("\r\n")
    with unit_of_work() as db:
        facts = GrantFacts(
            Role(role),
            district_id=places.district_called(db, district) if district is not None else None,
            organisation_id=_organisation(db, organisation) if organisation is not None else None,
        )
        account = users.create(db, UserFacts(name, email, phone, language), [facts], EVERYTHING, None, vouched=True)
        users.set_password(db, account.user, password)
        click.echo(f"Made user {account.user.id}: {name}, {role}")


@cli.command()
@click.argument("identifier")
@click.option("--reason", default="disabled from the command line")
@with_appcontext
def disable(identifier: str, reason: str) -> None:
    """Disable the account with this phone or e-mail address, and sign it out everywhere."""
    with unit_of_work() as db:
        user = users.find(db, identifier)
        if user is None:
            raise click.ClickException(f"nobody signs in as {identifier}")
        users.disable(db, user, reason)
        click.echo(f"Disabled user {user.id}: {user.name}")


@cli.command("reset-second-factor")
@click.argument("identifier")
@click.option("--reason", required=True, help="Why, and how the person was recognised; the audit trail keeps it.")
@with_appcontext
def reset_second_factor(identifier: str, reason: str) -> None:
    """Remove the second factor of the account with this phone or e-mail address, and sign it out everywhere."""
    with unit_of_work() as db:
        user = users.find(db, identifier)
        if user is None:
            raise click.ClickException(f"nobody signs in as {identifier}")
        second_factors.reset(db, user, reason)
        click.echo(f"Reset the second factor of user {user.id}: {user.name}")


@cli.command("list")
@with_appcontext
def list_users() -> None:
    """List all accounts: number, state, name, e-mail or phone, roles."""
    with unit_of_work() as db:
        for user in users.everybody(db):
            state = "disabled" if user.disabled_at else "active" if user.password_hash else "invited"
            held = ",".join(sorted(grant.role for grant in user.grants))
            click.echo("\t".join((str(user.id), state, user.name, user.email or user.phone or "", held)))


def _organisation(db: Session, text: str) -> int:
    return int(text) if text.isdecimal() else places.organisation_named(db, text, EVERYTHING)
