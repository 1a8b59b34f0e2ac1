"""Typesetting of a certificate: A4, wallet card and sheets of cards as PDF/A-2a and PDF/UA-1, with the same bytes each time.

Typst uses the fonts of `lms.core.fonts` and ignores the machine's others, so that a certificate looks the same wherever it
is made. A character that the fonts lack is an error, on paper and in pictures, never an empty box in somebody's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

from certificates import qr
from certificates.layouts.wording import DEFAULT, Wording
from lms.core import actual_text, fonts, typesetting
from lms.core.errors import N_, DomainError

_TEMPLATES = Path(__file__).parent / "typst_templates"
_LEFT_OUT = typesetting.Template(_TEMPLATES / "left_out.typ")
_BADGE = "badge.typ"
_SHEET = "sheet.typ"
_STANDARDS: Final[list[typst.PDFStandard]] = ["a-2a", "ua-1"]
# The texts among the facts: what is left is numbers, days, pictures and the code.
_PRINTED: Final = (
    "number", "holder", "second_name", "programme_zh", "programme_en", "course_zh", "course_en", "qualification_zh",
    "qualification_en", "unit_zh", "unit_en", "instructor", "instructor_registration", "organisation_zh",
    "organisation_en", "verify_address",
)  # fmt: skip
_SHORT_NAME = re.compile("[\u0020-\u017f\u2e80-\u9fff\U00020000-\U0003ffff]{1,7}")
CARDS_ON_A_SHEET: Final = 10
_TRIAL_DIGITS = "123456789" * 22
_MISSING_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_PREVIEW_PPI = 110.0  # 909 × 1286 pixels: sharp on a phone, 100 KB
_CARD_PPI = 220.0  # 741 × 468 pixels for each side
_BADGE_PPI = 144.0  # 600 × 600 pixels
# A programme's letters choose one of these. White is read on all of them, and FR, ER and IN have different ones.
_BADGE_COLOURS: Final = ("#8a4b08", "#6b3fa0", "#1f5a96", "#b5121b", "#7a2048", "#1d6b45", "#0f6a73")
# A compiler serves one caller at a time, and several web threads may call it together.
_compiling = Lock()


class Layout(Enum):
    """The documents of a certificate, by template. Both have the code at the same error correction level and size."""

    A4 = "certificate.typ"
    CARD = "card.typ"


@dataclass(frozen=True, slots=True)
class CertificateDocument:
    """All texts of a certificate. `hours` are class hours; `valid_until` is None when the certificate does not expire.

    `address_prefix` is the address up to the digits (https://HOST/v/); `verify_address` is the page on which a person
    types the number and the name. `second_name` is another writing of the holder's name, printed under it. The
    qualification is printed large in the place of the course where there is one: it is what a refresher renewed.
    `id_digits` are the holder's ID number as it is printed, masked. `seal` is the issuing unit's image and `logo` the
    organisation's, SVG or PNG; without one, nothing is drawn. A `specimen` says across the page that it is no certificate.
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
    qualification_zh: str | None = None
    qualification_en: str | None = None
    qualification_hours: Decimal | None = None
    id_digits: str | None = None
    wording: Wording = DEFAULT
    specimen: bool = False
    certificate_type: int = 0

    @property
    def certified(self) -> tuple[str, str]:
        """The Chinese and the English name of what is certified: the qualification that a refresher renewed, else the course."""
        return self.qualification_zh or self.course_zh, self.qualification_en or self.course_en

    @property
    def certified_hours(self) -> Decimal:
        """The class hours of what is certified."""
        return self.hours if self.qualification_hours is None else self.qualification_hours

    @property
    def short_code(self) -> str:
        """The letters of the programme, which each number has after those of the branch: FR of BJ-FR-2026-0000123-C."""
        return self.number.split("-")[1]

    @property
    def people(self) -> list[str]:
        """The names of people that are printed: first the holder's writings, then the instructor."""
        return [*self.holder_names, *self.other_names]

    @property
    def holder_names(self) -> list[str]:
        """The writings of the holder's name in the order in which they are printed."""
        return [name for name in (self.holder, self.second_name) if name]

    @property
    def other_names(self) -> list[str]:
        """The other people's names that are printed."""
        return [self.instructor] if self.wording.show_instructor and self.instructor else []


def render(document: CertificateDocument, layout: Layout = Layout.A4) -> bytes:
    """Return the PDF: one page of A4, or the card's two sides.

    Raises DomainError, naming the certificate: `certificate_glyph_missing` when the font lacks a character,
    `certificate_too_long` when its texts do not fit.
    """
    return _set(layout.value, [document], _facts(document), format="pdf", pdf_standards=_STANDARDS)


def sheets(documents: Sequence[CertificateDocument]) -> bytes:
    """Return wallet cards on pages of A4 for cutting, ten on a sheet: their first sides on a page, their second on the next.

    Raises as `render` does, naming the first certificate, so that cards are tried before (`card_refusal`).
    """
    facts = {
        "cards": [_facts(document) for document in documents],
        "organisation_zh": documents[0].organisation_zh,
    }
    return _set(_SHEET, documents, facts, format="pdf", pdf_standards=_STANDARDS)


def card_refusal(document: CertificateDocument) -> DomainError | None:
    """Return the error with which `render` would refuse the wallet card, None when it can be made."""
    return refusal(document, Layout.CARD)


def refusal(document: CertificateDocument, layout: Layout) -> DomainError | None:
    """Return the error with which `render` would refuse this paper, None when it can be made.

    Names of few simple letters need the same room, so that a whole class is answered by one trial.
    """
    if (missing := _missing_from_fonts(document.number, _texts(document))) is not None:
        return missing
    trial = replace(
        document,
        number="0" * len(document.number),
        digits=_TRIAL_DIGITS,
        holder="W" * 7 if _SHORT_NAME.fullmatch(document.holder) else document.holder,
        id_digits="0" * 18 if document.id_digits else None,
    )
    return None if _is_held(trial, layout) else _too_long(document.number, layout.value)


@lru_cache(maxsize=1024)
def _is_held(document: CertificateDocument, layout: Layout) -> bool:
    try:
        render(document, layout)
    except DomainError:
        return False
    return True


def preview(document: CertificateDocument) -> bytes:
    """Return the A4 certificate as a PNG, as it looks on paper. Raises as `render` does."""
    [page] = pictures(document, Layout.A4)
    return page


def pictures(document: CertificateDocument, layout: Layout) -> Sequence[bytes]:
    """Return each page of a document as a PNG. Raises as `render` does."""
    ppi = _PREVIEW_PPI if layout is Layout.A4 else _CARD_PPI
    made = _compiled(layout.value, [document], _facts(document), format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


def badge(document: CertificateDocument) -> bytes:
    """Return the badge's image, a square PNG with the programme, the qualification, the organisation and the year.

    Colour, outline and letters tell badges apart where the texts are too small to read. Raises as `render` does.
    """
    names = ("programme_zh", "programme_en", "organisation_zh", "organisation_en", "qualification_zh", "course_zh")
    facts = {name: getattr(document, name) for name in names} | {
        "year": document.issued_on.year,
        "hours": f"{document.certified_hours.normalize():f}",
        "kind": document.certificate_type,
        "code": document.short_code,
        "colour": _BADGE_COLOURS[_colour_number(document.short_code)],
    }
    return _set(_BADGE, [document], facts, format="png", ppi=_BADGE_PPI)


def _colour_number(short_code: str) -> int:
    return sum(place * ord(letter) for place, letter in enumerate(short_code, 1)) % len(_BADGE_COLOURS)


def left_out(missing: Sequence[tuple[str, str]]) -> bytes:
    """Return a PDF that names certificates by number and says why they could not be typeset.

    A character that no font has is named by its code point: it cannot be printed here either.
    """
    return _LEFT_OUT.pdf({"missing": [list(pair) for pair in missing]}, datetime.fromtimestamp(0, UTC))


def _set(template: str, documents: Sequence[CertificateDocument], facts: Mapping[str, Any], **how: Any) -> bytes:
    output = _compiled(template, documents, facts, **how)
    if not isinstance(output, bytes):
        raise TypeError(f"typst made no single document of certificate {documents[0].number}")
    if how["format"] != "pdf":
        return output
    return actual_text.give(output, typesetting.marked(_people(template, documents)))


def _compiled(template: str, documents: Sequence[CertificateDocument], facts: Mapping[str, Any], **how: Any) -> Any:
    # Noon in UTC is the issue day everywhere in China; a fixed moment keeps the bytes the same.
    issued_on = max(document.issued_on for document in documents)
    timestamp = int(datetime.combine(issued_on, time(12), tzinfo=UTC).timestamp())
    # Typst says of a PDF alone that a character is missing; in a picture it draws an empty box.
    for document in documents:
        texts = _texts(document) if template != _BADGE else filter(None, (facts.get(name) for name in _PRINTED))
        if missing := _missing_from_fonts(document.number, texts):
            raise missing
    images = tuple(sorted({(_picture(file), file) for document in documents for file in _images(document)}))
    try:
        with _compiling:
            compiler = typesetting.compiler(_TEMPLATES / template, images)
            inputs = typesetting.inputs(facts, _people(template, documents))
            return compiler.compile(sys_inputs=inputs, timestamp=timestamp, **how)
    except typst.TypstError as error:
        raise _explained(error, documents[0].number, template) from error


def _people(template: str, documents: Sequence[CertificateDocument]) -> list[str]:
    """The names of people in the order in which a template prints them: a sheet has the instructors on its second page."""
    if template != _SHEET:
        return documents[0].people
    names = []
    for start in range(0, len(documents), CARDS_ON_A_SHEET):
        cards = documents[start : start + CARDS_ON_A_SHEET]
        names += [name for card in cards for name in card.holder_names]
        names += [name for card in cards for name in card.other_names]
    return names


def _explained(error: typst.TypstError, number: str, template: str) -> Exception:
    """Return an error that a person can act on; any other error is a defect of ours and keeps its type and traceback."""
    missing = _MISSING_GLYPH.search(error.message)
    if missing is not None:
        return _glyph_missing(number, missing.group(1))
    if "does not fit" in error.message:
        return _too_long(number, template)
    error.add_note(f"while rendering certificate {number}")
    return error


def _texts(document: CertificateDocument) -> Iterable[str]:
    return (*(text for name in _PRINTED if (text := getattr(document, name))), *document.wording.texts)


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
    if template in {Layout.CARD.value, _SHEET}:
        message = N_("The wallet card has no room for the texts of certificate %(number)s. Print it on A4.")
    else:
        message = N_("Certificate %(number)s cannot be printed: its texts are too long for one page.")
    return DomainError("certificate_too_long", message, number=number)


def _facts(document: CertificateDocument) -> dict[str, Any]:
    """Return the inputs of the templates; days as [year, month, day], images by their name in the compiler's folder."""
    modules = qr.matrix(document.address_prefix, document.digits, qr.Level.Q)
    return {
        "number": document.number,
        "holder": document.holder,
        "second_name": document.second_name,
        "programme_zh": document.programme_zh,
        "programme_en": document.programme_en,
        "course_zh": document.course_zh,
        "course_en": document.course_en,
        "qualification_zh": document.qualification_zh,
        "qualification_en": document.qualification_en,
        "hours": f"{document.certified_hours.normalize():f}",
        "refresher_hours": f"{document.hours.normalize():f}" if document.qualification_hours is not None else None,
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
        "seal": _picture(document.seal) if document.seal else None,
        "logo": _picture(document.logo) if document.logo else None,
        "id_digits": document.id_digits,
        "wording": asdict(document.wording),
        "specimen": document.specimen,
    }


def _day(day: date) -> list[int]:
    return [day.year, day.month, day.day]


def _images(document: CertificateDocument) -> Iterable[Path]:
    return (file for file in (document.seal, document.logo) if file is not None)


def _picture(file: Path) -> str:
    """The name of an image in the compiler's folder: by its path here, because two images may have one name."""
    return f"{sha256(bytes(file)).hexdigest()[:16]}{file.suffix.lower()}"
