import io
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import bounded_process, sheet_parser
from lms.core.bounded_process import Bounds
from tests.courses.imports.past_files import PastWorld
from tests.factories import Make


@pytest.fixture
def world(db: Session, make: Make, settings: Settings) -> PastWorld:
    return PastWorld(db, make, settings)


@pytest.fixture
def parsed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are parsed in this process: for tests that read hundreds of files and are about something else."""

    def run(module: str, parts: Iterable[bytes], bounds: Bounds, **arguments: Any) -> Iterator[Any]:
        return sheet_parser.program(io.BytesIO(b"".join(parts)), **arguments)

    monkeypatch.setattr(bounded_process, "run", run)
