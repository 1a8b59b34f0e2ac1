"""The keys of sealed fields as the settings FIELD_KEY and FIELD_KEY_FALLBACKS have them."""

import base64
import binascii
from dataclasses import dataclass, field

KEY_BYTES = 32
FIRST_NUMBER, LAST_NUMBER = 1, 255  # the number is one byte, and zero is no number


@dataclass(frozen=True)
class NumberedKey:
    """A field key: 32 random bytes, and the number that stands in front of each ciphertext made with it."""

    number: int
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "NumberedKey":
        """A key as the settings have it: `N:base64`, or base64 alone for number 1. Raises ValueError, which says why."""
        digits, colon, encoded = text.rpartition(":")
        try:
            number = int(digits) if colon else FIRST_NUMBER
        except ValueError as error:
            raise ValueError("must be base64, or a number, a colon and base64, as in 2:…") from error
        if not FIRST_NUMBER <= number <= LAST_NUMBER:
            raise ValueError(f"must have a number from {FIRST_NUMBER} to {LAST_NUMBER}")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("is not base64") from error
        if len(secret) != KEY_BYTES:
            raise ValueError("must be 32 random bytes in base64 (openssl rand -base64 32)")
        return cls(number, secret)
