"""Opening balances: one for each month, shown apart, and no longer in the figures once their source is withdrawn."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.counting import opening_balances
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports import opening_totals
from courses.reports.filters import Filters, Grouping
from lms.config import Settings
from lms.core import clock
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.imports.files_of import Desk

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
def desk(db: Session, settings: Settings, app: Flask) -> Desk:  # the kinds are registered with the application
    return Desk(db, settings, "opening_balances")


def add(desk: Desk, *rows: Mapping[str, str]) -> OpeningSource:
    desk.done([{**row, **SOURCE} for row in rows or (MAY, JUNE)])
    return desk.db.scalars(select(OpeningSource).order_by(OpeningSource.id.desc()).limit(1)).one()


def test_months_add_up_and_are_found_by_what_divides_them(desk: Desk, db: Session) -> None:
    add(desk)
    totals = opening_totals.of_question(db, YEARS, EVERYTHING)
    assert (totals.person_times, totals.certificates) == (12_800, 750)
    assert totals.by_key == {"2012-05": 12_000, "2012-06": 800}
    by_district = opening_totals.of_question(db, replace(YEARS, grouping=Grouping.DISTRICT), EVERYTHING)
    assert by_district.by_key == {"6": 12_000, "1": 800}
    by_host = opening_totals.of_question(db, replace(YEARS, grouping=Grouping.HOST), EVERYTHING)
    assert (by_host.person_times, by_host.by_key) == (12_800, {})


def test_a_question_about_a_part_gets_the_part(desk: Desk, db: Session) -> None:
    add(desk)
    for narrower, expected in (
        ({"district": 6}, 12_000),
        ({"programme": "FIRST_RESPONDER"}, 800),
        ({"since": date(2012, 6, 1)}, 800),
        ({"until": date(2012, 5, 31)}, 12_000),
        ({"course": 1}, 0),
        ({"sector": "school"}, 0),
    ):
        assert opening_totals.of_question(db, replace(YEARS, **narrower), EVERYTHING).person_times == expected
    district = Scope(district_ids=frozenset({1}))
    assert opening_totals.of_question(db, YEARS, district).person_times == 800


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"month": "2012-13"}, "is no month"),
        ({"month": "1979-12"}, "is no month"),
        ({"month": "2099-01"}, "still to come"),
        ({"district": "天津区"}, "no district"),
        ({"programme": "潜水"}, "no programme"),
        ({"person_times": "-1"}, "no whole number"),
        ({"person_times": ""}, "no whole number"),
        ({"certificates": "1.5"}, "no whole number"),
    ],
)
def test_a_row_at_fault_is_refused_in_words(db: Session, change: dict[str, str], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        opening_balances.row_reader(db)({**MAY, **change})


def test_a_month_has_one_balance(desk: Desk, db: Session) -> None:
    add(desk)
    balance = db.scalars(select(OpeningBalance)).first()
    assert balance is not None
    twin = {name: getattr(balance, name) for name in ("source_id", "district_id", "programme_code", "month")}
    db.add(OpeningBalance(**twin, person_times=1))
    with pytest.raises(IntegrityError):
        db.flush()


def test_a_withdrawn_source_counts_no_more_and_another_may_take_its_place(desk: Desk, db: Session) -> None:
    source = add(desk)
    with pytest.raises(DomainError, match="Say why"):
        opening_balances.withdraw(db, source.id, "  ")
    opening_balances.withdraw(db, source.id, "表格版本有误")
    db.expire_all()
    assert opening_totals.of_question(db, YEARS, EVERYTHING).person_times == 0
    with pytest.raises(NotFound):
        opening_balances.withdraw(db, source.id, "再来")
    add(desk, MAY, {**JUNE, "person_times": "900"})
    assert opening_totals.of_question(db, YEARS, EVERYTHING).person_times == 12_900


def test_a_report_as_of_a_day_knows_what_was_added_by_then(desk: Desk, db: Session) -> None:
    add(desk)
    today = clock.today(BEIJING)
    before = replace(YEARS, known_before=Filters.end_of(today - timedelta(days=1), BEIJING))
    assert opening_totals.of_question(db, before, EVERYTHING).person_times == 0
    now = replace(YEARS, known_before=Filters.end_of(today, BEIJING))
    assert opening_totals.of_question(db, now, EVERYTHING).person_times == 12_800
