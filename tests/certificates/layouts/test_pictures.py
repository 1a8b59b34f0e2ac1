"""Pictures of certificates: kept once, never too large or no picture, and found again as files."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates.layouts import pictures
from certificates.layouts.models import CertificatePicture
from lms.core.errors import DomainError


def png(side: int, kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side), (200, 0, 0)).save(file, kind)
    return file.getvalue()


def test_a_picture_is_kept_once_and_is_a_file_afterwards(db: Session, tmp_path: Path) -> None:
    file = tmp_path / "seal.SVG"
    file.write_bytes(b"<svg/>")
    digest = pictures.store_file(db, file)
    assert pictures.store_file(db, file) == digest == pictures.store(db, b"<svg/>", ".svg")
    assert db.scalar(select(func.count()).select_from(CertificatePicture)) == 1
    found = pictures.files(db, [digest])[digest]
    assert (found.read_bytes(), found.suffix) == (b"<svg/>", ".svg")
    with pytest.raises(DomainError) as missing:
        pictures.files(db, [digest, "0" * 64])
    assert missing.value.code == "picture_missing"


def bomb() -> bytes:
    """The head of a PNG that claims 100,000 × 100,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize(
    "content", [b"", b"<svg/>", png(300)[:400], png(300, "JPEG"), png(299), png(4001), b"\0" * 1_000_001, bomb()]
)
def test_what_is_no_picture_to_print_is_refused(content: bytes) -> None:
    with pytest.raises(DomainError) as refused:
        pictures.checked(content)
    assert (refused.value.code, refused.value.field) == ("picture_wrong", "file")


def test_a_picture_to_print_is_taken() -> None:
    assert pictures.checked(png(300)) == png(300)
