"""Typesetting of a certificate: A4 and wallet card as PDF/A-2a and PDF/UA-1, with the same bytes each time.

Typst uses the fonts of `lms.core.fonts` and ignores the machine's others, so that a certificate looks the same wherever it
is made. A character that the fonts lack is an error, on paper and in pictures, never an empty box in somebody's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

import typst

from certificates import qr
from lms.core import fonts, typesetting
from lms.core.errors import N_, DomainError

_TEMPLATES = Path(__file__).parent / "typst_templates"
_STANDARDS: Final[list[typst.PDFStandard]] = ["a-2a", "ua-1"]
_MISSING_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_PREVIEW_PPI = 110.0  # 909 × 1286 pixels: sharp on a phone, 100 KB
_BADGE_PPI = 144.0  # 600 × 600 pixels
# A compiler serves one caller at a time, and several web threads may call it together.
_compiling = Lock()


class Layout(Enum):
    """The documents of a certificate: the template, and the error correction level of its QR code."""

    A4 = ("certificate.typ", qr.Level.Q)
    CARD = ("card.typ", qr.Level.M)


@dataclass(frozen=True, slots=True)
class CertificateDocument:
    """All texts of a certificate. `hours` are class hours; `valid_until` is None when the certificate does not expire.

    `address_prefix` is the address up to the digits (https://HOST/v/); `verify_address` is the page on which a person
    types the number and the name. `seal` and `logo` are the organisation's own images, SVG or PNG; without one, nothing
    is drawn.
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
    seal: Path | None = None
    logo: Path | None = None


def render(document: CertificateDocument, layout: Layout = Layout.A4) -> bytes:
    """Return the PDF: one page of A4, or the card's two sides.

    Raises DomainError, naming the certificate: `certificate_glyph_missing` when the font lacks a character,
    `certificate_too_long` when its texts do not fit.
    """
    return _set(layout.value[0], document, _facts(document, layout), format="pdf", pdf_standards=_STANDARDS)


def preview(document: CertificateDocument) -> bytes:
    """Return the A4 certificate as a PNG, as it looks on paper. Raises as `render` does."""
    return _set(Layout.A4.value[0], document, _facts(document, Layout.A4), format="png", ppi=_PREVIEW_PPI)


def badge(document: CertificateDocument) -> bytes:
    """Return the badge's image, a square PNG with the programme, the organisation and the year. Raises as `render`
    does.
    """
    facts = {
        name: getattr(document, name) for name in ("programme_zh", "programme_en", "organisation_zh", "organisation_en")
    }
    return _set("badge.typ", document, facts | {"year": document.issued_on.year}, format="png", ppi=_BADGE_PPI)


def left_out(missing: Sequence[tuple[str, str]]) -> bytes:
    """Return a PDF that names certificates by number and says why they could not be typeset.

    A character that no font has is named by its code point: it cannot be printed here either.
    """
    facts = {"missing": [[number, _spelled(reason)] for number, reason in missing]}
    with _compiling:
        document = typesetting.compiler(_TEMPLATES / "left_out.typ").compile(
            sys_inputs=typesetting.inputs(facts), timestamp=0, format="pdf"
        )
    if not isinstance(document, bytes):
        raise TypeError("typst made no single document")
    return document


def _spelled(reason: str) -> str:
    for cluster in fonts.unprintable(reason):
        reason = reason.replace(fonts.named([cluster]), fonts.code_points(cluster))
        reason = reason.replace(cluster, fonts.code_points(cluster))
    return reason


def _set(template: str, document: CertificateDocument, facts: Mapping[str, Any], **how: Any) -> bytes:
    # Noon in UTC is the issue day everywhere in China; a fixed moment keeps the bytes the same.
    timestamp = int(datetime.combine(document.issued_on, time(12), tzinfo=UTC).timestamp())
    # Typst says of a PDF alone that a character is missing; in a picture it draws an empty box.
    if missing := fonts.unprintable(" ".join(typesetting.texts(facts))):
        raise _glyph_missing(document.number, fonts.named(missing))
    try:
        with _compiling:
            compiler = typesetting.compiler(_folder(document.seal, document.logo) / template)
            output = compiler.compile(sys_inputs=typesetting.inputs(facts), timestamp=timestamp, **how)
    except typst.TypstError as error:
        raise _explained(error, document.number) from error
    if not isinstance(output, bytes):
        raise TypeError(f"typst made no single document of certificate {document.number}")
    return output


def _explained(error: typst.TypstError, number: str) -> Exception:
    """Return an error that a person can act on; any other error is a defect of ours and keeps its type and traceback."""
    missing = _MISSING_GLYPH.search(error.message)
    if missing is not None:
        return _glyph_missing(number, missing.group(1))
    if "does not fit" in error.message:
        return DomainError(
            "certificate_too_long",
            N_("Certificate %(number)s cannot be printed: its texts are too long for one page."),
            number=number,
        )
    error.add_note(f"while rendering certificate {number}")
    return error


def _glyph_missing(number: str, characters: str) -> DomainError:
    return DomainError(
        "certificate_glyph_missing",
        N_("Certificate %(number)s cannot be printed: no font has %(text)s."),
        number=number,
        text=characters,
    )


def _facts(document: CertificateDocument, layout: Layout) -> dict[str, Any]:
    """Return the inputs of the templates; days as [year, month, day], images by their name in the compiler's folder."""
    modules = qr.matrix(document.address_prefix, document.digits, layout.value[1])
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
        "seal": _picture("seal", document.seal),
        "logo": _picture("logo", document.logo),
    }


def _day(day: date) -> list[int]:
    return [day.year, day.month, day.day]


def _picture(name: str, file: Path | None) -> str | None:
    return f"{name}{file.suffix.lower()}" if file is not None else None


@lru_cache(maxsize=4)
def _folder(seal: Path | None, logo: Path | None) -> Path:
    """Return the folder that Typst may read: the templates, and beside them the organisation's images if it has some."""
    if seal is None and logo is None:
        return _TEMPLATES
    temporary_folder = TemporaryDirectory(prefix="lms-document-")
    _temporary_folders.append(temporary_folder)
    folder = Path(temporary_folder.name)
    for file in _TEMPLATES.glob("*.typ"):
        copyfile(file, folder / file.name)
    for name, picture in (("seal", seal), ("logo", logo)):
        if picture is not None:
            copyfile(picture, folder / str(_picture(name, picture)))
    return folder


# Temporary folders live as long as the process; they are removed at its end.
_temporary_folders: list[TemporaryDirectory[str]] = []
