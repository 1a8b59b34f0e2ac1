"""Documents of a certificate: the PDF to print, the wallet card and the preview, made on demand with the same bytes
each time.
"""

from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session, object_session

from certificates import qr, rendering
from certificates.branch import BRANCH_UNIT, Branch
from certificates.layouts import pictures
from certificates.layouts import wording as wordings
from certificates.layouts.wording import IdDigits, Wording
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.rendering import CertificateDocument, Layout
from lms.core.errors import N_, DomainError


def pdf(certificate: Certificate, branch: Branch, layout: Layout = Layout.A4) -> bytes:
    """Return the A4 certificate or the wallet card as a PDF.

    Raises DomainError `certificate_not_printed` for a certificate that was revoked or superseded, and the errors of
    `rendering.render`.
    """
    _demand_printable(certificate)
    return rendering.render(document_of(certificate, branch), layout)


def preview(certificate: Certificate, branch: Branch) -> bytes:
    """Return the A4 certificate as a PNG for the screen. Raises the errors of `pdf`."""
    _demand_printable(certificate)
    return rendering.preview(document_of(certificate, branch))


def code(certificate: Certificate, branch: Branch) -> str:
    """Return the QR code of the certificate for a screen, as SVG: level M, so that its modules are as large as can be."""
    return qr.svg(qr.matrix(f"{branch.public_url}/v/", digits_of(certificate.payload), qr.Level.M))


def refusal(certificate: Certificate, branch: Branch, layout: Layout) -> DomainError | None:
    """Return the reason why a certificate cannot be printed so, None when it can; see `rendering.refusal`."""
    if not is_printable(certificate):
        return None
    try:
        return rendering.refusal(document_of(certificate, branch), layout)
    except DomainError as error:
        return error


def card_refusal(certificate: Certificate, branch: Branch) -> DomainError | None:
    """Return the reason why a certificate can have no wallet card, None when it can."""
    return refusal(certificate, branch, Layout.CARD)


def is_printable(certificate: Certificate) -> bool:
    """Tell whether a certificate may still be printed: it is neither revoked nor superseded, and its holder is known."""
    return (
        certificate.revoked_at is None and certificate.superseded_by_id is None and certificate.erased_content is None
    )


def _demand_printable(certificate: Certificate) -> None:
    if certificate.erased_content is not None:
        raise DomainError(
            "certificate_erased", N_("The holder's data was erased. This certificate can no longer be printed.")
        )
    if not is_printable(certificate):
        raise DomainError(
            "certificate_not_printed", N_("This certificate was revoked or replaced. It can no longer be printed.")
        )


def document_of(certificate: Certificate, branch: Branch) -> CertificateDocument:
    """Return the texts of the document: the facts that were stored when the certificate was issued, and the second writing of
    the name, which its holder may ask for later.

    Only the masked digits of the ID number come from the holder's record, so that no copy of them is kept.
    """
    facts = certificate.facts
    wording = Wording.of_facts(facts.get("layout"))
    seal, logo = _pictures(certificate, branch)
    return CertificateDocument(
        number=certificate.number,
        holder=certificate.holder_name,
        programme_zh=facts["programme_zh"],
        programme_en=facts["programme_en"],
        course_zh=facts["course_zh"],
        course_en=facts["course_en"],
        hours=Decimal(facts["hours"]),
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        unit_zh=facts["unit_zh"],
        unit_en=facts["unit_en"],
        instructor=facts["instructor"],
        instructor_registration=facts["instructor_registration"],
        organisation_zh=facts["organisation_zh"],
        organisation_en=facts["organisation_en"],
        address_prefix=f"{branch.public_url}/v/",
        digits=digits_of(certificate.payload),
        verify_address=f"{branch.public_url}/verify",
        seal=seal,
        logo=logo,
        second_name=second_name(certificate),
        certificate_type=certificate.certificate_type,
        qualification_zh=facts.get("qualification_zh"),
        qualification_en=facts.get("qualification_en"),
        qualification_hours=Decimal(facts["qualification_hours"]) if "qualification_hours" in facts else None,
        id_digits=_id_digits(certificate, wording.id_digits),
        wording=wording,
    )


def second_name(certificate: Certificate) -> str | None:
    """Return the writing that the holder wants beneath the name; None where there is none of the name that is printed."""
    return next((row.writing for row in certificate.second_names if row.name == certificate.holder_name), None)


def _pictures(certificate: Certificate, branch: Branch) -> tuple[Path | None, Path | None]:
    """The seal and the logo with which a certificate was issued.

    One from before they were kept with it has the branch's logo, and the branch's seal if the branch issued it.
    """
    facts = certificate.facts
    if "seal" not in facts:
        bears_seal = certificate.unit == BRANCH_UNIT or branch.seals_districts
        return branch.seal if bears_seal else None, branch.logo
    digests = [digest for digest in (facts["seal"], facts["logo"]) if digest]
    if not digests:
        return None, None
    files = pictures.files(_session(certificate), digests)
    return files.get(facts["seal"]), files.get(facts["logo"])


def _id_digits(certificate: Certificate, shown: IdDigits) -> str | None:
    if shown is IdDigits.NONE:
        return None
    return wordings.id_digits(certificate.enrolment.trainee.open_id_number(), shown)


def _session(certificate: Certificate) -> Session:
    db = object_session(certificate)
    if db is None:
        raise ValueError(
            f"certificate {certificate.number} belongs to no session, and its pictures are in the database"
        )
    return db
