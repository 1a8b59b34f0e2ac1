"""The options of the filter bar: all programmes and courses, and the districts of the scope."""

from sqlalchemy.orm import Session

from courses.reports.filter_options import filter_options
from lms.core.scope import EVERYTHING, Scope
from tests.courses.reports.asking import in_district
from tests.factories import Make


def test_a_district_is_offered_only_within_the_scope(db: Session) -> None:
    assert {option.key for option in filter_options(db, in_district(1)).districts} == {"1"}
    assert len(filter_options(db, EVERYTHING).districts) == 16


def test_a_host_is_offered_where_it_belongs_or_held_an_offering(db: Session, make: Make) -> None:
    host = make.organisation(1)
    assert filter_options(db, in_district(2), host.id).host is None
    assert filter_options(db, EVERYTHING).host is None
    held = make.offering(organisation=host)
    held.district_id = 2
    db.flush()
    for scope in (EVERYTHING, in_district(1), in_district(2), Scope(organisation_ids=frozenset({host.id}))):
        chosen = filter_options(db, scope, host.id).host
        assert chosen is not None
        assert chosen.key == str(host.id)
    assert filter_options(db, in_district(3), host.id).host is None


def test_programmes_and_courses_are_offered_to_everybody(db: Session, make: Make) -> None:
    course = make.new_course(programme_code="RESCUE")
    options = filter_options(db, in_district(1))
    assert {"RESCUE", "FIRST_RESPONDER"} <= {option.key for option in options.programmes}
    assert str(course.id) in {option.key for option in options.courses}
