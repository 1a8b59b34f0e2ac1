"""Printing of many certificates, of an offering or a period: a ZIP of PDFs, one PDF, or sheets of cards, made while it is sent.

The certificates are selected at the start as a list of ids. They are loaded and typeset in chunks, each in a
transaction of its own, so that neither memory use nor the length of a transaction grows with their number.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from certificates import documents, pdf_merging, rendering
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.rendering import CertificateDocument, Layout
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, visible

log = structlog.get_logger(__name__)

CHUNK = 50
CHECKED = 500
NOT_PRINTED_FILE = "not-printed.txt"


class PrintFormat(StrEnum):
    """The formats of the download: PDFs of A4 in a ZIP or as one, or wallet cards on sheets for cutting."""

    ZIP = "zip"
    PDF = "pdf"
    CARDS = "cards"


FILE_NAMES = {
    PrintFormat.ZIP: "certificates.zip",
    PrintFormat.PDF: "certificates.pdf",
    PrintFormat.CARDS: "cards.pdf",
}
MEDIA_TYPES = {
    PrintFormat.ZIP: "application/zip",
    PrintFormat.PDF: "application/pdf",
    PrintFormat.CARDS: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class PrintSelection:
    """Certificates of an offering, those issued from `since` to `until` (both included), or single ones by their ids."""

    offering_id: int | None = None
    since: date | None = None
    until: date | None = None
    certificate_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintCount:
    """The number of certificates to print, of those that were issued and are printed no more, by the reason, and of those
    still owed to the offering or to offerings counted in the period.
    """

    printable: int
    owed: int
    revoked: int = 0
    replaced: int = 0
    erased: int = 0

    @property
    def issued(self) -> int:
        """All certificates that were issued, those that are printed no more included."""
        return self.printable + self.revoked + self.replaced + self.erased


def count(db: Session, scope: Scope, selection: PrintSelection) -> PrintCount:
    """Count the certificates of a selection."""
    gone = Certificate.revoked_at.is_not(None)
    replaced = Certificate.superseded_by_id.is_not(None)
    erased = Certificate.erased_content.is_not(None)
    numbers = func.count().filter
    counted = (
        _matching(selection, scope)
        .with_only_columns(
            numbers(~gone & ~replaced & ~erased),
            numbers(gone),
            numbers(~gone & replaced),
            numbers(~gone & ~replaced & erased),
        )
        .order_by(None)
    )
    printable, revoked, superseded, forgotten = db.execute(counted).one()
    owed = visible(
        select(func.count())
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(Enrolment.certificate_due, Enrolment.certified_at.is_(None)),
        Enrolment,
        scope,
    )
    if selection.offering_id is not None:
        owed = owed.where(Enrolment.offering_id == selection.offering_id)
    if selection.since is not None:
        owed = owed.where(Offering.counted_on >= selection.since)
    if selection.until is not None:
        owed = owed.where(Offering.counted_on <= selection.until)
    if selection.certificate_ids:
        return PrintCount(printable, 0, revoked, superseded, forgotten)
    return PrintCount(printable, db.scalar(owed) or 0, revoked, superseded, forgotten)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A certificate that cannot be printed, or not as a wallet card, and why."""

    certificate_id: int
    number: str
    holder: str
    why: DomainError


def left_out(
    db: Session, scope: Scope, selection: PrintSelection, branch: Branch
) -> Mapping[Layout, Sequence[LeftOut]] | None:
    """Return for A4 and card the certificates of a selection whose texts the paper cannot hold, or no font can print.

    None for a selection of more than `CHECKED` certificates, which would take too long to try.
    """
    selected = (
        _select(selection, scope).order_by(Enrolment.offering_id, Certificate.serial).limit(CHECKED + 1).subquery()
    )
    rows = db.scalars(
        select(Certificate)
        .join(selected, selected.c.id == Certificate.id)
        .order_by(Certificate.serial)
        .options(selectinload(Certificate.second_names))
    ).all()
    if len(rows) > CHECKED:
        return None
    return {
        layout: [
            LeftOut(row.id, row.number, row.holder_name, why)
            for row in rows
            if (why := documents.refusal(row, branch, layout)) is not None
        ]
        for layout in Layout
    }


def select_ids(db: Session, scope: Scope, selection: PrintSelection, form: PrintFormat) -> list[int]:
    """Return the certificates' ids in the order of printing, by offering and serial, and record the download in the
    audit trail.

    Raises DomainError `nothing_to_print`.
    """
    ids = list(db.scalars(_select(selection, scope).order_by(Enrolment.offering_id, Certificate.serial)))
    if not ids:
        raise DomainError("nothing_to_print", N_("There is no certificate to print here."), status=404)
    period = {
        name: day.isoformat()
        for name, day in (("since", selection.since), ("until", selection.until))
        if day is not None
    }
    audit.record(
        db,
        "certificates.print",
        f"offering:{selection.offering_id}" if selection.offering_id is not None else "report:certificates",
        after={"form": form.value, "certificates": len(ids), **period},
    )
    return ids


