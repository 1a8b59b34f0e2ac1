"""Totals from before the system by the import: whole or not at all, with the file, and withdrawn by an undo."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from courses.counting import opening_balances
from courses.imports import opening, runs
from courses.models.imports import ImportState
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.opening_totals import opening_totals
from courses.reports.questions import Filters, Question
from lms.config import Settings
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.courses.imports.files_of import Importer, outcome

YEARS = Filters(date(2008, 1, 1), date(2012, 12, 31))
MAY = {"month": "2012-05", "district": "海淀区", "programme": "RESCUE", "person_times": "12,000"}
JUNE = {
    "month": "2012年6月", "district": "东城", "programme": "救护员培训", "person_times": "800", "certificates": "750",
    "source": "2012年年报表4",
}  # fmt: skip


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "opening_balances")


def total(db: Session) -> int:
    db.expire_all()
    return opening_totals(db, Question(YEARS, EVERYTHING)).person_times


def test_each_source_keeps_the_file_and_its_totals(importer: Importer, db: Session) -> None:
    run = importer.done([MAY, JUNE])
    assert (run.state, outcome(run), total(db)) == (ImportState.DONE, (2, 0, 0, 0), 12_800)
    sources = db.scalars(select(OpeningSource).order_by(OpeningSource.id)).all()
    assert [(source.title, source.file_name, source.media_type) for source in sources] == [
        ("old.csv", "old.csv", "text/csv; charset=utf-8"), ("2012年年报表4", "old.csv", "text/csv; charset=utf-8"),
    ]  # fmt: skip
    assert all("2012年6月,东城".encode() in source.file for source in sources)
    assert [(summary.rows, summary.person_times, summary.certificates) for summary in opening_balances.listing(db)] == [
        (1, 800, 750), (1, 12_000, 0),
    ]  # fmt: skip


def test_a_month_begins_at_midnight_of_the_branch(importer: Importer, db: Session) -> None:
    with clock.at(datetime(2026, 5, 31, 16, 30, tzinfo=UTC)):  # half past midnight of 1 June in Beijing
        assert outcome(importer.done([{**MAY, "month": "2026-06"}])) == (1, 0, 0, 0)


def test_months_and_numbers_as_people_and_programs_write_them(importer: Importer, db: Session) -> None:
    months = ("2012-05-01", "2011年5月", "201005", "2009.05", "2008-05-01 00:00:00")
    numbers = ("12,000", "12000", "12000.0", "１２０００", "12,000.00")
    rows = [{**MAY, "month": month, "person_times": text} for month, text in zip(months, numbers, strict=True)]
    assert outcome(importer.done([*rows, {**JUNE, "certificates": "-"}])) == (6, 0, 0, 0)
    assert total(db) == 5 * 12_000 + 800


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"month": "2012-13"}, "“2012-13” is not a month. Write it as 2012-05."),
        ({"month": "2099-01"}, "2099-01 is in the future."),
        ({"district": "天津"}, "There is no district “天津”."),
        ({"programme": "潜水"}, "There is no programme “潜水”."),
        ({"person_times": "-1"}, "“-1” is not a whole number from 0 to 100000000."),
        ({"person_times": ""}, "The cell “person_times” is empty."),
        ({"person_times": "NULL"}, "The cell “person_times” is empty."),
        ({"person_times": "12.5"}, "“12.5” is not a whole number from 0 to 100000000."),
        ({"person_times": "1.2E+4"}, "“1.2E+4” is not a whole number from 0 to 100000000."),
        ({"person_times": "12,00"}, "“12,00” is not a whole number from 0 to 100000000."),
        ({"certificates": "#N/A"}, "The cell holds the error “#N/A”. Correct the formula or enter the value."),
        (
            {"month": "2007.1"},
            "“2007.1” may be January or October, because Excel drops a zero at the end. Write it as 2007-01 or 2007-10.",
        ),
        ({"month": "2012/6"}, "Line 3 already has this month, district and programme."),
    ],
)
def test_one_row_at_fault_keeps_the_whole_file_out(
    importer: Importer, db: Session, change: dict[str, str], reason: str
) -> None:
    run = importer.checked([MAY, JUNE, {**JUNE, "month": "2012-07", **change}])
    whole = "Line 4 cannot be imported. A source can only be imported as a whole."
    assert importer.refusals(run) == [(2, whole), (3, whole), (4, reason)]
    with pytest.raises(DomainError, match="can be imported"):
        runs.start(db, run)
    assert total(db) == 0


def test_known_totals_stay_and_others_for_the_same_month_wait_for_a_reason(importer: Importer, db: Session) -> None:
    slow = importer.checked([MAY])
    importer.done([MAY, JUNE])
    assert outcome(importer.done([MAY, JUNE, {**MAY, "month": "2012-08"}])) == (1, 2, 0, 0)
    other = importer.checked([{**MAY, "person_times": "1"}])
    with pytest.raises(DomainError, match="Decide whether the file is to be imported"):
        runs.start(db, other)
    runs.start(db, slow)
    importer.work(slow)
    assert (outcome(slow), total(db)) == ((0, 1, 0, 0), 24_800)


def test_an_undo_withdraws_what_is_not_withdrawn_and_the_file_can_come_again(importer: Importer, db: Session) -> None:
    run = importer.done([MAY, JUNE])
    first = db.scalars(select(OpeningSource).where(OpeningSource.title == "old.csv")).one()
    opening_balances.withdraw(db, first.id, "表格版本有误")
    importer.undone(run)
    assert (run.state, run.tally["undone_rows"], total(db)) == (ImportState.UNDONE, 1, 0)
    db.refresh(first)
    assert first.withdrawn_reason == "表格版本有误"
    assert set(db.scalars(select(OpeningSource.withdrawn_reason))) == {"表格版本有误", opening.REASON}
    importer.done([MAY, JUNE])
    assert total(db) == 12_800


def test_it_is_the_citys_and_a_file_that_could_not_be_kept_is_refused(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DomainError, match="city administrator"):
        importer.receive([MAY], scope=Scope(district_ids=frozenset({1})))
    monkeypatch.setattr(opening, "SOURCES_LIMIT", 1)
    run = importer.checked([MAY, JUNE])
    assert importer.refusals(run) == [(line, "A file may name at most 1 sources.") for line in (2, 3)]
    monkeypatch.setattr(importer.kind, "largest", 10)
    with pytest.raises(DomainError, match="larger than 0 MB"):
        importer.receive([MAY])


@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(["东城区", "西城区", "外地"]), st.integers(0, 900)), min_size=1
    )
)
@settings_of(max_examples=20)
def test_what_is_in_adds_up_to_the_file_or_to_nothing(
    importer: Importer, db: Session, connection: Connection, rows: list[tuple[int, str, int]]
) -> None:
    told = [
        {**MAY, "month": f"2011-{month}", "district": district, "person_times": str(number)}
        for month, district, number in rows
    ]
    whole = len({row[:2] for row in rows}) == len(rows) and all(district != "外地" for _month, district, _n in rows)
    db.commit()
    with connection.begin_nested() as begun:
        run = importer.checked(told)
        if run.tally["new"]:
            runs.start(db, run)
            importer.work(run)
        assert total(db) == (sum(number for _month, _district, number in rows) if whole else 0)
        assert (db.scalar(select(func.count()).select_from(OpeningBalance)) or 0) == (len(rows) if whole else 0)
        db.rollback()
        begun.rollback()
