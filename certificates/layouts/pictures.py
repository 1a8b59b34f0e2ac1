"""Pictures that certificates bear: kept in the database by the SHA-256 of their bytes, and as files for the typesetting.

A certificate names its seal and its logo by that digest (`facts["seal"]`, `facts["logo"]`), so that a reprint bears the same
picture after the branch has set another one.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates.layouts.models import CertificatePicture
from lms.core import clock
from lms.core.errors import N_, DomainError

LARGEST = 1_000_000  # bytes
LEAST_PIXELS = 300  # each way: 36 mm on paper at 200 dpi
MOST_PIXELS = 4000


def store(db: Session, content: bytes, suffix: str) -> str:
    """Keep a picture, once, and return its digest. suffix: ".png" or ".svg"."""
    digest = sha256(content).hexdigest()
    values = {"digest": digest, "suffix": suffix, "content": content, "stored_at": clock.now()}
    db.execute(insert(CertificatePicture).values(values).on_conflict_do_nothing())
    return digest


def store_file(db: Session, file: Path) -> str:
    """Keep the picture of a setting (SEAL_FILE, LOGO_FILE), and return its digest."""
    content = file.read_bytes()
    digest = sha256(content).hexdigest()
    known = db.scalar(select(CertificatePicture.digest).where(CertificatePicture.digest == digest))
    return known or store(db, content, file.suffix.lower())


def checked(content: bytes) -> bytes:
    """Return a PNG that somebody sent, if it can be printed. Raises DomainError `picture_wrong`."""
    if len(content) > LARGEST:
        raise _wrong(N_("The picture is larger than 1 MB."))
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
            if max(width, height) > MOST_PIXELS:
                raise _wrong(N_("The picture has more than 4000 pixels on one side. Make it smaller."))
            picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise _wrong(N_("This is not a PNG picture.")) from error
    if min(width, height) < LEAST_PIXELS:
        raise _wrong(N_("The picture is too small to be printed: at least 300 × 300 pixels are needed."))
    return content


def _wrong(message: str) -> DomainError:
    return DomainError("picture_wrong", message, status=422, field="file")


def files(db: Session, digests: Iterable[str]) -> dict[str, Path]:
    """Return a file of each picture, which lives as long as the process.

    Raises DomainError `picture_missing` when the database has no picture of a digest: a certificate is never printed without
    the seal that it was issued with.
    """
    digests = set(digests)
    missing = digests - _files.keys()
    if missing:
        statement = select(CertificatePicture.digest, CertificatePicture.suffix, CertificatePicture.content)
        for digest, suffix, content in db.execute(statement.where(CertificatePicture.digest.in_(missing))):
            _files[digest] = _written(f"{digest}{suffix}", content)
    if not digests <= _files.keys():
        raise DomainError(
            "picture_missing", N_("The seal or logo of this certificate is missing from the database."), status=500
        )
    return {digest: _files[digest] for digest in digests}


_files: dict[str, Path] = {}


def _written(name: str, content: bytes) -> Path:
    file = Path(_folder().name) / name
    file.write_bytes(content)
    return file


@lru_cache(maxsize=1)
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="lms-pictures-")
