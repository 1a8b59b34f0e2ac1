"""The rosters of a device's day: those of today and tomorrow by the branch's clock, of its own user alone."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from courses.attendance.devices import day
from courses.models.offerings import OfferingState
from lms.core import clock
from tests.courses.conftest import Door
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")


def test_the_day_holds_the_rosters_of_today_and_tomorrow(
    door: Door, make: Make, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At half past eleven in the evening of the branch, when it is still afternoon by UTC."""
    midnight = datetime.combine(clock.today(ZONE) + timedelta(days=3), time.min, ZONE)
    lead = door.offering.lead_instructor
    hours = {"the night before": -10, "over midnight": -2, "morning": 9, "tomorrow's last": 39, "after tomorrow": 48}
    meetings = {
        name: make.offering(starts=[midnight + timedelta(hours=hour)], lead=lead).sessions[0]
        for name, hour in hours.items()
    }
    make.enrolment(meetings["morning"].offering, make.trainee("赵六一"))
    make.offering(starts=[midnight + timedelta(hours=10)])  # another instructor's
    draft = make.offering(starts=[midnight + timedelta(hours=18)], lead=lead)
    draft.state = OfferingState.DRAFT
    db.commit()
    monkeypatch.setattr(clock, "now", lambda: midnight + timedelta(hours=23, minutes=30))
    answer = door.get("/api/v1/day").json
    assert answer is not None
    assert [roster["session"]["id"] for roster in answer["rosters"]] == [
        meetings[name].id for name in ("over midnight", "morning", "tomorrow's last")
    ]
    assert datetime.fromisoformat(answer["from"]) == midnight
    assert datetime.fromisoformat(answer["until"]) == midnight + timedelta(days=2)
    alone = door.get(f"/api/v1/sessions/{meetings['morning'].id}/roster").json
    assert alone is not None
    alone.pop("server_time")
    assert answer["rosters"][1] == alone
    assert [person["name"] for person in alone["people"]] == ["赵*一"]


def test_a_device_that_stores_the_day_gets_it_again_only_once_it_has_changed(door: Door) -> None:
    first = door.get("/api/v1/day")
    tag = first.headers["ETag"]
    header = {"Authorization": f"Bearer {door.token}", "If-None-Match": tag}
    again = door.client.get("/api/v1/day", headers=header)
    assert (again.status_code, again.data) == (304, b"")
    door.send(door.event(0))
    changed = door.client.get("/api/v1/day", headers=header)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert changed.headers["Cache-Control"] == "no-store"


def test_the_answer_has_a_limit(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "SESSIONS_LIMIT", 0)
    answer = door.get("/api/v1/day").json
    assert answer is not None
    assert answer["rosters"] == []