def stream(sessions: sessionmaker[Session], ids: Sequence[int], branch: Branch, form: PrintFormat) -> Iterator[bytes]:
    """Yield the file in pieces, with database sessions of its own. Certificates revoked or superseded since are left
    out.

    A certificate that cannot be typeset (a character that the font lacks) is left out and named: in `not-printed.txt`
    of a ZIP, on the last page of a single PDF.
    """
    loaded = _loaded(sessions, ids, branch)
    if form is PrintFormat.CARDS:
        return pdf_merging.merged(_sheets(loaded))
    results = _printed(loaded)
    return _zipped(results) if form is PrintFormat.ZIP else pdf_merging.merged(_pages(results))


def _select(selection: PrintSelection, scope: Scope) -> Select[int]:
    return _matching(selection, scope).where(
        Certificate.revoked_at.is_(None),
        Certificate.superseded_by_id.is_(None),
        Certificate.erased_content.is_(None),
    )


def _matching(selection: PrintSelection, scope: Scope) -> Select[int]:
    """All certificates of the selection, those that are printed no more included."""
    statement = visible(
        select(Certificate.id).join(Enrolment, Enrolment.id == Certificate.enrolment_id), Certificate, scope
    )
    if selection.offering_id is not None:
        statement = statement.where(Enrolment.offering_id == selection.offering_id)
    if selection.since is not None:
        statement = statement.where(Certificate.issued_on >= selection.since)
    if selection.until is not None:
        statement = statement.where(Certificate.issued_on <= selection.until)
    if selection.certificate_ids:
        statement = statement.where(Certificate.id.in_(selection.certificate_ids))
    return statement


def _loaded(
    sessions: sessionmaker[Session], ids: Sequence[int], branch: Branch
) -> Iterator[CertificateDocument | _PrintResult]:
    """Yield the document of each certificate that may still be printed, or the reason why there is none.

    No transaction is open while a document is typeset.
    """
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        with sessions() as db:
            statement = select(Certificate).where(Certificate.id.in_(chunk))
            rows = {row.id: row for row in db.scalars(statement.options(selectinload(Certificate.second_names)))}
            printable = [rows[key] for key in chunk if key in rows and documents.is_printable(rows[key])]
            loaded = [_document(certificate, branch) for certificate in printable]
        yield from loaded


def _document(certificate: Certificate, branch: Branch) -> CertificateDocument | _PrintResult:
    try:
        return documents.document_of(certificate, branch)
    except DomainError as error:
        return _refused(certificate.number, error)


@dataclass(frozen=True, slots=True)
class _PrintResult:
    """A certificate's PDF, or the reason why there is none."""

    number: str
    pdf: bytes | None
    why: str = ""


def _refused(number: str, error: DomainError) -> _PrintResult:
    log.warning("certificate_not_printed", number=number, code=error.code)
    return _PrintResult(number, None, str(error))


def _printed(loaded: Iterable[CertificateDocument | _PrintResult]) -> Iterator[_PrintResult]:
    for document in loaded:
        if isinstance(document, _PrintResult):
            yield document
            continue
        try:
            yield _PrintResult(document.number, rendering.render(document))
        except DomainError as error:
            yield _refused(document.number, error)


def _sheets(loaded: Iterable[CertificateDocument | _PrintResult]) -> Iterator[bytes]:
    """Yield sheets of cards, and at the end, where any is missing, a page that names those."""
    missing = []
    cards: list[CertificateDocument] = []
    for document in loaded:
        refusal = None if isinstance(document, _PrintResult) else rendering.refusal(document, Layout.CARD)
        if isinstance(document, _PrintResult):
            missing.append((document.number, document.why))
        elif refusal is not None:
            missing.append((document.number, _refused(document.number, refusal).why))
        else:
            cards.append(document)
        if len(cards) == rendering.CARDS_ON_A_SHEET:
            yield rendering.sheets(cards)
            cards = []
    if cards:
        yield rendering.sheets(cards)
    if missing:
        yield rendering.left_out(missing)


def _pages(results: Iterable[_PrintResult]) -> Iterator[bytes]:
    """Yield the PDF of each certificate, and at the end, where any is missing, a page that names those."""
    missing = []
    for result in results:
        if result.pdf is None:
            missing.append((result.number, result.why))
        else:
            yield result.pdf
    if missing:
        yield rendering.left_out(missing)


def _zipped(results: Iterable[_PrintResult]) -> Iterator[bytes]:
    """Yield a ZIP whose files are stored without compression: PDFs are compressed inside."""
    buffer = _ForwardBuffer()
    missing = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for result in results:
            if result.pdf is None:
                missing.append(f"{result.number}: {result.why}")
                continue
            archive.writestr(f"{result.number}.pdf", result.pdf)
            yield buffer.take()
        if missing:
            archive.writestr(NOT_PRINTED_FILE, "\n".join(missing) + "\n")
    yield buffer.take()


class _ForwardBuffer:
    """A file that is only written forwards; `take` removes what was written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep the data until it is taken."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is nothing to flush."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        data = b"".join(self._written)
        self._written.clear()
        return data
