"""The wording and the look of a certificate: what the branch may choose, as one value that certificates keep.

A certificate keeps what differed from `DEFAULT` when it was issued (`facts["layout"]`), so that a reprint is the same. `DEFAULT`
itself never changes for that reason: all certificates from before layouts could be edited are printed by it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self

# Contrast of text by WCAG 2.2, level AA. The title is printed in the colour on white, and the card's heading in white on it.
LEAST_CONTRAST: Final = 4.5
_COLOUR = re.compile("#[0-9a-f]{6}")


class IdDigits(StrEnum):
    """The digits of the holder's ID number on the paper: none, the last four characters, or all but the birth date."""

    NONE = "none"
    LAST = "last"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts and choices of a layout. Colours are written "#b5121b"; the card prints `footer_zh` alone."""

    title_zh: str = "培训合格证书"
    title_en: str = "Certificate of Completion"
    sentence_zh: str = "完成下列培训并经考核合格"
    sentence_en: str = "has completed the training below and passed its assessment"
    footer_zh: str = ""
    footer_en: str = ""
    colour: str = "#b5121b"
    accent: str = "#b08d57"
    id_digits: IdDigits = IdDigits.NONE
    show_programme: bool = True
    show_instructor: bool = True

    @classmethod
    def of_facts(cls, kept: Mapping[str, Any] | None) -> Self:
        """Return the wording that a certificate kept: `DEFAULT` but for these values."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in (kept or {}).items() if name in known}
        if "id_digits" in values:
            values["id_digits"] = IdDigits(values["id_digits"])
        return cls(**values)

    def for_facts(self) -> dict[str, Any]:
        """Return what differs from `DEFAULT`, as values that JSON can hold."""
        default = asdict(DEFAULT)
        return {
            name: str(value) if isinstance(value, IdDigits) else value
            for name, value in asdict(self).items()
            if value != default[name]
        }

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that are printed."""
        return (
            self.title_zh, self.title_en, self.sentence_zh, self.sentence_en, self.footer_zh, self.footer_en,
        )  # fmt: skip


DEFAULT: Final = Wording()


def id_digits(number: str | None, shown: IdDigits) -> str | None:
    """Return an ID number as it is printed; None where nothing is, or where the number is too short to hide anything.

    ENDS keeps the region and the last four characters of a resident's number: 110101********002X. Of a shorter number only the
    last four are kept, because its parts mean nothing: *****1234.
    """
    if shown is IdDigits.NONE or number is None or len(number) <= 6:
        return None
    if shown is IdDigits.ENDS and len(number) == 18:
        return number[:6] + "*" * 8 + number[-4:]
    return "*" * (len(number) - 4) + number[-4:]


def is_colour(text: str) -> bool:
    """Tell whether a text is a colour as a layout writes it."""
    return _COLOUR.fullmatch(text) is not None


def contrast_with_white(colour: str) -> float:
    """Return the contrast ratio of a colour and white by WCAG 2.2: 1 for white, 21 for black."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
