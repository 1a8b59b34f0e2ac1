"""The archive is an ordinary tar, whatever the size of the pieces in which it comes, and nothing else is taken for one."""

import io
import tarfile
from datetime import UTC, datetime

import pytest

from lms.backup import BackupError, archive
from lms.backup.archive import END, PIECE_BYTES, Unpacker, member

MOMENT = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
MEMBERS = {
    "settings.json": b"{}",
    "keys/signing/qr-1.pem": b"k" * 513,
    "database/000000": bytes(range(256)) * 40,
    "empty": b"",
}


def packed(members: dict[str, bytes] = MEMBERS) -> bytes:
    return b"".join(piece for name, content in members.items() for piece in member(name, content, MOMENT)) + END


@pytest.mark.parametrize("size", [1, 511, 512, 8192, 10**6])
def test_members_come_back_whole_whatever_the_pieces(size: int) -> None:
    received: dict[str, bytes] = {}
    unpacker = Unpacker(received.__setitem__)
    content = packed()
    for start in range(0, len(content), size):
        unpacker.write(content[start : start + size])
    assert unpacker.ended
    assert received == MEMBERS


def test_standard_programs_read_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed())) as read:
        assert {entry.name: entry.mode for entry in read} == dict.fromkeys(MEMBERS, 0o600)
        extracted = read.extractfile("database/000000")
        assert extracted is not None
        assert extracted.read() == MEMBERS["database/000000"]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"x" * 512, "no readable heading"), (packed() + b"x", "follows its end")],
    ids=["no archive", "more behind the end"],
)
def test_anything_else_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(BackupError, match=told):
        Unpacker(lambda _name, _content: None).write(content)


def test_a_member_that_would_fill_the_memory_is_refused() -> None:
    header = tarfile.TarInfo("database/000000")
    header.size = PIECE_BYTES + 1
    with pytest.raises(BackupError, match="not a part"):
        Unpacker(lambda _name, _content: None).write(header.tobuf(tarfile.USTAR_FORMAT))


def test_a_link_or_folder_is_no_part() -> None:
    header = tarfile.TarInfo("keys")
    header.type = tarfile.DIRTYPE
    with pytest.raises(BackupError, match="not a part"):
        Unpacker(lambda _name, _content: None).write(header.tobuf(tarfile.USTAR_FORMAT))


def test_the_archive_is_cut_off_before_its_end() -> None:
    unpacker = Unpacker(lambda _name, _content: None)
    unpacker.write(packed()[: -len(archive.END)])
    assert not unpacker.ended
