"""Districts: all sixteen in one order, and those that a scope administers."""

from sqlalchemy.orm import Session

from lms.core.scope import EVERYTHING, Scope
from lms.organisations import districts


def test_all_districts_are_listed_in_the_order_of_their_units(db: Session) -> None:
    assert [district.id for district in districts.everyone(db)] == list(range(1, 17))


def test_a_scope_administers_its_own_districts(db: Session) -> None:
    assert [district.id for district in districts.administered(db, Scope(district_ids=frozenset({3, 1})))] == [1, 3]
    assert len(districts.administered(db, EVERYTHING)) == 16
    assert districts.administered(db, Scope(organisation_ids=frozenset({1}))) == []
