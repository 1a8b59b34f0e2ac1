"""The readable certificate number, such as BJ-FR-2026-0000123-C.

It consists of branch, programme, year of issue, serial, and an ISO/IEC 7064 MOD 37,36 check character over everything
before it. The number carries no secret. People read it out, write it down and type it in again, so `parse` accepts many
forms, and rejects every number whose check character is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lms.core.errors import N_, DomainError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_MODULUS = len(ALPHABET)
_SERIAL_LIMIT = 2**32
# The characters that people and keyboards put between groups: blanks, every Unicode dash and the minus sign, dots, slashes.
_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212\u30fc\-_.·/]+")


@dataclass(frozen=True, slots=True)
class CertificateNumber:
    """The parts of a number. `text` is its canonical form."""

    programme: str
    year: int
    serial: int
    text: str


@dataclass(frozen=True, slots=True)
class NumberScheme:
    """The branch's form of numbers: the branch code (letters) and the least width of the serial in digits.

    A serial that outgrows the width is written in full, so the width is only a matter of looks.
    """

    branch: str = "BJ"
    width: int = 7

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{1,8}", self.branch):
            raise ValueError(f"branch code must be 1 to 8 capital letters, not {self.branch!r}")
        if not 1 <= self.width <= 10:
            raise ValueError(f"serial width must be 1 to 10 digits, not {self.width}")

    def compose(self, programme: str, year: int, serial: int) -> str:
        """Write the number.

        `programme` is the programme's short code, letters only (FR), so that it can be told from the year when the
        dashes are missing.
        """
        if not re.fullmatch(r"[A-Z]{1,8}", programme):
            raise ValueError(f"programme code must be 1 to 8 capital letters, not {programme!r}")
        if not 2000 <= year <= 9999 or not 0 <= serial < _SERIAL_LIMIT:
            raise ValueError(f"year {year} or serial {serial} out of range")
        stem = f"{self.branch}-{programme}-{year:04}-{serial:0{self.width}}"
        return f"{stem}-{check_character(stem.replace('-', ''))}"

    def parse(self, text: str) -> CertificateNumber:
        """Read a number that a person typed: any case, full-width characters, other dashes, spaces or none.

        Raises DomainError `certificate_number_malformed` when it is not a number of this scheme and
        `certificate_number_mistyped` when its check character does not fit.
        """
        plain = _plain(text)
        match = self._match(plain)
        if match is None:
            raise DomainError("certificate_number_malformed", N_("This is not a certificate number."))
        programme, year, serial, check = match.groups()
        if check_character(plain[:-1]) != check:
            raise DomainError(
                "certificate_number_mistyped",
                N_("The certificate number contains a typing error. Compare it with the certificate."),
            )
        canonical = f"{int(serial):0{self.width}}"
        if canonical != serial or int(serial) >= _SERIAL_LIMIT:
            raise DomainError("certificate_number_malformed", N_("This is not a certificate number."))
        return CertificateNumber(
            programme, int(year), int(serial), f"{self.branch}-{programme}-{year}-{serial}-{check}"
        )

    def has_form(self, text: str) -> bool:
        """Tell whether a text has the form of a number of this scheme, with whatever check character."""
        return self._match(_plain(text)) is not None

    def expected_check(self, text: str) -> str:
        """Return the check character that belongs to the rest of a number; "" for a text of another form."""
        plain = _plain(text)
        return check_character(plain[:-1]) if self._match(plain) is not None else ""

    def _match(self, plain: str) -> re.Match[str] | None:
        shape = rf"{self.branch}([A-Z]{{1,8}})([2-9][0-9]{{3}})([0-9]{{{self.width},10}})([0-9A-Z])"
        return re.fullmatch(shape, plain)

    def normalise(self, text: str) -> str:
        """Return the canonical form of what a person typed; errors as in `parse`."""
        return self.parse(text).text


def _plain(text: str) -> str:
    """The letters and digits of a number as it is compared."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_character(text: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character of a text of digits and capital letters.

    It catches each single wrong character, and each swap of neighbours except of two that follow one another
    in the alphabet (such as 4 and 5, or 0 and Z), of which it misses one in 36.
    """
    return ALPHABET[(1 - _running(text)) % _MODULUS]


def _running(text: str) -> int:
    product = _MODULUS
    for character in text:
        total = (product + _VALUES[character]) % _MODULUS or _MODULUS
        product = total * 2 % (_MODULUS + 1)
    return product
