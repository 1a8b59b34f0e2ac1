"""The program that finds the codes of a picture, in this process: its rules without the process around it."""

from io import BytesIO

import pytest
import qrcode
from PIL import Image

from courses.attendance import picture_codes
from lms.core.errors import DomainError


def saved(image: Image.Image, kind: str) -> BytesIO:
    out = BytesIO()
    image.save(out, kind)
    out.seek(0)
    return out


def test_all_codes_of_a_picture_are_found() -> None:
    scene = Image.new("RGB", (1400, 700), "white")
    for number, text in enumerate(["first", "second"]):
        scene.paste(qrcode.make(text).get_image().convert("RGB").resize((500, 500)), (100 + 700 * number, 100))
    assert sorted(picture_codes.program(saved(scene, "PNG"))) == ["first", "second"]
    assert list(picture_codes.program(saved(Image.new("RGB", (300, 300)), "JPEG"))) == []


def test_pixels_are_counted_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(picture_codes.PIXELS_LIMITS, "PNG", 10_000)
    with pytest.raises(DomainError) as refused:
        list(picture_codes.program(saved(Image.new("RGB", (200, 200)), "PNG")))
    assert refused.value.code == "picture_too_large"
