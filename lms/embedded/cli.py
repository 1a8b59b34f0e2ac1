"""The command `flask up`."""

import sys

import click

from lms.embedded.up import main


@click.command("up")
def cli() -> None:
    """Start everything on this machine: database, web server, worker, schedule. Ctrl-C stops it all."""
    sys.exit(main())
