import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from zlib import crc32

import pytest
import qrcode
from PIL import Image, ImageEnhance, ImageFilter

from courses.attendance import scanning
from lms.core import crypto
from lms.core.errors import DomainError

ADDRESS = "https://training.example.org/tickets/"


def drawn(text: str) -> Image.Image:
    return qrcode.make(text, border=4, box_size=8).get_image().convert("RGB")


def photographed(code: Image.Image, *, angle: float = 8, blur: float = 1.2, width: int = 1500) -> Image.Image:
    """A ticket on a grey table, turned, a little out of focus, in bad light."""
    scene = Image.new("RGB", (width, width * 4 // 3), (96, 90, 84))
    size = width * 2 // 5
    turned = code.resize((size, size)).rotate(angle, expand=True, fillcolor=(96, 90, 84))
    scene.paste(turned, (width // 4, width // 3))
    return ImageEnhance.Brightness(scene.filter(ImageFilter.GaussianBlur(blur))).enhance(0.6)


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("text", ["{}", "https://training.example.org/tickets/{}", "http://x/tickets/{}?lang=en"])
def test_a_ticket_is_an_address_or_bare(text):
    ticket = crypto.token()
    assert scanning.ticket_in(text.format(ticket)) == ticket


@pytest.mark.parametrize("text", ["", "WIFI:S:x;P:y;;", "https://example.org/v/123456", "https://x/tickets/short"])
def test_other_codes_are_no_tickets(text):
    assert scanning.ticket_in(text) is None


@pytest.mark.parametrize("angle", [0, 8, 45, 90, 187])
@pytest.mark.parametrize(("kind", "width"), [("JPEG", 1500), ("PNG", 900), ("WEBP", 1200), ("JPEG", 4000)])
def test_a_photograph_is_read(angle, kind, width):
    ticket = crypto.token()
    picture = photographed(drawn(ADDRESS + ticket), angle=angle, width=width)
    assert scanning.ticket_on(saved(picture, kind)) == ticket


def test_the_rotation_in_the_metadata_is_not_needed():
    ticket = crypto.token()
    image = photographed(drawn(ADDRESS + ticket))
    exif = image.getexif()
    exif[0x0112] = 6
    assert scanning.ticket_on(saved(image, exif=exif)) == ticket


def refused(picture: bytes) -> DomainError:
    with pytest.raises(DomainError) as caught:
        scanning.ticket_on(picture)
    return caught.value


def test_refusals_say_what_is_wrong():
    blank = Image.new("RGB", (800, 800), "white")
    assert refused(saved(blank)).code == "no_code"
    assert refused(saved(drawn("https://example.org/"), "PNG")).code == "ticket_unknown"
    assert refused(b"%PDF-1.7 not a picture").code == "not_a_picture"
    assert refused(b"").code == "not_a_picture"
    assert refused(saved(photographed(drawn(ADDRESS + crypto.token())))[:2000]).code == "not_a_picture"
    assert refused(saved(drawn("x"), "GIF")).code == "not_a_picture"


def test_two_tickets_are_not_guessed_between():
    both = Image.new("RGB", (900, 450), "white")
    for place in (0, 450):
        both.paste(drawn(ADDRESS + crypto.token()).resize((420, 420)), (place + 10, 10))
    assert refused(saved(both, "PNG")).code == "many_codes"


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = saved(Image.new("1", (12000, 12000)), "PNG")
    assert len(bomb) < 100_000
    assert refused(bomb).status == 413
    assert refused(b"\0" * (scanning.BYTES_LIMIT + 1)).status == 413


def test_a_picture_that_lies_or_is_cut_is_refused():
    png = saved(drawn(ADDRESS + crypto.token()), "PNG")
    header = b"IHDR" + (60_000).to_bytes(4, "big") + (40_000).to_bytes(4, "big") + png[24:29]
    wide = png[:12] + header + crc32(header).to_bytes(4, "big") + png[33:]
    assert refused(wide).code == "picture_too_large"
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = saved(photographed(drawn(ADDRESS + crypto.token())), kind)
        for length in (30, len(whole) // 2):
            assert refused(whole[:length]).code == "not_a_picture"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nobody_waits_while_the_largest_picture_is_decoded(kind):
    """As many pixels as are allowed in a file of some hundred kilobytes: other threads of this process go on meanwhile."""
    side = 5000 if kind == "WEBP" else 7000
    bomb = saved(Image.new("RGB", (side, side), "white"), kind, **({"method": 0} if kind == "WEBP" else {}))
    longest = 0.0
    with ThreadPoolExecutor(1) as other:
        began = last = time.perf_counter()
        decoding = other.submit(lambda: scanning.codes_on(bomb))
        while not decoding.done():
            time.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        assert decoding.result() == []
    sys.stdout.write(
        f"{kind} of {len(bomb):,} bytes, decoded in {last - began:.2f} s: others waited {longest * 1000:.0f} ms\n"
    )
    assert longest < 1


def test_a_damaged_picture_is_read_or_refused():
    chance = random.Random(7)
    ticket = crypto.token()
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = saved(photographed(drawn(ADDRESS + ticket), width=600), kind)
        for _try in range(4):
            damaged = bytearray(whole)
            for _byte in range(chance.choice([1, 20, 300])):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                outcome = scanning.ticket_on(bytes(damaged))
            except DomainError as error:
                outcome = error.code
            assert outcome in {ticket, "not_a_picture", "no_code", "ticket_unknown", "picture_too_large"}
