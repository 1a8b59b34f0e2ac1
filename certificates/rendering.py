"""A certificate as a document: A4, PDF/A-2a and PDF/UA-1, the same bytes whenever it is made again.

Typst sets it with the one font that the package `noto-cjk` brings; the machine's own fonts are ignored, so
that a certificate looks the same wherever it was made. A character that the font lacks is an error, never an
empty box in somebody's name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import typst
from noto_cjk import otc_path

from certificates import qr
from lms.core.errors import N_, DomainError

_TEMPLATES = Path(__file__).parent / "document"
_STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]
_MISSING_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
# One compiler serves one caller at a time, and web threads may ask together.
_compiling = Lock()


@dataclass(frozen=True, slots=True)
class CertificateDocument:
    """Everything that the paper says. `hours` are class hours; `valid_until` is None when it does not expire.

    `address_prefix` is the address up to the digits (https://HOST/v/); `verify_address` is where a person
    types the number and the name.
    """

    number: str
    holder: str
    programme_zh: str
    programme_en: str
    course_zh: str
    course_en: str
    hours: Decimal
    issued_on: date
    valid_until: date | None
    unit_zh: str
    unit_en: str
    instructor: str
    instructor_registration: str
    organisation_zh: str
    organisation_en: str
    address_prefix: str
    digits: str
    verify_address: str


def render(document: CertificateDocument) -> bytes:
    """Return the PDF, one page.

    Raises DomainError, naming the certificate: `certificate_glyph_missing` when the font lacks a character,
    `certificate_too_long` when its texts do not fit one page.
    """
    facts = json.dumps(_facts(document), ensure_ascii=False)
    # Noon in UTC is the issue day everywhere in China; a fixed moment keeps the bytes the same.
    timestamp = int(datetime.combine(document.issued_on, time(12), tzinfo=UTC).timestamp())
    try:
        with _compiling:
            pdf = _compiler().compile(
                format="pdf",
                sys_inputs={"certificate": facts},
                pdf_standards=_STANDARDS,
                timestamp=timestamp,
            )
    except typst.TypstError as error:
        raise _explained(error, document.number) from error
    if not isinstance(pdf, bytes):
        raise TypeError(f"typst made no PDF of certificate {document.number}")
    return pdf


def _explained(error: typst.TypstError, number: str) -> Exception:
    """Return what a person can act on; anything else is a fault of ours and keeps its type and trace."""
    missing = _MISSING_GLYPH.search(error.message)
    if missing is not None:
        return DomainError(
            "certificate_glyph_missing",
            N_("Certificate %(number)s cannot be printed: the font has no character for “%(text)s”."),
            number=number,
            text=missing.group(1),
        )
    if "does not fit one page" in error.message:
        return DomainError(
            "certificate_too_long",
            N_("Certificate %(number)s cannot be printed: its texts are too long for one page."),
            number=number,
        )
    error.add_note(f"while rendering certificate {number}")
    return error


def _facts(document: CertificateDocument) -> dict[str, Any]:
    """Return what the template reads; days as [year, month, day]."""
    modules = qr.matrix(document.address_prefix, document.digits, qr.Level.Q)
    return {
        "number": document.number,
        "holder": document.holder,
        "programme_zh": document.programme_zh,
        "programme_en": document.programme_en,
        "course_zh": document.course_zh,
        "course_en": document.course_en,
        "hours": f"{document.hours.normalize():f}",
        "issued_on": _day(document.issued_on),
        "valid_until": _day(document.valid_until) if document.valid_until else None,
        "unit_zh": document.unit_zh,
        "unit_en": document.unit_en,
        "instructor": document.instructor,
        "instructor_registration": document.instructor_registration,
        "organisation_zh": document.organisation_zh,
        "organisation_en": document.organisation_en,
        "address": document.address_prefix + document.digits,
        "verify_address": document.verify_address,
        "code": qr.svg(modules),
        "code_modules": len(modules),
        "quiet_zone": qr.QUIET_ZONE,
    }


def _day(day: date) -> list[int]:
    return [day.year, day.month, day.day]


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    """Load font and template once a process, when first needed: its threads would not survive a fork."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(otc_path("sans")).parent)],
    )
    return typst.Compiler(str(_TEMPLATES / "certificate.typ"), root=str(_TEMPLATES), font_paths=fonts)
