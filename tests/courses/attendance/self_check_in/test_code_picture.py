"""QR codes as bits and as SVG paths, read back as a camera reads them."""

import base64
import re

import pytest
import zxingcpp
from PIL import Image

from courses.attendance.self_check_in import code_picture

ADDRESS = "https://training.example.org/s/123456/AbCdEfGhIjKlMnOp"
SCALE = 8


def read(dark_modules, side):
    """Draw the dark modules (column, row), with a quiet zone, and return the text that a reader finds."""
    width = (side + 2 * code_picture.QUIET_ZONE) * SCALE
    picture = Image.new("L", (width, width), 255)
    for column, row in dark_modules:
        x, y = column * SCALE, row * SCALE
        picture.paste(0, (x, y, x + SCALE, y + SCALE))
    (code,) = zxingcpp.read_barcodes(picture)
    return code.text


@pytest.mark.parametrize("text", [ADDRESS, "AbCdEfGhIjKlMnOpQrStUv"])
def test_the_bits_are_the_modules_row_by_row(text):
    side, octets = code_picture.side(text), base64.b64decode(code_picture.bits(text))
    assert len(octets) == -(-side * side // 8)
    quiet_zone = code_picture.QUIET_ZONE
    dark = [
        (place % side + quiet_zone, place // side + quiet_zone)
        for place in range(side * side)
        if octets[place >> 3] >> (7 - (place & 7)) & 1
    ]
    assert read(dark, side) == text


@pytest.mark.parametrize("text", [ADDRESS, "AbCdEfGhIjKlMnOpQrStUv"])
def test_the_path_has_a_square_for_each_dark_module(text):
    squares = re.findall(r"M(\d+) (\d+)h1v1h-1z", code_picture.path(text))
    assert "".join(f"M{x} {y}h1v1h-1z" for x, y in squares) == code_picture.path(text)
    assert len(squares) == sum(map(sum, code_picture.matrix(text)))
    assert read([(int(x), int(y)) for x, y in squares], code_picture.side(text)) == text


def test_a_longer_text_has_more_modules_and_each_text_its_own():
    assert code_picture.side("A" * 200) > code_picture.side("A")
    assert code_picture.bits("A" * 20) != code_picture.bits("B" * 20)
