"""The settings that `flask up` makes for one machine, as the environment of everything it starts.

What the user set wins. Secrets are made once and kept in the instance folder, readable to its owner alone.
"""

import base64
import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path

from lms.config import SettingsError, load_settings
from lms.embedded.failure import StartError
from lms.embedded.place import Place

DATABASE = "lms"
QUEUE_DATABASE = "lms_queue"


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
    for name, value in {
        "KEYS_DIR": str(where.instance / "keys"),
        "MAIL_DIR": str(where.instance / "mail"),
        "PUBLIC_URL": where.url,
    }.items():
        if not environ.get(name):
            environ[name] = value


def kept_secret(path: Path, fresh: str) -> str:
    """The secret in the file; `fresh` is written when there is none. Raises StartError for an empty file.

    An empty or damaged file is never replaced: data encrypted with what it held would be lost for good.
    """
    try:
        if not path.exists():
            _write_whole(path, fresh)
        kept = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read or made: {error}") from error
    if not kept:
        raise StartError(f"{path} is empty; restore it from a backup")
    return kept


def _write_whole(path: Path, text: str) -> None:
    """Write a file that only its owner reads; an interruption leaves either all of it or none."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def check() -> None:
    """Check the settings as every process will. Raises StartError naming the wrong ones in one line."""
    try:
        load_settings()
    except SettingsError as error:
        raise StartError("; ".join(error.lines)) from error
