"""The limit of what a crowd may ask: counted here alone, and yet one limit for a machine's processes together."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.core import fast_path
from lms.core.fast_path import MinuteLimit


def allowed(limit: MinuteLimit, address: str) -> int:
    return sum(limit.allows(address) for _ in range(100))


@pytest.mark.parametrize(("processes", "each"), [(1, 60), (4, 15), (7, 9)])
def test_processes_share_a_limit_and_addresses_do_not(processes: int, each: int) -> None:
    limit = MinuteLimit("scan", 60, shared=True)
    limit.share_among(processes)
    assert [allowed(limit, "192.0.2.1"), allowed(limit, "192.0.2.2")] == [each, each]
    alone = MinuteLimit("device", 60)
    alone.share_among(processes)
    assert allowed(alone, "192.0.2.1") == 60


@pytest.fixture
def four_processes(app: Flask) -> Iterator[None]:
    fast_path.share_among_processes(4)
    yield
    fast_path.share_among_processes(1)


@pytest.mark.usefixtures("four_processes")
def test_a_scan_counts_against_this_process_s_part(client: FlaskClient) -> None:
    assert [client.get("/v/1").status_code for _ in range(16)] == [200] * 15 + [429]
