"""A training with one session that shows a check-in code."""

import pytest

from courses.attendance.self_check_in import code_display
from lms.core import clock
from tests.courses.closing.steps import loaded


@pytest.fixture
def offering(make):
    return make.offering()


@pytest.fixture
def meeting(db, offering):
    session = loaded(db, offering)
    code_display.show(db, session, now=clock.now())
    return session
