"""Finding the host organisation that a planner types, and suggesting some."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.offerings import hosts
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
        labels = hosts.labels(schools)
    assert labels[0] == "红星小学 · 西城区"
    assert [hosts.find(db, text, EVERYTHING) for text in labels] == schools
    assert [hosts.find(db, f"#{school.id}", EVERYTHING) for school in schools] == schools
    with pytest.raises(DomainError):
        hosts.find(db, f"#{schools[0].id}", Scope(district_ids=frozenset({3})))


def test_an_organisation_out_of_scope_or_inactive_is_not_found(db: Session, make: Make) -> None:
    make.organisation(2, name_zh="红星小学")
    make.organisation(1, name_zh="红星中学", active=False)
    for name in ("红星小学", "红星中学", "", "·", "#"):
        with pytest.raises(DomainError) as refused:
            hosts.find(db, name, Scope(district_ids=frozenset({1})))
        assert refused.value.code == "organisation_unknown"


def test_suggestions_contain_the_input_within_the_scope(app: Flask, db: Session, make: Make) -> None:
    make.organisation(2, name_zh="第一红星小学")
    for _ in range(3):
        make.organisation(3, name_zh="红星小学", name_en="Red Star School")
    make.organisation(1, name_zh="红星中学", active=False)
    with app.app_context():
        labels = hosts.suggest(db, EVERYTHING, "红星", limit=9)
        few = hosts.suggest(db, EVERYTHING, "红星", limit=1)
        english = hosts.suggest(db, EVERYTHING, "red st", limit=9)
        own = hosts.suggest(db, Scope(district_ids=frozenset({2})), "红星", limit=9)
        nothing = hosts.suggest(db, EVERYTHING, "%", limit=9)
    assert [text.partition(" · #")[0] for text in labels] == ["红星小学 · 朝阳区"] * 3 + ["第一红星小学 · 西城区"]
    assert len(set(labels)) == 4
    assert few == labels[:1]
    assert english == labels[:3]
    assert own == labels[3:]
    assert nothing == []
