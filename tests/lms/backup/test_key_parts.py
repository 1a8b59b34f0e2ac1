"""The keys of a backup are those whose public halves the database has."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from certificates.keys import key_files, qr_keys
from lms.backup import BackupError, key_parts


@pytest.fixture
def folder(db: Session, tmp_path: Path) -> Path:
    """A keys folder with the retired key qr-1 and the active key qr-2."""
    keys = tmp_path / "keys"
    qr_keys.ensure(db, keys, not_before=date(2026, 1, 1), not_after=date(2026, 12, 31))
    qr_keys.rotate(db, keys, today=date(2026, 3, 5), not_after=date(2027, 12, 31))
    return keys


def test_all_files_come_with_their_path_and_drafts_stay(folder: Path, db: Session) -> None:
    (folder / "signing" / ".qr-3.0123").write_bytes(b"draft")
    (folder / "record-heads.json").write_text("{}")
    files = key_parts.read_folder(folder)
    assert sorted(files) == ["signing/qr-1.pem", "signing/qr-2.pem"]
    assert list(key_parts.faults(key_parts.published(db), files)) == []
    assert key_parts.read_folder(folder / "none") == {}


def test_a_key_that_is_being_made_stays_out(folder: Path, db: Session) -> None:
    """Its file is there before its row is committed; restored, it would be a key that was never published."""
    key_files.create(folder, "status-1")
    files = key_parts.without_unpublished(key_parts.published(db), {"note.txt": b"", **key_parts.read_folder(folder)})
    assert sorted(files) == ["note.txt", "signing/qr-1.pem", "signing/qr-2.pem"]


def test_a_missing_key_that_signs_is_a_fault_and_a_retired_one_is_none(folder: Path, db: Session) -> None:
    files = key_parts.read_folder(folder)
    del files["signing/qr-1.pem"]
    assert list(key_parts.faults(key_parts.published(db), files)) == []
    del files["signing/qr-2.pem"]
    assert list(key_parts.faults(key_parts.published(db), files)) == [
        "the private file of qr-2, which signs, is missing"
    ]


@pytest.mark.parametrize("wrong", [b"", b"not a key", None])
def test_another_key_is_a_fault(folder: Path, db: Session, wrong: bytes | None) -> None:
    files = key_parts.read_folder(folder)
    if wrong is None:
        key_files.create(folder, "qr-9")
        wrong = (folder / "signing" / "qr-9.pem").read_bytes()
    files["signing/qr-1.pem"] = wrong
    assert list(key_parts.faults(key_parts.published(db), files)) == [
        "the private file of qr-1 is not the key that was published"
    ]


def test_links_and_large_files_are_named(folder: Path) -> None:
    link = folder / "signing" / "qr-3.pem"
    link.symlink_to(folder / "signing" / "qr-1.pem")
    with pytest.raises(BackupError, match=r"qr-3\.pem cannot be read"):
        key_parts.read_folder(folder)
    link.unlink()
    link.write_bytes(bytes(key_parts.LARGEST_BYTES + 1))
    with pytest.raises(BackupError, match="too large"):
        key_parts.read_folder(folder)


def test_the_written_folder_is_private(tmp_path: Path) -> None:
    key_parts.write_folder(tmp_path / "keys", {"signing/qr-1.pem": b"x"})
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "signing").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "signing" / "qr-1.pem").stat().st_mode & 0o777 == 0o600
