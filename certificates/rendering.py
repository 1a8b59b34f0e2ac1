"""Typesetting of a certificate: A4 and wallet card as PDF/A-2a and PDF/UA-1, with the same bytes each time.

Typst uses the fonts of `lms.core.fonts` and ignores the machine's others, so that a certificate looks the same wherever it
is made. A character that the fonts lack is an error, on paper and in pictures, never an empty box in somebody's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

from certificates import qr
from lms.core import actual_text, fonts, typesetting
from lms.core.errors import N_, DomainError

_TEMPLATES = Path(__file__).parent / "typst_templates"
_LEFT_OUT = typesetting.Template(_TEMPLATES / "left_out.typ")
_STANDARDS: Final[list[typst.PDFStandard]] = ["a-2a", "ua-1"]
# The texts among the facts: what is left is numbers, days, pictures and the code.
_PRINTED: Final = (
    "number", "holder", "programme_zh", "programme_en", "course_zh", "course_en", "unit_zh", "unit_en", "instructor",
    "instructor_registration", "organisation_zh", "organisation_en", "verify_address",
)  # fmt: skip
_SHORT_NAME = re.compile("[\u0020-\u017f\u2e80-\u9fff\U00020000-\U0003ffff]{1,7}")
_TRIAL_DIGITS = "123456789" * 22
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
    second_name: str | None = None


def render(document: CertificateDocument, layout: Layout = Layout.A4) -> bytes:
    """Return the PDF: one page of A4, or the card's two sides.

    Raises DomainError, naming the certificate: `certificate_glyph_missing` when the font lacks a character,
    `certificate_too_long` when its texts do not fit.
    """
    return _set(layout.value[0], document, _facts(document, layout), format="pdf", pdf_standards=_STANDARDS)


def card_refusal(document: CertificateDocument) -> DomainError | None:
    """Return the error with which `render` would refuse the wallet card, None when it can be made.

    Names of few simple letters need the same room, so that a whole class is answered by one trial.
    """
    if (missing := _missing_from_fonts(document.number, (getattr(document, name) for name in _PRINTED))) is not None:
        return missing
    trial = replace(
        document,
        number="0" * len(document.number),
        digits=_TRIAL_DIGITS,
        holder="W" * 7 if _SHORT_NAME.fullmatch(document.holder) else document.holder,
    )
    return None if _card_is_held(trial) else _too_long(document.number, Layout.CARD.value[0])


@lru_cache(maxsize=1024)
def _card_is_held(document: CertificateDocument) -> bool:
    try:
        render(document, Layout.CARD)
    except DomainError:
        return False
    return True


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
    return _LEFT_OUT.pdf({"missing": [list(pair) for pair in missing]}, datetime.fromtimestamp(0, UTC))


def _set(template: str, document: CertificateDocument, facts: Mapping[str, Any], **how: Any) -> bytes:
    # Noon in UTC is the issue day everywhere in China; a fixed moment keeps the bytes the same.
    timestamp = int(datetime.combine(document.issued_on, time(12), tzinfo=UTC).timestamp())
    names = [document.holder, document.instructor]
    # Typst says of a PDF alone that a character is missing; in a picture it draws an empty box.
    if missing := _missing_from_fonts(document.number, (facts[name] for name in _PRINTED if name in facts)):
        raise missing
    try:
        with _compiling:
            compiler = typesetting.compiler(_TEMPLATES / template, _pictures(document))
            output = compiler.compile(sys_inputs=typesetting.inputs(facts, names), timestamp=timestamp, **how)
    except typst.TypstError as error:
        raise _explained(error, document.number, template) from error
    if not isinstance(output, bytes):
        raise TypeError(f"typst made no single document of certificate {document.number}")
    return actual_text.give(output, typesetting.marked(names)) if how["format"] == "pdf" else output


def _explained(error: typst.TypstError, number: str, template: str) -> Exception:
    """Return an error that a person can act on; any other error is a defect of ours and keeps its type and traceback."""
    missing = _MISSING_GLYPH.search(error.message)
    if missing is not None:
        return _glyph_missing(number, missing.group(1))
    if "does not fit" in error.message:
        return _too_long(number, template)
    error.add_note(f"while rendering certificate {number}")
    return error


def _missing_from_fonts(number: str, texts: Iterable[str]) -> DomainError | None:
    missing = fonts.unprintable(" ".join(texts))
    return _glyph_missing(number, fonts.named(missing)) if missing else None


def _glyph_missing(number: str, characters: str) -> DomainError:
    return DomainError(
        "certificate_glyph_missing",
        N_("Certificate %(number)s cannot be printed: no font has %(text)s."),
        number=number,
        text=characters,
    )


def _too_long(number: str, template: str) -> DomainError:
    if template == Layout.CARD.value[0]:
        message = N_("The wallet card has no room for the texts of certificate %(number)s. Print it on A4.")
    else:
        message = N_("Certificate %(number)s cannot be printed: its texts are too long for one page.")
    return DomainError("certificate_too_long", message, number=number)


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


def _pictures(document: CertificateDocument) -> tuple[tuple[str, Path], ...]:
    pictures = (("seal", document.seal), ("logo", document.logo))
    return tuple((str(_picture(name, file)), file) for name, file in pictures if file is not None)
