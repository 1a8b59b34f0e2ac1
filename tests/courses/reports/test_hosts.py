"""Hosts are found by a part of their name, within the reader's reach."""

from sqlalchemy.orm import Session

from courses.reports import hosts
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import in_district
from tests.factories import Make


def test_a_host_is_found_within_the_reach(db: Session, make: Make) -> None:
    here, there = make.organisation(1), make.organisation(2)
    here.name_zh, there.name_zh, here.active = "红星小学", "西城红星中学", False
    db.flush()
    found = [row.id for row in hosts.search(db, EVERYTHING, "红星").rows]
    assert found == [here.id, there.id]
    assert [row.id for row in hosts.search(db, EVERYTHING, "红星", district=2).rows] == [there.id]
    assert [row.id for row in hosts.search(db, in_district(1), "红星").rows] == [here.id]
    coordinator = Scope(organisation_ids=frozenset({there.id}))
    assert [row.id for row in hosts.search(db, coordinator).rows] == [there.id]
    assert hosts.search(db, EVERYTHING, "%").rows == []
