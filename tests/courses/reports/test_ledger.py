"""Figures add up, and the ledger entries of a question are those of its hosts."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.reports import enrolment, ledger
from courses.reports.ledger import Figures
from tests.courses.reports.asking import ask, in_district
from tests.courses.worlds import BEIJING
from tests.factories import Make


def test_figures_add_up_field_by_field() -> None:
    ones = Figures(*(n for n, _field in enumerate(fields(Figures))))
    assert (ones + ones).certificates == 2 * ones.certificates


def test_a_host_is_found_by_a_part_of_its_name_and_percent_means_itself(db: Session, make: Make) -> None:
    for name in ("朝阳区第一小学", "海淀区第一小学", "100%健康公司"):
        host = make.organisation(name_zh=name, name_en=None)
        offering = make.offering(organisation=host, starts=[datetime(2025, 3, 1, 9, tzinfo=BEIJING)])
        person_time.record_closing(db, offering, BEIJING)

    def number(part: str) -> int:
        return enrolment.report(db, ask(organisation=part), zone=BEIJING).total.offerings

    assert [number(part) for part in ("第一小学", "朝阳", "%", "没有")] == [2, 1, 1, 0]


def test_the_total_is_read_from_the_entries_of_the_scope(db: Session, make: Make) -> None:
    for district in (1, 2, 2):
        host = make.organisation(district)
        offering = make.offering(organisation=host, starts=[datetime(2025, 3, 1, 9, tzinfo=BEIJING)])
        person_time.record_closing(db, offering, BEIJING)
    assert ledger.total(db, ask()).offerings == 3
    assert ledger.total(db, ask(in_district(2))).offerings == 2
    assert ledger.total(db, ask(district=1)).offerings == 1
