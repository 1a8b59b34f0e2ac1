"""Opening balances of the period belong to a report, where the report asks for what they know."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.reports.opening_totals import OpeningTotals, opening_totals
from courses.reports.questions import Grouping, end_of_day
from lms.config import Settings
from lms.core import clock
from tests.courses.imports.files_of import Importer
from tests.courses.reports.asking import ask, in_district
from tests.courses.worlds import BEIJING


@pytest.fixture
def balances(db: Session, settings: Settings, app: Flask) -> None:
    """1,000 person-times in district 1 in January, 500 and 30 certificates in district 2 in February."""
    rows = [
        {"month": "2025-01", "district": "东城区", "programme": "RESCUE", "person_times": "1000"},
        {"month": "2025-02", "district": "西城区", "programme": "RESCUE", "person_times": "500", "certificates": "30"},
    ]
    Importer(db, settings, "opening_balances").done(rows)


@pytest.mark.usefixtures("balances")
def test_balances_are_divided_by_the_rows_that_know_them(db: Session) -> None:
    assert opening_totals(db, ask()) == OpeningTotals(1500, 30, {"2025-01": 1000, "2025-02": 500})
    assert opening_totals(db, ask(grouping=Grouping.DISTRICT)).by_key == {"1": 1000, "2": 500}
    assert opening_totals(db, ask(grouping=Grouping.HOST)) == OpeningTotals(1500, 30, {})
    assert opening_totals(db, ask(key="2025-02")) == OpeningTotals(500, 30, {"2025-02": 500})


@pytest.mark.usefixtures("balances")
def test_balances_keep_to_the_scope_the_period_and_the_programme(db: Session) -> None:
    assert opening_totals(db, ask(in_district(1))).person_times == 1000
    assert opening_totals(db, ask(district=2)).person_times == 500
    assert opening_totals(db, ask(since=date(2025, 2, 1))).person_times == 500
    assert opening_totals(db, ask(programme="FIRST_RESPONDER")).person_times == 0
    yesterday = end_of_day(clock.today(BEIJING), BEIJING).replace(year=2024)
    assert opening_totals(db, ask(known_before=yesterday)).person_times == 0


@pytest.mark.usefixtures("balances")
@pytest.mark.parametrize("finer", [{"course": 1}, {"organisation": "小学"}, {"sector": "school"}, {"refresher": False}])
def test_a_finer_question_has_none(db: Session, finer: dict[str, object]) -> None:
    assert opening_totals(db, ask(**finer)) == OpeningTotals(0, 0, {})
