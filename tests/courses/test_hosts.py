"""Finding the host that a planner typed."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses import hosts
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make


@pytest.mark.parametrize(
    "text", ["红星小学", " 红星小学 · 西城区", "Red Star School", "red star school · xicheng", "红星小学·西城区"]
)
def test_finds_by_either_name_with_or_without_the_district(db: Session, make: Make, text: str) -> None:
    school = make.organisation(2, name_zh="红星小学", name_en="Red Star School")
    assert hosts.find(db, text, EVERYTHING) == school


def test_the_same_name_needs_its_district_and_in_one_district_its_number(app: Flask, db: Session, make: Make) -> None:
    schools = [make.organisation(district, name_zh="红星小学") for district in (2, 3, 3)]
    for text in ("红星小学", "红星小学 · 朝阳区"):
        with pytest.raises(DomainError) as refused:
            hosts.find(db, text, EVERYTHING)
        assert refused.value.code == "organisation_ambiguous"
    with app.app_context():
        written = hosts.labels(schools)
    assert written[0] == "红星小学 · 西城区"
    assert [hosts.find(db, text, EVERYTHING) for text in written] == schools


def test_neither_another_district_s_nor_an_inactive_one_is_found(db: Session, make: Make) -> None:
    make.organisation(2, name_zh="红星小学")
    make.organisation(1, name_zh="红星中学", active=False)
    for name in ("红星小学", "红星中学", "", "·", "#"):
        with pytest.raises(DomainError) as refused:
            hosts.find(db, name, Scope(district_ids=frozenset({1})))
        assert refused.value.code == "organisation_unknown"
