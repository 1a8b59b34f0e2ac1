"""A backup that is not as its manifest says is refused, whichever part was altered, left out, added or moved."""

import io
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lms.backup import BackupError, encryption, programs, reading
from lms.backup.archive import END, Unpacker, member
from lms.backup.reading import Contents
from tests.lms.backup.conftest import Made, System

Members = list[tuple[str, bytes]]
MOMENT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def members(made: Made) -> Members:
    received: Members = []
    with reading.open_file(made.path) as file:
        encryption.decrypt(file, Unpacker(lambda name, content: received.append((name, content))), made.opener)
    return received


def read_again(made: Made, members: Members, end: bytes = END) -> Contents:
    """Read a backup of these members that is encrypted as it should be, as whoever has the public key can make one."""
    file = io.BytesIO()
    pieces = [piece for name, content in members for piece in member(name, content, MOMENT)]
    encryption.encrypt(iter([*pieces, end]), file, [made.recipient], None)
    return reading.read(file, made.opener)


def test_the_parts_are_database_keys_settings_and_manifest(contents: Contents, system: System) -> None:
    manifest = contents.manifest
    assert set(manifest.parts) == {
        "database", "settings.json", "keys/signing/qr-1.pem", "keys/signing/status-1.pem", "files/seal_file.svg",
    }  # fmt: skip
    names = ("signing/qr-1.pem", "signing/status-1.pem")
    assert contents.keys() == {name: (system.source.keys_dir / name).read_bytes() for name in names}
    assert contents.pictures() == {"seal_file.svg": b"<svg/>"}
    assert manifest.tables["certificate"] == 2
    assert manifest.tables["trainee"] == 4
    assert manifest.left_out == ["DATABASE_URL"]


def test_the_same_members_are_read(made: Made, members: Members, contents: Contents) -> None:
    assert read_again(made, members).manifest == contents.manifest


def altered(name: str) -> Callable[[Members], Members]:
    def alter(members: Members) -> Members:
        return [(n, c[:-1] + bytes([c[-1] ^ 1]) if n == name else c) for n, c in members]

    return alter


@pytest.mark.parametrize(
    "change",
    [
        *(altered(name) for name in ("settings.json", "keys/signing/qr-1.pem", "files/seal_file.svg", "database/000000")),
        lambda members: [(n, c) for n, c in members if not n.startswith("keys/")],
        lambda members: [(n, c) for n, c in members if not n.startswith("database/")],
        lambda members: [(n, c) for n, c in members if n != "settings.json"],
        lambda members: [(n, c) for n, c in members if n != "manifest.json"],
        lambda members: [("keys/signing/qr-7.pem", b"new"), *members],
        lambda members: [*members, ("keys/signing/qr-7.pem", b"new")],
        lambda members: [*members, members[0]],
        lambda members: [members[0], *members],
        lambda members: [("database/000001", c) if n == "database/000000" else (n, c) for n, c in members],
        lambda members: [(n, b"{}") if n == "manifest.json" else (n, c) for n, c in members],
    ],
    ids=[
        "settings", "key", "picture", "database", "no key", "no database", "no settings", "no manifest", "added first",
        "added last", "manifest first", "twice", "piece missing", "empty manifest",
    ],
)  # fmt: skip
def test_whatever_was_changed_is_found(made: Made, members: Members, change: Callable[[Members], Members]) -> None:
    changed = change(members)
    with pytest.raises(BackupError):
        read_again(made, changed)


def test_an_archive_without_end_is_found(made: Made, members: Members) -> None:
    with pytest.raises(BackupError, match="end is missing"):
        read_again(made, members, b"")


def feed(content: bytes) -> None:
    """Give pg_restore a dump to read, as `verify` does."""
    command = [programs.newest().path("pg_restore"), "--file", "/dev/null"]
    with programs.Child(command, stdin=subprocess.PIPE) as child:
        child.take(content)
        child.finish()


def test_a_dump_is_read_to_its_end(made: Made, members: Members) -> None:
    """Also where the manifest fits, as a faulty program could have written it, pg_restore finds what is missing."""
    whole = b"".join(content for name, content in members if name.startswith("database/"))
    feed(whole)
    for cut in (whole[: len(whole) // 2], whole[:-1]):
        with pytest.raises(BackupError, match="pg_restore failed"):
            feed(cut)
    with reading.open_file(made.path) as file:
        assert reading.verify(file, made.opener, programs.newest()).manifest == made.backup.manifest
