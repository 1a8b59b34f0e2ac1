"""Certificates of an offering or of a period, to be printed: as a ZIP of PDFs or as one PDF, made while it is sent.

Which ones is settled at the start, as a list of ids; they are loaded and set a chunk at a time, each chunk in a transaction
of its own, so that neither memory nor the database feels how many there are.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, sessionmaker

from certificates import merging, paper, rendering
from certificates.branch import Branch
from certificates.models import Certificate
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, visible

log = structlog.get_logger(__name__)

CHUNK = 50
LEFT_OUT = "not-printed.txt"


class Form(StrEnum):
    """How they come. The value is the extension."""

    ZIP = "zip"
    PDF = "pdf"


MEDIA_TYPES = {Form.ZIP: "application/zip", Form.PDF: "application/pdf"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which certificates: of an offering, or issued from `since` to `until` (both included)."""

    offering_id: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """How many there are to print, and how many are still owed to the offering or to offerings closed in the period."""

    printable: int
    owed: int


def amount(db: Session, scope: Scope, choice: Choice) -> Amount:
    """What a choice comes to."""
    chosen = _chosen(choice, scope).subquery()
    owed = visible(
        select(func.count())
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(Enrolment.certificate_due, Enrolment.certified_at.is_(None)),
        Enrolment,
        scope,
    )
    if choice.offering_id is not None:
        owed = owed.where(Enrolment.offering_id == choice.offering_id)
    if choice.since is not None:
        owed = owed.where(Offering.counted_on >= choice.since)
    if choice.until is not None:
        owed = owed.where(Offering.counted_on <= choice.until)
    return Amount(db.scalar(select(func.count()).select_from(chosen)) or 0, db.scalar(owed) or 0)


def choose(db: Session, scope: Scope, choice: Choice, form: Form) -> list[int]:
    """The certificates' ids in the order of printing, by offering and number; their download goes into the audit trail.

    Raises DomainError `nothing_to_print`.
    """
    ids = list(db.scalars(_chosen(choice, scope).order_by(Enrolment.offering_id, Certificate.serial)))
    if not ids:
        raise DomainError("nothing_to_print", N_("There is no certificate to print here."), status=404)
    period = {
        name: day.isoformat() for name, day in (("since", choice.since), ("until", choice.until)) if day is not None
    }
    audit.record(
        db,
        "certificates.print",
        f"offering:{choice.offering_id}" if choice.offering_id is not None else "report:certificates",
        after={"form": form.value, "certificates": len(ids), **period},
    )
    return ids


def write(sessions: sessionmaker[Session], ids: Sequence[int], branch: Branch, form: Form) -> Iterator[bytes]:
    """The file, piece by piece, in sessions of its own. What was revoked or replaced meanwhile is left out.

    A certificate that cannot be set (a character that the font lacks) is left out and named: in `not-printed.txt` of a ZIP,
    on the last page of one PDF.
    """
    made = _made(_loaded(sessions, ids), branch)
    return _zipped(made) if form is Form.ZIP else merging.merged(_pages(made))


def _chosen(choice: Choice, scope: Scope) -> Select[int]:
    statement = visible(
        select(Certificate.id)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Certificate.revoked_at.is_(None), Certificate.superseded_by_id.is_(None)),
        Certificate,
        scope,
    )
    if choice.offering_id is not None:
        statement = statement.where(Enrolment.offering_id == choice.offering_id)
    if choice.since is not None:
        statement = statement.where(Certificate.issued_on >= choice.since)
    if choice.until is not None:
        statement = statement.where(Certificate.issued_on <= choice.until)
    return statement


def _loaded(sessions: sessionmaker[Session], ids: Sequence[int]) -> Iterator[Certificate]:
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        with sessions() as db:
            rows = {row.id: row for row in db.scalars(select(Certificate).where(Certificate.id.in_(chunk)))}
        yield from (rows[identity] for identity in chunk if identity in rows and paper.printable(rows[identity]))


@dataclass(frozen=True, slots=True)
class _Made:
    """A certificate's PDF, or why there is none."""

    number: str
    pdf: bytes | None
    why: str = ""


def _made(certificates: Iterable[Certificate], branch: Branch) -> Iterator[_Made]:
    for certificate in certificates:
        try:
            yield _Made(certificate.number, paper.pdf(certificate, branch))
        except DomainError as error:
            log.warning("certificate_not_printed", certificate_id=certificate.id, code=error.code)
            yield _Made(certificate.number, None, str(error))


def _pages(made: Iterable[_Made]) -> Iterator[bytes]:
    """The PDF of each; at last, where any is missing, a page that names those."""
    missing = []
    for one in made:
        if one.pdf is None:
            missing.append((one.number, one.why))
        else:
            yield one.pdf
    if missing:
        yield rendering.left_out(missing)


def _zipped(made: Iterable[_Made]) -> Iterator[bytes]:
    """A ZIP whose files are stored as they are: PDFs are compressed inside."""
    pieces = _Pieces()
    missing = []
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for one in made:
            if one.pdf is None:
                missing.append(f"{one.number}: {one.why}")
                continue
            archive.writestr(f"{one.number}.pdf", one.pdf)
            yield pieces.taken()
        if missing:
            archive.writestr(LEFT_OUT, "\n".join(missing) + "\n")
    yield pieces.taken()


class _Pieces:
    """A file that is only written forwards; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep until it is taken."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._written)
        self._written.clear()
        return data
