"""The icon as PNG: the colours of the SVG where the SVG has them."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lms.config import ROOT
from lms.core.app_icon import png

SVG = ROOT / "lms" / "static" / "icon.svg"
RED, WHITE = (179, 22, 29), (255, 255, 255)


def near(colour: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(value - expected) <= 8 for value, expected in zip(colour, other, strict=True))


@pytest.mark.parametrize("size", [192, 512])
@pytest.mark.parametrize("maskable", [False, True])
def test_a_white_tick_on_red(size: int, *, maskable: bool) -> None:
    content = png(SVG, size, maskable=maskable)
    assert len(content) < 30_000
    image = Image.open(BytesIO(content)).convert("RGBA")
    assert image.size == (size, size)

    def at(x: float, y: float) -> tuple[int, ...]:
        pixel = image.getpixel((int(x * size / 32), int(y * size / 32)))
        assert isinstance(pixel, tuple)
        return pixel

    assert at(0.1, 0.1)[3] == (255 if maskable else 0)
    assert near(at(16, 3)[:3], RED)
    scale = 0.8 if maskable else 1
    for x, y in ((8, 17.5), (13.2, 22.5), (24, 10)):
        assert near(at(16 + (x - 16) * scale, 16 + (y - 16) * scale)[:3], WHITE)


def test_another_drawing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "icon.svg").write_text("<svg/>")
    with pytest.raises(ValueError, match="another way"):
        png(tmp_path / "icon.svg", 192)
