"""Layouts tried on paper before they are saved: a specimen with long texts shows whether they fit and can be printed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from certificates import rendering
from certificates.branch import Branch
from certificates.layouts.wording import LEAST_CONTRAST, IdDigits, Wording, contrast_with_white, id_digits, is_colour
from certificates.rendering import CertificateDocument, Layout
from courses.models.catalogue import Course
from lms.core import fonts
from lms.core.errors import N_, DomainError

_NAME = "张小三"
_LONG_NAME = "阿卜杜热西提·阿卜杜克热木·买买提艾力"
_ID_NUMBER = "11010119900307002X"
_TEXTS = ("title_zh", "title_en", "sentence_zh", "sentence_en", "footer_zh", "footer_en")


def specimen(
    wording: Wording, course: Course | None, branch: Branch, today: date, seal: Path | None = None
) -> CertificateDocument:
    """Return a certificate of nobody in this layout, of the course or, where there is none, of texts of usual length."""
    unit_zh, unit_en = (
        ("北京市海淀区红十字会", "Haidian District Red Cross") if course is None else (branch.name_zh, branch.name_en)
    )
    return CertificateDocument(
        number=branch.scheme.compose(course.programme.short_code if course else "FR", today.year, 0),
        holder=_NAME,
        second_name="Zhang Xiaosan",
        programme_zh=course.programme.name_zh if course else "救护员培训",
        programme_en=course.programme.name_en if course else "First-responder training",
        course_zh=course.name_zh if course else "红十字救护员",
        course_en=course.name_en if course else "Red Cross First Responder",
        hours=course.hours if course else Decimal(16),
        issued_on=today,
        valid_until=today + timedelta(days=3 * 365),
        unit_zh=unit_zh,
        unit_en=unit_en,
        instructor="李建国",
        instructor_registration="SZ-2019-00127",
        organisation_zh=branch.name_zh,
        organisation_en=branch.name_en,
        address_prefix=f"{branch.public_url}/v/",
        digits="123456789" * 22,
        verify_address=f"{branch.public_url}/verify",
        seal=seal,
        logo=branch.logo,
        id_digits=id_digits(_ID_NUMBER, wording.id_digits),
        wording=wording,
        specimen=True,
    )


def pages(document: CertificateDocument, layout: Layout) -> Sequence[bytes]:
    """Return the pages of a specimen as PNGs. Raises DomainError as `demand_room` does."""
    _demand_valid(document.wording)
    return rendering.pictures(document, layout)


def demand_room(document: CertificateDocument) -> None:
    """Refuse a wording that cannot be printed, or for which a paper has no room with a long name.

    Raises DomainError: `layout_text_missing`, `layout_colour_wrong`, `layout_glyph_missing` or `layout_too_long`.
    """
    _demand_valid(document.wording)
    longest = replace(document, holder=_LONG_NAME, id_digits=id_digits(_ID_NUMBER, IdDigits.ENDS))
    for layout, message in (
        (Layout.A4, N_("The A4 certificate has no room for these texts together with a long name. Shorten them.")),
        (Layout.CARD, N_("The wallet card has no room for these texts together with a long name. Shorten them.")),
    ):
        refused = rendering.refusal(longest, layout)
        if refused is not None:
            raise DomainError("layout_too_long", message, status=422) from refused


def _demand_valid(wording: Wording) -> None:
    for name in ("title_zh", "title_en", "sentence_zh", "sentence_en"):
        if not getattr(wording, name).strip():
            raise DomainError("layout_text_missing", N_("Enter this text."), status=422, field=name)
    for name in _TEXTS:
        missing = fonts.unprintable(getattr(wording, name))
        if missing:
            raise DomainError(
                "layout_glyph_missing",
                N_("No font has %(characters)s."),
                status=422,
                field=name,
                characters=fonts.named(missing),
            )
    for name in ("colour", "accent"):
        if not is_colour(getattr(wording, name)):
            raise DomainError("layout_colour_wrong", N_("Choose a colour."), status=422, field=name)
    if contrast_with_white(wording.colour) < LEAST_CONTRAST:
        raise DomainError(
            "layout_colour_wrong",
            N_("This colour is too light: the title on white, and white on the card's band, could not be read."),
            status=422,
            field="colour",
        )
