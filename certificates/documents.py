"""Documents of a certificate: the PDF to print, the wallet card and the preview, made on demand with the same bytes
each time.
"""

from decimal import Decimal

from certificates import qr, rendering
from certificates.branch import Branch
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


def card_refusal(certificate: Certificate, branch: Branch) -> DomainError | None:
    """Return the reason why a certificate can have no wallet card, None when it can; see `rendering.card_refusal`."""
    return rendering.card_refusal(document_of(certificate, branch)) if is_printable(certificate) else None


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
    """Return the texts of the document: the facts that were stored when the certificate was issued, and the second writing
    of the name, which its holder may ask for later.
    """
    facts = certificate.facts
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
        seal=branch.seal,
        logo=branch.logo,
        second_name=second_name(certificate),
    )


def second_name(certificate: Certificate) -> str | None:
    """Return the writing that the holder wants beneath the name; None where there is none of the name that is printed."""
    return next((row.writing for row in certificate.second_names if row.name == certificate.holder_name), None)
