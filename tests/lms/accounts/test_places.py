"""Districts and organisations in which roles hold: found by the ways people name them, within reach."""

import pytest
from sqlalchemy.orm import Session

from lms.accounts import places
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

DISTRICT_1 = Scope(district_ids=frozenset({1}))


@pytest.mark.parametrize("text", ["2", "110102", "西城区", "XICHENG"])
def test_a_district_is_found_by_number_code_and_name(db: Session, text: str) -> None:
    assert places.district_called(db, text) == 2


@pytest.mark.parametrize("text", ["", "99", "西城", "1101020", "-2"])
def test_an_unknown_district_is_refused_by_its_text(db: Session, text: str) -> None:
    with pytest.raises(DomainError) as refusal:
        places.district_called(db, text)
    assert (refusal.value.code, refusal.value.params) == ("district_unknown", {"name": text})


def test_roles_are_granted_for_districts_within_reach(db: Session) -> None:
    assert [place.id for place in places.districts(db, EVERYTHING)] == list(range(1, 17))
    assert [place.id for place in places.districts(db, DISTRICT_1)] == [1]
    assert places.districts(db, Scope()) == []


def test_places_of_grants_are_named(db: Session, make: Make) -> None:
    school = make.organisation(2, name_zh="西城一中")
    user = make.user(Role.COORDINATOR, Role.AUDITOR, organisation_id=school.id)
    district = make.user(Role.DISTRICT_ADMINISTRATOR)
    named = places.of_grants(db, [*user.grants, *district.grants])
    assert {key: place.name_zh for key, place in named.items()} == {(None, school.id): "西城一中", (1, None): "东城区"}


def test_an_organisation_is_meant_by_its_whole_name_or_by_the_only_part_that_fits(db: Session, make: Make) -> None:
    school = make.organisation(1, name_zh="东城一中")
    branch = make.organisation(1, name_zh="东城一中分校")
    elsewhere = make.organisation(2, name_zh="西城一中")
    assert places.organisation_named(db, "东城一中", DISTRICT_1) == school.id
    assert places.organisation_named(db, "分校", DISTRICT_1) == branch.id
    with pytest.raises(DomainError) as several:
        places.organisation_named(db, "一中", DISTRICT_1)
    assert several.value.params == {"names": "东城一中、东城一中分校"}
    with pytest.raises(DomainError, match="No organisation"):
        places.organisation_named(db, elsewhere.name_zh, DISTRICT_1)


def test_suggestions_are_active_organisations_with_the_shortest_names_first(db: Session, make: Make) -> None:
    make.organisation(1, name_zh="东城一中分校")
    make.organisation(1, name_zh="东城一中")
    closed = make.organisation(1, name_zh="东城一")
    closed.active = False
    db.flush()
    assert [place.name_zh for place in places.suggest(db, "东城一", EVERYTHING)] == ["东城一中", "东城一中分校"]
    assert places.suggest(db, "东城一", Scope()) == []
    assert places.suggest(db, "%", EVERYTHING) == []
