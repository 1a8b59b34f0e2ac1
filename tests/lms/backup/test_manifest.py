"""The manifest tells what a backup holds; one that could lead elsewhere, or that a newer version wrote, is refused."""

import hashlib
import json

import pytest

from lms.backup import BackupError, manifest
from lms.backup.manifest import PartHashes
from tests.lms.backup.conftest import Made


def changed(made: Made, **facts: object) -> bytes:
    return json.dumps(json.loads(made.backup.manifest.as_json()) | facts).encode()


def test_it_is_read_as_it_was_written(made: Made) -> None:
    assert manifest.parse(made.backup.manifest.as_json()) == made.backup.manifest


def test_pieces_of_the_database_are_one_part() -> None:
    hashes = PartHashes()
    hashes.add("database/000000", b"ab")
    hashes.add("settings.json", b"{}")
    hashes.add("database/000001", b"c")
    parts = hashes.parts()
    assert parts["database"].size == 3
    assert parts["database"].sha256 == hashlib.sha256(b"abc").hexdigest()
    assert set(parts) == {"database", "settings.json"}


@pytest.mark.parametrize(
    "facts",
    [
        {"tables": {'x"; DROP TABLE trainee; --': 1}},
        {"keys": ["../../etc/passwd"]},
        {"keys": ["signing/.."]},
        {"parts": {"keys//a": {"size": 1, "sha256": "0" * 64}}},
        {"unknown": 1},
        {"snapshot": None},
    ],
)
def test_names_that_lead_elsewhere_are_refused(made: Made, facts: dict[str, object]) -> None:
    with pytest.raises(BackupError, match="not readable"):
        manifest.parse(changed(made, **facts))


def test_another_format_is_named(made: Made) -> None:
    with pytest.raises(BackupError, match="format 2, and this version reads format 1"):
        manifest.parse(changed(made, format=2))
    with pytest.raises(BackupError, match="not readable"):
        manifest.parse(b"{")
