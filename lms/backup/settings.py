"""The settings that a backup takes along, and the file that a restore writes of them.

The environment's own values are taken, secrets included, because the backup is encrypted. Addresses and folders of a
machine are left out: the restored system has its own.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lms.backup import BackupError
from lms.config import PICTURE_BYTES, WALLET_SETTINGS, Settings

# Of the machine, not of the system. The database is where the backup comes from or goes to, the keys are parts of their own.
LEFT_OUT = (
    "LMS_EMBEDDED",
    "DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "REDIS_URL",
    "BROKER_URL",
    "KEYS_DIR",
    "INSTANCE_DIR",
    "FONTS_DIR",
    *(name.upper() for name in WALLET_SETTINGS),  # files of this machine, and what is worth nothing without them
    "WEB_WORKERS",
)
PICTURES = ("SEAL_FILE", "LOGO_FILE")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class Collected:
    """Values by setting, the names that are set and left out, and pictures by their name in the backup.

    A picture's setting has the name of the picture as its value, such as "seal_file.svg".
    """

    values: Mapping[str, str]
    left_out: tuple[str, ...]
    pictures: Mapping[str, bytes]

    def as_json(self) -> bytes:
        """The values as they lie in the backup."""
        return json.dumps(self.values, ensure_ascii=False, indent=1, sort_keys=True).encode()


def collect(environ: Mapping[str, str]) -> Collected:
    """Take the settings of this environment. Raises BackupError for a picture that cannot be read."""
    given = {name.upper(): value for name, value in environ.items() if value != ""}
    names = [name.upper() for name in Settings.model_fields]
    values = {name: given[name] for name in names if name in given and name not in LEFT_OUT}
    pictures = {}
    for name in PICTURES:
        if name not in values:
            continue
        path = Path(values[name])
        values[name] = f"{name.lower()}{path.suffix.lower()}"
        try:
            with path.open("rb") as file:
                pictures[values[name]] = file.read(PICTURE_BYTES + 1)
        except OSError as error:
            raise BackupError(f"{name}: {path} cannot be read: {error.strerror or error}") from error
    return Collected(values, tuple(name for name in names if name in given and name in LEFT_OUT), pictures)


def parse(content: bytes) -> dict[str, str]:
    """Read the values from a backup. Raises BackupError when they are not what `as_json` writes."""
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(
        _NAME.fullmatch(name) and isinstance(value, str) for name, value in values.items()
    ):
        raise BackupError("the backup's settings are not readable")
    return values


def as_environment_file(values: Mapping[str, str], heading: str) -> str:
    """The settings as a file that systemd's `EnvironmentFile=` and a shell's `.` read alike."""
    lines = [f"# {heading}", *(f"{name}={_quoted(value)}" for name, value in sorted(values.items()))]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    escaped = "".join(f"\\{character}" if character in '"\\$`' else character for character in value)
    return f'"{escaped}"'


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone reads. Raises FileExistsError when there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
