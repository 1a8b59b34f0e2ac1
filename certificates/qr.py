"""The QR code of a certificate: the address prefix is a byte segment and the digits are a numeric segment.

Version and mask are fixed. Trying all masks, as encoders do, takes eight times as long and gains nothing that a scanner
notices.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from qrcode import constants
from qrcode.base import rs_blocks
from qrcode.main import QRCode
from qrcode.util import QRData

QUIET_ZONE = 4
_NUMERIC: Final = 1
_BYTES: Final = 4
_MASK = 6
_LARGEST_VERSION = 40

Matrix = list[list[bool]]


class Level(Enum):
    """Error correction: M restores 15 % of the code, Q 25 %."""

    M = constants.ERROR_CORRECT_M
    Q = constants.ERROR_CORRECT_Q


def matrix(prefix: str, digits: str, level: Level) -> Matrix:
    """Return the modules row by row, true where dark, without the quiet zone.

    `prefix` is the address up to the digits, ASCII. Raises ValueError when it is longer than any version holds, and for
    a run of about 40 zeros, which the encoder cannot divide; a signed payload never has one.
    """
    code: QRCode = QRCode(  # type: ignore[type-arg]
        version=version(len(prefix), len(digits), level),
        error_correction=level.value,
        border=0,
        mask_pattern=_MASK,
    )
    code.add_data(QRData(prefix.encode("ascii"), mode=_BYTES))
    code.add_data(QRData(digits.encode("ascii"), mode=_NUMERIC))
    code.make(fit=False)
    return [[bool(module) for module in row] for row in code.modules]


def version(prefix_length: int, digit_count: int, level: Level) -> int:
    """Return the smallest version (1 to 40) that holds so many bytes and then so many digits."""
    for candidate in range(1, _LARGEST_VERSION + 1):
        if _bits(prefix_length, digit_count, candidate) <= _CAPACITY[level][candidate - 1]:
            return candidate
    raise ValueError(f"no QR code holds a prefix of {prefix_length} bytes and {digit_count} digits")


def svg(modules: Matrix) -> str:
    """Return the code as one SVG path, quiet zone included, in units of one module.

    Adjacent dark modules of a row become one rectangle, which makes the file a quarter of the size of one with squares.
    """
    side = len(modules) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{_runs(modules)}"/></svg>'
    )


def _runs(modules: Matrix) -> str:
    """Return the path data of all runs; each move is relative to the start of the run before, where `z` returns to."""
    parts = []
    last_x, last_y = -QUIET_ZONE, -QUIET_ZONE
    for y, row in enumerate(modules):
        start = None
        for x, dark in enumerate([*row, False]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                parts.append(f"m{start - last_x} {y - last_y}h{x - start}v1h{start - x}z")
                last_x, last_y, start = start, y, None
    return "".join(parts)


def _bits(prefix_length: int, digit_count: int, candidate: int) -> int:
    """Return the length of the two segments in bits: mode, count and data of each (ISO/IEC 18004, 7.4)."""
    if candidate <= 9:
        byte_count, number_count = 8, 10
    elif candidate <= 26:
        byte_count, number_count = 16, 12
    else:
        byte_count, number_count = 16, 14
    thirds, rest = divmod(digit_count, 3)
    return 4 + byte_count + 8 * prefix_length + 4 + number_count + 10 * thirds + (0, 4, 7)[rest]


_CAPACITY = {
    level: [
        8 * sum(block.data_count for block in rs_blocks(candidate, level.value))
        for candidate in range(1, _LARGEST_VERSION + 1)
    ]
    for level in Level
}
