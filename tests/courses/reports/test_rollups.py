"""The rollups answer whole months and years, and give the same figures as the ledger entries."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.rollups import PersonTimeHost, PersonTimeLead, PersonTimeMonth
from courses.reports import ledger, rollups
from courses.reports.ledger import Figures, figure_sums
from courses.reports.questions import Grouping, end_of_day
from lms.core.scope import Scope
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import BEIJING, Plan, World


def test_whole_months_and_years_are_answered_by_a_rollup() -> None:
    march = {"since": date(2025, 3, 1), "until": date(2025, 3, 31)}
    assert rollups.answering_table(ask(**march)) is PersonTimeMonth
    assert rollups.answering_table(ask(in_district(1), grouping=Grouping.COURSE)) is PersonTimeMonth
    assert rollups.answering_table(ask(grouping=Grouping.HOST)) is PersonTimeHost
    assert rollups.answering_table(ask(grouping=Grouping.SECTOR)) is PersonTimeHost
    assert rollups.answering_table(ask(grouping=Grouping.INSTRUCTOR)) is PersonTimeLead
    assert rollups.answering_table(ask(grouping=Grouping.HOST, **march)) is None


def test_other_questions_need_the_entries() -> None:
    assert rollups.answering_table(ask(since=date(2025, 1, 2))) is None
    assert rollups.answering_table(ask(until=date(2025, 12, 30))) is None
    assert rollups.answering_table(ask(organisation="小学")) is None
    assert rollups.answering_table(ask(sector="school")) is None
    assert rollups.answering_table(ask(known_before=end_of_day(date(2025, 4, 1), BEIJING))) is None
    assert rollups.answering_table(ask(Scope(organisation_ids=frozenset({1})))) is None
    assert rollups.answering_table(ask(host=1)) is None
    assert rollups.answering_table(ask(host=1, grouping=Grouping.INSTRUCTOR)) is None
    assert rollups.answering_table(ask(Scope(instructor_user_id=1), grouping=Grouping.HOST)) is None


@pytest.mark.parametrize("grouping", list(Grouping))
def test_a_rollup_gives_the_sums_of_the_entries(db: Session, grouping: Grouping) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), True, 1))
    last = world.close(Plan(date(2025, 5, 1), (20,), (), False, 2, "RESCUE"))
    host = last.organisation_id
    organisations = Scope(organisation_ids=frozenset({host}))
    questions = [
        ask(grouping=grouping), ask(grouping=grouping, district=2), ask(in_district(1), grouping=grouping),
        ask(grouping=grouping, host=host), ask(organisations, grouping=grouping), ask(in_district(2), host=host, grouping=grouping),
    ]  # fmt: skip
    by_host = grouping not in {Grouping.MONTH, Grouping.QUARTER, Grouping.INSTRUCTOR}
    for number, question in enumerate(questions):
        assert (rollups.answering_table(question) is not None) == (by_host or number < 3)
        if rollups.answering_table(question) is None:
            continue
        by_key = {}
        for source in (rollups.partial_sums(question), ledger.entries(question)):
            statement = select(source.c.key, *figure_sums(source)).group_by(source.c.key)
            by_key[source.name] = {key: Figures(*sums) for key, *sums in db.execute(statement)}
        assert by_key["part"] == by_key["entry"] != {}


def test_the_branch_is_added_with_its_rows_marked(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (), False, 1))
    world.close(Plan(date(2025, 3, 1), (20,), (), False, 2))
    part = rollups.partial_sums(ask(in_district(1)), branch=True)
    assert {in_rows: counted for in_rows, counted in db.execute(select(part.c.in_rows, part.c.counted))} == {
        True: 10,
        False: 20,
    }
