"""The list of pairs: the reach of both records, the order, and the decision that they are two people."""

import pytest
from sqlalchemy.orm import Session

from courses.merging import pairs
from courses.models.merges import TraineePair
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make


def test_a_district_sees_the_pairs_of_which_both_records_are_its_own(db: Session, make: Make) -> None:
    own = [make.trainee("张三", district_id=1) for _ in range(3)]
    other = make.trainee("张三", district_id=2)
    rows = [(own[0], own[1], "phone_sound", 70), (own[1], own[2], "phone_name", 90), (own[0], other, "id_number", 100)]
    for first, second, reason, weight in rows:
        db.add(TraineePair(first_id=first.id, second_id=second.id, reasons=[reason], weight=weight))
    db.flush()
    district = Scope(district_ids=frozenset({1}))
    assert [row.weight for row in pairs.listing(db, EVERYTHING, 1).rows] == [100, 90, 70]
    assert [row.weight for row in pairs.listing(db, district, 1).rows] == [90, 70]
    assert [each.id for _pair, each in pairs.of_person(db, own[1], district)] == [own[2].id, own[0].id]
    pairs.set_apart(db, own[2].id, own[1].id, district, apart=True)
    pairs.set_apart(db, own[2].id, own[1].id, district, apart=True)
    assert [row.weight for row in pairs.listing(db, district, 1, apart=True).rows] == [90]
    with pytest.raises(NotFound):
        pairs.set_apart(db, own[0].id, other.id, district, apart=True)
