"""The settings that `flask up` makes for one machine, as the environment of everything it starts.

What the user set wins. Secrets are made once and kept in the instance folder, readable to its owner alone.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from lms.config import Settings, SettingsError, load_settings
from lms.embedded import place, postgres
from lms.embedded.failure import StartError
from lms.embedded.place import Place

DATABASE = "lms"
QUEUE_DATABASE = "lms_queue"
QUEUE_PREFIX = "sqla+"  # what kombu calls a queue in an SQL database
RECORD = "up.json"
FALLBACKS = "field_key_fallbacks"
RECORDED = tuple(name.upper() for name in Settings.model_fields)


def prepare_folder(instance: Path) -> None:
    """Make the instance folder. Raises StartError when it cannot be written to."""
    try:
        instance.mkdir(parents=True, exist_ok=True)
        probe = instance / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartError(f"{instance} cannot be written to: {error.strerror or error}") from error


def fill(environ: MutableMapping[str, str], where: Place) -> None:
    """Add what is not set: secrets, folders, public address. An empty value counts as not set."""
    environ["LMS_EMBEDDED"] = "1"
    environ["INSTANCE_DIR"] = str(where.instance)
    if not environ.get("SECRET_KEY"):
        environ["SECRET_KEY"] = kept_secret(where.instance / "secret_key", secrets.token_hex(32))
    if not environ.get("FIELD_KEY"):
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        environ["FIELD_KEY"] = kept_secret(where.instance / "field_key", fresh)
    fallbacks = where.instance / FALLBACKS
    if not environ.get("FIELD_KEY_FALLBACKS") and fallbacks.exists():  # while the key is replaced (docs/operations.md)
        environ["FIELD_KEY_FALLBACKS"] = fallbacks.read_text().strip()
    for name, value in {
        "KEYS_DIR": str(where.instance / "keys"),
        "PUBLIC_URL": where.url,
    }.items():
        if not environ.get(name):
            environ[name] = value


def own_database(where: Place) -> dict[str, str]:
    """The settings that name the PostgreSQL in the instance folder, with its owner's password, whether it runs or not."""
    data, password = where.instance / "postgres", database_password(where)
    return {
        "DATABASE_URL": postgres.address(data, DATABASE, password=password),
        "BROKER_URL": postgres.address(data, QUEUE_DATABASE, f"{QUEUE_PREFIX}postgresql+psycopg", password),
    }


def database_password(where: Place) -> str:
    """The password of the owner of our own PostgreSQL, made when there is none. Should it be lost, another is set."""
    path = where.instance / "database_password"
    if path.exists() and not path.read_text().strip():
        path.unlink()
    return kept_secret(path, secrets.token_hex(32))


def join(environ: MutableMapping[str, str], command: Sequence[str]) -> None:
    """Let a `flask` command work beside a running `flask up`: take over the settings that it wrote down.

    Does nothing outside a command, where DATABASE_URL is set, as in production, or where nothing runs. `flask up` itself gets
    the settings it is about to make, since the application cannot be loaded without.
    """
    if environ.get("DATABASE_URL") or click.get_current_context(silent=True) is None:
        return
    where = place.read(environ)
    if "up" in command:
        prepare_folder(where.instance)
        fill(environ, where)
        recorded_settings = own_database(where)
    else:
        try:
            recorded_settings = json.loads((where.instance / RECORD).read_text())
        except (OSError, ValueError):
            return
    for name, value in recorded_settings.items():
        environ.setdefault(name, value)


@contextmanager
def recorded(environ: Mapping[str, str], where: Place) -> Iterator[None]:
    """Keep the settings where `join` finds them, for as long as everything runs; for the owner alone."""
    path = where.instance / RECORD
    _write_whole(path, json.dumps({name: environ[name] for name in RECORDED if name in environ}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def kept_secret(path: Path, fresh: str) -> str:
    """The secret in the file; `fresh` is written when there is none. Raises StartError for an empty file.

    An empty or damaged file is never replaced: data encrypted with what it held would be lost for good.
    """
    try:
        if not path.exists():
            _write_whole(path, fresh)
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read or made: {error}") from error
    if not secret:
        raise StartError(f"{path} is empty; restore it from a backup")
    return secret


def _write_whole(path: Path, text: str) -> None:
    """Write a file that only its owner reads; an interruption leaves either all of it or none."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def check() -> Settings:
    """Check the settings as every process will. Raises StartError naming the wrong ones in one line."""
    try:
        return load_settings()
    except SettingsError as error:
        raise StartError("; ".join(error.lines)) from error
