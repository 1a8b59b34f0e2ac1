"""Totals from before the system: read whole or not at all, shown apart, and gone from the figures once withdrawn."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses import opening_balances
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.filters import Filters, Grouping
from lms.core import clock
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope

BEIJING = ZoneInfo("Asia/Shanghai")
YEARS = Filters(date(2008, 1, 1), date(2012, 12, 31))
GOOD = '月份,区,培训项目,人次,发证数\n2012-05,海淀区,RESCUE,"12,000",\n2012年6月,东城,救护员培训,800,750\n'


def add(db: Session, text: str, title: str = "2012年年报表4") -> OpeningSource:
    return opening_balances.add(
        db, title=title, file_name="a.csv", media_type="text/csv", content=text.encode("gb18030")
    )


def test_a_file_in_the_encoding_of_an_office_goes_in_and_adds_up(db: Session) -> None:
    add(db, "北京市红十字会\n\n" + GOOD)
    found = opening_balances.of_question(db, YEARS, EVERYTHING)
    assert (found.person_times, found.certificates) == (12_800, 750)
    assert found.by_key == {"2012-05": 12_000, "2012-06": 800}
    by_district = opening_balances.of_question(db, replace(YEARS, grouping=Grouping.DISTRICT), EVERYTHING)
    assert by_district.by_key == {"6": 12_000, "1": 800}
    by_host = opening_balances.of_question(db, replace(YEARS, grouping=Grouping.HOST), EVERYTHING)
    assert (by_host.person_times, by_host.by_key) == (12_800, {})


def test_a_question_about_a_part_gets_the_part(db: Session) -> None:
    add(db, GOOD)
    for narrower, expected in (
        ({"district": 6}, 12_000),
        ({"programme": "FIRST_RESPONDER"}, 800),
        ({"since": date(2012, 6, 1)}, 800),
        ({"until": date(2012, 5, 31)}, 12_000),
        ({"course": 1}, 0),
        ({"sector": "school"}, 0),
    ):
        assert opening_balances.of_question(db, replace(YEARS, **narrower), EVERYTHING).person_times == expected
    district = Scope(district_ids=frozenset({1}))
    assert opening_balances.of_question(db, YEARS, district).person_times == 800


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2012-13,海淀区,RESCUE,1", "is no month"),
        ("2099-01,海淀区,RESCUE,1", "still to come"),
        ("2012-05,天津区,RESCUE,1", "no district"),
        ("2012-05,海淀区,潜水,1", "no programme"),
        ("2012-05,海淀区,RESCUE,-1", "no whole number"),
        ("2012-05,海淀区,RESCUE,", "no whole number"),
    ],
)
def test_a_row_at_fault_is_named_with_its_line_and_nothing_goes_in(db: Session, row: str, message: str) -> None:
    text = GOOD.replace(",\n2012年6月", f",\n{row},0\n2012年6月")
    [problem] = opening_balances.read(db, text.encode()).problems
    assert problem.line == 3
    assert message in problem.message
    with pytest.raises(DomainError):
        add(db, text)
    assert opening_balances.listing(db) == []


def test_a_month_has_one_balance_and_a_file_without_columns_is_refused(db: Session) -> None:
    add(db, GOOD)
    assert len(opening_balances.read(db, GOOD.encode()).problems) == 2
    with pytest.raises(DomainError, match="No row names the columns"):
        opening_balances.read(db, b"1,2,3\n")
    balance = db.query(OpeningBalance).first()
    assert balance is not None
    twin = {name: getattr(balance, name) for name in ("source_id", "district_id", "programme_code", "month")}
    db.add(OpeningBalance(**twin, person_times=1))
    with pytest.raises(IntegrityError):
        db.flush()


def test_a_withdrawn_source_counts_no_more_and_another_may_take_its_place(db: Session) -> None:
    source = add(db, GOOD)
    with pytest.raises(DomainError, match="Say why"):
        opening_balances.withdraw(db, source.id, "  ")
    opening_balances.withdraw(db, source.id, "表格版本有误")
    db.expire_all()
    assert opening_balances.of_question(db, YEARS, EVERYTHING).person_times == 0
    with pytest.raises(NotFound):
        opening_balances.withdraw(db, source.id, "再来")
    add(db, GOOD.replace("800", "900"))
    assert opening_balances.of_question(db, YEARS, EVERYTHING).person_times == 12_900


def test_a_report_as_of_a_day_knows_what_was_added_by_then(db: Session) -> None:
    add(db, GOOD)
    today = clock.today(BEIJING)
    before = replace(YEARS, known_before=Filters.end_of(today - timedelta(days=1), BEIJING))
    assert opening_balances.of_question(db, before, EVERYTHING).person_times == 0
    now = replace(YEARS, known_before=Filters.end_of(today, BEIJING))
    assert opening_balances.of_question(db, now, EVERYTHING).person_times == 12_800
