"""Opening balances: one for each month, shown apart, and no longer in the figures once their source is withdrawn."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.counting import opening_balances
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.opening_totals import opening_totals
from courses.reports.questions import Filters, Grouping, Question, end_of_day
from lms.config import Settings
from lms.core import clock
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.imports.files_of import Importer

BEIJING = ZoneInfo("Asia/Shanghai")
YEARS = Filters(date(2008, 1, 1), date(2012, 12, 31))
MAY = {"month": "2012-05", "district": "海淀区", "programme": "RESCUE", "person_times": "12,000"}
JUNE = {
    "month": "2012年6月",
    "district": "东城",
    "programme": "救护员培训",
    "person_times": "800",
    "certificates": "750",
}
SOURCE = {"source": "2012年年报表4"}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:  # the kinds are registered with the application
    return Importer(db, settings, "opening_balances")


def add(importer: Importer, *rows: Mapping[str, str]) -> OpeningSource:
    importer.done([{**row, **SOURCE} for row in rows or (MAY, JUNE)])
    return importer.db.scalars(select(OpeningSource).order_by(OpeningSource.id.desc()).limit(1)).one()


def test_months_add_up_and_are_found_by_what_divides_them(importer: Importer, db: Session) -> None:
    add(importer)
    totals = opening_totals(db, Question(YEARS, EVERYTHING))
    assert (totals.person_times, totals.certificates) == (12_800, 750)
    assert totals.by_key == {"2012-05": 12_000, "2012-06": 800}
    by_district = opening_totals(db, Question(replace(YEARS, grouping=Grouping.DISTRICT), EVERYTHING))
    assert by_district.by_key == {"6": 12_000, "1": 800}
    by_host = opening_totals(db, Question(replace(YEARS, grouping=Grouping.HOST), EVERYTHING))
    assert (by_host.person_times, by_host.by_key) == (12_800, {})


def test_a_month_may_be_entered_from_its_first_morning_in_beijing(importer: Importer, db: Session) -> None:
    with clock.at(datetime(2026, 5, 31, 23, 30, tzinfo=BEIJING)), pytest.raises(DomainError):
        opening_balances.row_reader(db, clock.today(BEIJING))({**MAY, "month": "2026-06"})
    with clock.at(datetime(2026, 6, 1, 7, 30, tzinfo=BEIJING)):
        row = opening_balances.row_reader(db, clock.today(BEIJING))({**MAY, "month": "2026-06"})
    assert row.month == date(2026, 6, 1)


def test_a_question_about_a_part_gets_the_part(importer: Importer, db: Session) -> None:
    add(importer)
    for narrower, expected in (
        ({"district": 6}, 12_000),
        ({"programme": "FIRST_RESPONDER"}, 800),
        ({"since": date(2012, 6, 1)}, 800),
        ({"until": date(2012, 5, 31)}, 12_000),
        ({"course": 1}, 0),
        ({"sector": "school"}, 0),
    ):
        assert opening_totals(db, Question(replace(YEARS, **narrower), EVERYTHING)).person_times == expected
    district = Scope(district_ids=frozenset({1}))
    assert opening_totals(db, Question(YEARS, district)).person_times == 800


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"month": "2012-13"}, "is not a month"),
        ({"month": "1979-12"}, "is not a month"),
        ({"month": "2099-01"}, "in the future"),
        ({"district": "天津区"}, "no district"),
        ({"programme": "潜水"}, "no programme"),
        ({"person_times": "-1"}, "not a whole number"),
        ({"person_times": ""}, "not a whole number"),
        ({"certificates": "1.5"}, "not a whole number"),
    ],
)
def test_a_row_at_fault_is_refused_in_words(db: Session, change: dict[str, str], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        opening_balances.row_reader(db, date(2026, 6, 1))({**MAY, **change})


def test_a_month_has_one_balance(importer: Importer, db: Session) -> None:
    add(importer)
    balance = db.scalars(select(OpeningBalance)).first()
    assert balance is not None
    twin = {name: getattr(balance, name) for name in ("source_id", "district_id", "programme_code", "month")}
    db.add(OpeningBalance(**twin, person_times=1))
    with pytest.raises(IntegrityError):
        db.flush()


def test_a_withdrawn_source_counts_no_more_and_another_may_take_its_place(importer: Importer, db: Session) -> None:
    source = add(importer)
    with pytest.raises(DomainError, match="Enter a reason"):
        opening_balances.withdraw(db, source.id, "  ")
    opening_balances.withdraw(db, source.id, "表格版本有误")
    db.expire_all()
    assert opening_totals(db, Question(YEARS, EVERYTHING)).person_times == 0
    with pytest.raises(NotFound):
        opening_balances.withdraw(db, source.id, "再来")
    add(importer, MAY, {**JUNE, "person_times": "900"})
    assert opening_totals(db, Question(YEARS, EVERYTHING)).person_times == 12_900


def test_a_report_as_of_a_day_knows_what_was_added_by_then(importer: Importer, db: Session) -> None:
    add(importer)
    today = clock.today(BEIJING)
    before = replace(YEARS, known_before=end_of_day(today - timedelta(days=1), BEIJING))
    assert opening_totals(db, Question(before, EVERYTHING)).person_times == 0
    now = replace(YEARS, known_before=end_of_day(today, BEIJING))
    assert opening_totals(db, Question(now, EVERYTHING)).person_times == 12_800
