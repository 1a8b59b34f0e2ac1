"""The counts of what needs somebody: only the needs that the user has lists of, in one statement."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from lms.portal import needs
from lms.portal.needs import Need, NeedMoments
from tests.factories import Make


def moments() -> NeedMoments:
    now = clock.now()
    return NeedMoments(now, clock.branch_today(), now - timedelta(days=30))


def test_only_the_lists_of_the_user_are_counted_in_one_statement(
    db: Session, make: Make, statements: list[str]
) -> None:
    make.offering(starts=[clock.now() - timedelta(days=4)])
    statements.clear()
    scopes = {need: EVERYTHING for need in Need}
    numbers = needs.read(db, scopes, moments())
    assert len(statements) == 1
    assert set(numbers) == set(Need) - {Need.TARGETS}
    assert numbers[Need.UNCLOSED] == 1
    assert needs.read(db, {Need.UNCLOSED: Scope(district_ids=frozenset({2}))}, moments()) == {Need.UNCLOSED: 0}
    assert needs.read(db, {}, moments()) == {}


def test_a_session_is_late_48_hours_after_its_end_and_only_in_a_published_offering(db: Session, make: Make) -> None:
    now = clock.now()
    for hours, state in ((49, OfferingState.PUBLISHED), (47, OfferingState.PUBLISHED), (99, OfferingState.DRAFT)):
        make.offering(starts=[now - timedelta(hours=hours + 3)], hours=3, state=state)
    assert needs.read(db, {Need.UNCLOSED: EVERYTHING}, moments()) == {Need.UNCLOSED: 1}
