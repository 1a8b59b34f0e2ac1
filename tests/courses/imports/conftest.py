import pytest
from sqlalchemy.orm import Session

from lms.config import Settings
from tests.courses.imports.past_files import PastWorld
from tests.factories import Make


@pytest.fixture
def world(db: Session, make: Make, settings: Settings) -> PastWorld:
    return PastWorld(db, make, settings)
