"""Views are saved by name, shared within the owner's reach, and answered within the reader's."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.models.saved_views import SavedView, ViewAudience
from courses.reports import saved_views
from courses.reports.questions import Grouping
from lms.accounts.models import User
from lms.core.errors import DomainError, NotFound
from lms.core.scope import Role, Scope
from tests.courses.worlds import BEIJING
from tests.factories import Make

TODAY = date(2026, 5, 3)


def reach(user: User, **reach: object) -> Scope:
    return Scope(user_id=user.id, **reach)  # type: ignore[arg-type]


def names(db: Session, scope: Scope) -> list[str]:
    return [view.name for view in saved_views.listing(db, scope)]


def test_a_view_is_shared_within_the_owners_reach(db: Session, make: Make) -> None:
    host = make.organisation(1)
    district = reach(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1), district_ids=frozenset({1}))
    other = reach(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2), district_ids=frozenset({2}))
    city = reach(make.user(Role.CITY_ADMINISTRATOR), everything=True)
    coordinator = reach(make.user(Role.COORDINATOR, organisation_id=host.id), organisation_ids=frozenset({host.id}))
    saved_views.save(db, "自己的", "enrolment", {}, district)
    saved_views.save(db, "本区的", "hours", {"period": "last_quarter"}, district, audience="district:1")
    saved_views.save(db, "全市的", "indicators", {}, city, audience="branch")
    saved_views.save(db, "本单位的", "enrolment", {}, coordinator, audience=f"organisation:{host.id}")
    assert set(names(db, district)) == {"自己的", "本区的", "全市的"}
    assert names(db, district)[0] in {"自己的", "本区的"}
    assert names(db, other) == ["全市的"]
    assert set(names(db, city)) == {"本区的", "全市的", "本单位的"}
    assert set(names(db, coordinator)) == {"全市的", "本单位的"}
    for scope, audience in (
        (district, "district:2"),
        (district, "branch"),
        (coordinator, "organisation:0"),
        (city, "x"),
    ):
        with pytest.raises(NotFound):
            saved_views.save(db, "越界", "enrolment", {}, scope, audience=audience)
    auditor = Scope(everything=True, user_id=city.user_id, read_only=True)
    assert [audience.code for audience in saved_views.audiences(auditor)] == ["nobody"]


def test_a_view_is_changed_and_deleted_by_its_owner_alone(db: Session, make: Make) -> None:
    owner, other = (reach(make.user(Role.CITY_ADMINISTRATOR), everything=True) for _ in range(2))
    view = saved_views.save(db, " 季度  报表 ", "enrolment", {"period": "last_quarter"}, owner, audience="branch")
    assert view.name == "季度 报表"
    assert saved_views.view_of(db, view.ref, other) is view
    with pytest.raises(NotFound):
        saved_views.own_view(db, view.ref, other)
    assert saved_views.save(db, "季度 报表", "enrolment", {"period": "last_quarter"}, owner) is view
    with pytest.raises(DomainError):
        saved_views.save(db, "季度 报表", "enrolment", {}, owner)
    saved_views.save(db, "另一个", "enrolment", {}, owner)
    for name in ("另一个", "", "长" * 61, "\u200b"):
        with pytest.raises(DomainError):
            saved_views.change(db, view, name, "nobody", owner)
        db.refresh(view)
    saved_views.change(db, saved_views.own_view(db, view.ref, owner), "改名", "nobody", owner)
    assert (view.name, view.audience) == ("改名", ViewAudience.NOBODY)
    with pytest.raises(NotFound):
        saved_views.view_of(db, view.ref, other)
    saved_views.remove(db, view)
    assert names(db, owner) == ["另一个"]


def test_a_relative_period_stays_relative(db: Session, make: Make) -> None:
    scope = reach(make.user(Role.CITY_ADMINISTRATOR), everything=True)
    view = saved_views.save(db, "上季", "indicators", {"period": "last_quarter", "sector": "school"}, scope)
    for today, first in ((TODAY, date(2026, 1, 1)), (date(2026, 7, 1), date(2026, 4, 1))):
        filters = saved_views.question_of(db, view, scope, today=today, zone=BEIJING).filters
        assert (filters.since, filters.sector, filters.grouping) == (first, "school", Grouping.DISTRICT)


@pytest.mark.parametrize(
    "arguments",
    [{"programme": "GONE"}, {"course": "999999"}, {"district": "99"}, {"district": "2"}, {"host": "999999"}, {"period": "1950"},
     {"period": "x"}, {"since": "2026-13-01"}, {"sector": "x"}, {"grouping": "x"}, {"refresher": "x"}],
)  # fmt: skip
def test_a_view_that_no_longer_holds_says_so(db: Session, make: Make, arguments: dict[str, str]) -> None:
    user = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1)
    view = SavedView(owner_id=user.id, name="旧", report="enrolment", arguments=arguments)
    with pytest.raises(DomainError) as refusal:
        saved_views.question_of(db, view, reach(user, district_ids=frozenset({1})), today=TODAY, zone=BEIJING)
    assert refusal.value.code == "view_outdated"
