"""The limit of what a crowd may ask: counted here alone, and yet one limit for a machine's processes together."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.core import lean
from lms.core.lean import Window


def allowed(window: Window, address: str) -> int:
    return sum(window.allows(address) for _ in range(100))


@pytest.mark.parametrize(("processes", "each"), [(1, 60), (4, 15), (7, 9)])
def test_processes_share_a_limit_and_addresses_do_not(processes: int, each: int) -> None:
    window = Window("scan", 60, shared=True)
    window.among(processes)
    assert [allowed(window, "192.0.2.1"), allowed(window, "192.0.2.2")] == [each, each]
    alone = Window("device", 60)
    alone.among(processes)
    assert allowed(alone, "192.0.2.1") == 60


@pytest.fixture
def four_processes(app: Flask) -> Iterator[None]:
    lean.spread(4)
    yield
    lean.spread(1)


@pytest.mark.usefixtures("four_processes")
def test_a_scan_counts_against_this_process_s_part(client: FlaskClient) -> None:
    assert [client.get("/v/1").status_code for _ in range(16)] == [200] * 15 + [429]
