"""The QR code, read back by a decoder that is not ours."""

import hashlib
import random
import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

from certificates.qr import QUIET_ZONE, Level, Matrix, matrix, svg, version

PREFIX = "https://lms.example.org/v/x"
DIGITS = "".join(random.Random(1).choices("0123456789", k=198))


def picture(modules: Matrix, scale: int = 4) -> Image.Image:
    side = (len(modules) + 2 * QUIET_ZONE) * scale
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                left, top = (x + QUIET_ZONE) * scale, (y + QUIET_ZONE) * scale
                draw.rectangle((left, top, left + scale - 1, top + scale - 1), fill=0)
    return image


@pytest.mark.parametrize("level", Level)
@settings(max_examples=15, deadline=None)
@given(body=st.binary(min_size=17, max_size=17), extra=st.text("abcxyz-.", max_size=30))
def test_a_decoder_reads_exactly_the_address(level: Level, body: bytes, extra: str) -> None:
    raw = b"\xb1" + body + hashlib.sha512(body).digest()
    digits = str(int.from_bytes(raw, "big")).zfill(198)
    prefix = f"https://h{extra}/v/"
    barcodes = zxingcpp.read_barcodes(picture(matrix(prefix, digits, level)))
    assert [barcode.text for barcode in barcodes] == [prefix + digits]
    assert barcodes[0].format == zxingcpp.BarcodeFormat.QRCode


@pytest.mark.parametrize(
    ("length", "level", "expected"),
    [(27, Level.M, 7), (27, Level.Q, 9), (24, Level.Q, 8), (25, Level.Q, 9)],
)
def test_versions_of_the_specification(length: int, level: Level, expected: int) -> None:
    assert version(length, 198, level) == expected
    assert len(matrix("x" * length, DIGITS, level)) == 17 + 4 * expected


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("length", [1, 24, 60, 61, 200, 700])
def test_the_version_is_the_smallest_that_fits(length: int, level: Level) -> None:
    smallest = version(length, 198, level)
    code = QRCode(version=smallest - 1, error_correction=level.value, mask_pattern=0)
    code.add_data(QRData(b"x" * length, mode=MODE_8BIT_BYTE))
    code.add_data(QRData(DIGITS.encode(), mode=MODE_NUMBER))
    with pytest.raises(DataOverflowError):
        code.make(fit=False)
    assert len(matrix("x" * length, DIGITS, level)) == 17 + 4 * smallest


def test_an_address_too_long_for_any_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no QR code holds"):
        matrix("x" * 3000, DIGITS, Level.M)


def test_the_path_draws_exactly_the_modules() -> None:
    modules = matrix(PREFIX, DIGITS, Level.Q)
    side = len(modules) + 2 * QUIET_ZONE
    drawing = svg(modules)
    assert f'viewBox="0 0 {side} {side}"' in drawing
    painted = [[False] * len(modules) for _ in modules]
    x = y = 0
    for right, down, width, back in re.findall(r"m(-?\d+) (-?\d+)h(\d+)v1h-(\d+)z", drawing):
        assert width == back
        x, y = x + int(right), y + int(down)
        for column in range(x, x + int(width)):
            assert not painted[y - QUIET_ZONE][column - QUIET_ZONE]
            painted[y - QUIET_ZONE][column - QUIET_ZONE] = True
    assert painted == modules
    assert len(drawing) < 10_000
