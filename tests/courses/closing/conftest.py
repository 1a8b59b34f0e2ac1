from datetime import timedelta

import pytest

from courses.closing import closing
from lms.core import clock
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, arrived, loaded, passing


@pytest.fixture
def offering(make):
    return make.offering(course=make.new_course(skills=1), starts=[clock.now() - timedelta(hours=2)], hours=1)


@pytest.fixture
def closed(db, make, offering):
    """Three enrolments of a closed offering: two completed, the third absent."""
    rows = [make.enrolment(offering) for _ in range(3)]
    for row in rows[:2]:
        passing(db, arrived(db, row))
    closing.close(db, loaded(db, offering), zone=ZONE, **CONFIRMED)
    db.info["events"].clear()
    return rows
