"""The checklist of a quarter that is to be frozen."""

from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.models.offerings import OfferingState
from courses.reports import freezing
from courses.reports.freezing import Point
from lms.core import clock
from lms.core.errors import DomainError
from tests.courses.worlds import BEIJING, Plan, World


def test_open_points_are_counted_and_freezing_needs_a_reason_then(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 2, 1), (30,), (), False, 1))
    late = world.hold(Plan(date(2025, 6, 30), (70,), (), False, 1))
    late.state, late.closed_at, late.counted_on = OfferingState.PUBLISHED, None, None
    db.flush()
    with clock.at(datetime(2025, 10, 20, 12, tzinfo=BEIJING)):
        numbers = {each.point: each.number for each in freezing.checklist(db, Quarter(2025, 2), BEIJING)}
        assert numbers == {
            Point.OPEN_OFFERINGS: 1, Point.REVIEWS: 0, Point.EARLIER_QUARTERS: 1, Point.BALANCES: 0,
        }  # fmt: skip
        with pytest.raises(DomainError) as refused:
            freezing.freeze(db, Quarter(2025, 2), BEIJING, " ")
        assert refused.value.field == "reason"
        freezing.freeze(db, Quarter(2025, 1), BEIJING, None)
        freezing.freeze(db, Quarter(2025, 2), BEIJING, "年报已上报")
        assert all(not each.is_open for each in freezing.checklist(db, Quarter(2025, 3), BEIJING))
        assert quarters.is_frozen(db, date(2025, 6, 30))
