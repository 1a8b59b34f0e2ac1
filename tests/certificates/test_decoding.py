"""Each damage of the benchmark on a few certificates: the code is read from what was printed, not from what was made."""

from dataclasses import replace
from datetime import date

import pytest

from benchmarks.decoding import DPI, SPOILS, Sample, Spoil, drawn, failures, read
from certificates.payload import Payload, encode
from certificates.rendering import Layout, render
from tests.certificates.test_rendering import KEY, SAMPLE

SERIALS = (1, 123_456, 4_000_000_000)


def sample(serial: int, layout: Layout) -> Sample:
    digits = encode(Payload(1, 2, 6, serial, date(2026, 3, 5), None, b"\1\2\3\4\5\6"), KEY.sign)
    return Sample(render(replace(SAMPLE, digits=digits, valid_until=None), layout), SAMPLE.address_prefix + digits)


@pytest.fixture(scope="module", params=Layout)
def samples(request: pytest.FixtureRequest) -> list[Sample]:
    return [sample(serial, request.param) for serial in SERIALS]


@pytest.mark.parametrize("dpi", DPI)
@pytest.mark.parametrize(("name", "spoil"), SPOILS)
def test_the_code_is_read(samples: list[Sample], dpi: int, name: str, spoil: Spoil) -> None:
    assert failures(samples, dpi, spoil) == [], f"{name} at {dpi} dpi"


def test_the_table_would_show_what_cannot_be_read(samples: list[Sample]) -> None:
    """Six percent hide nothing; a code of which two thirds are gone is lost, and counted as lost."""

    def torn(picture: object, _chance: object) -> object:
        return picture.crop((0, 0, picture.width, picture.height // 3))  # type: ignore[attr-defined]

    assert read(drawn(samples[0].pdf, 150)) is not None
    assert failures(samples[:1], 150, torn) == [samples[0].address]  # type: ignore[arg-type]
