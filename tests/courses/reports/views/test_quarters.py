"""The page of quarters: what is frozen, and freezing one by hand."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from courses.counting import person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.offerings import OfferingState
from courses.models.quarters import FrozenQuarter
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.courses.reports.views.test_enrolment import PAIR, cells, text_of
from tests.courses.worlds import BEIJING, Plan, World

AUTUMN = datetime(2025, 10, 20, tzinfo=UTC)


@pytest.fixture
def held(db):
    world = World(db)
    offering = world.close(Plan(date(2025, 2, 1), (30,), PAIR, False, 1))
    world.close(Plan(date(2025, 8, 1), (100,), (), False, 2, "RESCUE"))
    db.commit()
    return offering


@pytest.mark.parametrize("role", [Role.CITY_ADMINISTRATOR, Role.DISTRICT_ADMINISTRATOR, Role.AUDITOR])
def test_every_quarter_that_is_over_stands_with_its_figures(make, sign_in, held, role):
    with clock.at(AUTUMN):
        browser = sign_in(make.user(role))
        rows = cells(text_of(browser, "/reports/quarters/?lang=en"))
    shown = "Open Freeze" if role is Role.CITY_ADMINISTRATOR else "Open"
    assert rows[1:] == [["2025Q3", "100", shown], ["2025Q2", "0", shown], ["2025Q1", "32", shown]]


def test_the_city_freezes_a_quarter_and_a_correction_counts_in_the_open_one(db, make, sign_in, held):
    with clock.at(AUTUMN):
        user = make.user(Role.CITY_ADMINISTRATOR, name="刘市级")
        city = sign_in(user)
        assert "32" in text_of(city, "/reports/quarters/2025Q1/freeze")
        assert city.post("/reports/quarters/2025Q1/freeze").status_code == 302
        page = text_of(city, "/reports/quarters/?lang=en")
        assert "Frozen" in page
        assert "刘市级" in page
        froze = text_of(city, "/reports/quarters/2025Q1/freeze?lang=en")
        assert "Frozen already" in froze
        assert cells(froze)[-1] == ["Whole branch", "32", "2", "0", "1"]
        session = held.sessions[0].id
        assert (
            "2025Q1, in which this offering was counted, is frozen"
            in city.get(f"/sessions/{session}/correction?lang=en").text
        )
        World(db).fill(held, Plan(date(2025, 2, 1), (50,), PAIR, False, 1))
        person_time.record_correction(db, held, "补交签到表", BEIJING)
        db.commit()
        found = {one.quarter: one.person_times for one in quarters.listing(db, BEIJING)}
        assert found[Quarter(2025, 1)] == 32
        today = "since=2025-10-01&until=2025-12-31"
        assert cells(text_of(city, f"/reports/enrolment?{today}&lang=en"))[-1][1] == "20"
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "quarter.freeze")).one()
    assert (entry.subject, entry.user_id) == ("quarter:2025Q1", user.id)


def test_only_a_quarter_that_is_over_is_frozen(db, make, sign_in, held):
    with clock.at(AUTUMN):
        city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
        answer = city.post("/reports/quarters/2025Q4/freeze?lang=en")
        assert answer.status_code == 422
        assert "has not ended" in answer.text
        for code in ("2025Q5", "x", "20251"):
            assert city.get(f"/reports/quarters/{code}/freeze").status_code == 404
    assert db.scalars(select(FrozenQuarter)).all() == []


def test_the_page_warns_of_offerings_in_progress_before_freezing(db, make, sign_in, held):
    with clock.at(AUTUMN):
        offering = World(db).hold(Plan(date(2025, 8, 10), (70,), PAIR, False, 1))
        offering.state, offering.closed_at, offering.counted_on = OfferingState.PUBLISHED, None, None
        db.commit()
        city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
        page = text_of(city, "/reports/quarters/2025Q3/freeze?lang=en")
        assert "1 offering of this quarter is not closed yet: 2 attended, 70 by headcount" in page
        assert "not closed yet" not in text_of(city, "/reports/quarters/2025Q1/freeze?lang=en")
