"""The pages of targets, population and opening balances: who sets them, what a wrong cell says, what the report shows."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.config import Settings
from lms.core.scope import Role
from tests.courses.imports.files_of import Importer
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ROW = {
    "month": "2012-05", "district": "海淀区", "programme": "RESCUE", "person_times": "12000", "source": "2012年年报",
}  # fmt: skip


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:  # the kinds are registered with the application
    return Importer(db, settings, "opening_balances")


def test_targets_are_set_by_the_city_and_read_by_the_district(make: Make, sign_in: SignIn) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    saved = city.post("/reports/targets/2025", data={"target-RESCUE-1": "１,200"}, follow_redirects=True)
    assert "1,200" in saved.get_data(as_text=True)
    assert city.post("/reports/targets/2025", data={"target-RESCUE-1": "many"}).status_code == 422
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    page = district.get("/reports/targets/2025").get_data(as_text=True)
    assert "1,200" in page
    assert "target-cell" not in page
    assert district.post("/reports/targets/2025", data={}).status_code == 403
    assert city.get("/reports/targets/1979").status_code == 404


def test_a_wrong_cell_keeps_what_was_typed(make: Make, sign_in: SignIn) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = city.post("/reports/population/2017", data={"people-1": "98万", "people-2": "5", "source": "年鉴"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="98万"' in page
    assert "100,000,000" in page
    assert city.post("/reports/population/2017", data={"people-1": "5"}).status_code == 422
    saved = city.post("/reports/population/2017", data={"people-1": "5", "source": "年鉴"}, follow_redirects=True)
    assert 'value="5"' in saved.get_data(as_text=True)


def test_opening_balances_stand_apart_in_the_report_and_are_added_in(
    make: Make, sign_in: SignIn, importer: Importer
) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert 'href="/imports/new/opening_balances"' in city.get("/reports/opening-balances/").get_data(as_text=True)
    done = importer.done([ROW])
    assert 'href="/reports/opening-balances/"' in city.get(f"/imports/{done.ref}").get_data(as_text=True)
    report = city.get("/reports/enrolment?since=2012-01-01&until=2012-12-31").get_data(as_text=True)
    assert '<p class="report-figure">12,000</p>' in report
    assert '<h2 id="opening">' in report
    sources = city.get("/reports/opening-balances/").get_data(as_text=True)
    assert "2012年年报" in sources
    [number] = re.findall(r"/reports/opening-balances/(\d+)", sources)
    assert "2012-05,海淀区,RESCUE,12000" in city.get(f"/reports/opening-balances/{number}/file").get_data(as_text=True)
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert district.get("/reports/opening-balances/").status_code == 403
    other = district.get("/reports/enrolment?since=2012-01-01&until=2012-12-31").get_data(as_text=True)
    assert "12,000" not in other
    withdrawn = city.post(f"/reports/opening-balances/{number}/withdraw", data={"reason": "表格版本有误"})
    assert withdrawn.status_code == 302
    assert "12,000" not in city.get("/reports/enrolment?since=2012-01-01&until=2012-12-31").get_data(as_text=True)


def test_indicators_stand_beside_their_targets(make: Make, sign_in: SignIn, importer: Importer) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    importer.done([ROW])
    city.post("/reports/targets/2012", data={"target-RESCUE-6": "24000"})
    page = city.get("/reports/indicators/?since=2012-01-01&until=2012-12-31&grouping=year").get_data(as_text=True)
    assert "50.0%" in page
    assert not re.search(r"<a[^>]*>12,000</a>", page)  # nothing that a link could lead to
    assert not re.search(r"<a[^>]*>12,000</a>", city.get("/reports/targets/2012").get_data(as_text=True))
    assert "24,000" in page
    assert city.get("/reports/indicators/?since=2012-13-01").status_code == 422
    for grouping in ("month", "quarter", "programme", "district", "course", "instructor", "host", "sector"):
        assert city.get(f"/reports/indicators/?grouping={grouping}").status_code == 200
    coordinator = sign_in(make.user(Role.COORDINATOR, organisation_id=make.organisation().id))
    assert coordinator.get("/reports/indicators/").status_code == 200


def test_targets_come_from_last_year_and_from_a_file(make: Make, sign_in: SignIn) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    city.post("/reports/targets/2024", data={"target-RESCUE-1": "1000", "sector-RESCUE-school": "40"})
    assert city.post("/reports/targets/2025/copy", data={"percent": "0"}).status_code == 422
    assert city.post("/reports/targets/2025/copy", data={"percent": "110"}).status_code == 302
    page = city.get("/reports/targets/2025").get_data(as_text=True)
    assert ('value="1100"' in page, 'value="44"' in page) == (True, True)
    sent = "区,培训项目,目标\n东城区,RESCUE,1234\n天津,RESCUE,5\n"
    answer = city.post("/reports/targets/2025/file", data={"file": (io.BytesIO(sent.encode()), "t.csv")})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert ('value="1234"' in page, "天津" in page) == (True, True)
    shown = re.search(r'name="shown-RESCUE-1" value="(\d+)"', page)
    assert shown is not None
    assert shown[1] == "1100"  # nothing is saved yet
    saved = city.post("/reports/targets/2025", data={"target-RESCUE-1": "1234", "shown-RESCUE-1": "1100"})
    assert saved.status_code == 302
    assert (
        city.post("/reports/targets/2025/file", data={"file": (io.BytesIO(b"a,b\n1,2\n"), "t.csv")}).status_code == 422
    )
    file = city.get("/reports/targets/2025/sectors/export/csv").get_data(as_text=True)
    assert "44" in file
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert district.post("/reports/targets/2025/copy", data={"percent": "110"}).status_code == 403
    assert "by-sector" not in district.get("/reports/targets/2025").get_data(as_text=True)
