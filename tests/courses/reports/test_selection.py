"""The figures and people of any question are those of its ledger entries in SQL, and of sets of people."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind
from courses.models.rollups import FormerParticipation, Participation
from courses.reports import enrolment, lines, people_counts
from courses.reports.ledger import FIGURE_NAMES, Figures, entries
from courses.reports.periods import Period, PeriodUnit
from courses.reports.questions import Filters, Grouping, Question
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import BEIJING, Plan, World, plans

SINCE, UNTIL = date(2024, 11, 1), date(2026, 2, 28)
DAYS = st.dates(SINCE, UNTIL)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question with any filters; numbers of rows are small, so that they meet those of the world."""
    since, until = sorted((draw(DAYS), draw(DAYS)))
    number = st.none() | st.integers(1, 3)
    scope = draw(
        st.sampled_from(
            [
                EVERYTHING,
                Scope(district_ids=frozenset({1})),
                Scope(district_ids=frozenset({2, 3})),
                Scope(instructor_user_id=1),
            ]
        )
    )
    return Question(
        Filters(
            since=since, until=until,
            programme=draw(st.sampled_from([None, None, "RESCUE"])),
            district=draw(number) if scope.everything else None,
            organisation=draw(st.sampled_from([None, None, "1", "没有"])),
            sector=draw(st.sampled_from([None, None, "school", "enterprise"])),
            refresher=draw(st.sampled_from([None, None, True, False])),
            known_before=draw(st.sampled_from([None, None, datetime(2025, 6, 15, tzinfo=BEIJING)])),
            grouping=draw(st.sampled_from(list(Grouping))),
        ),
        scope,
    )  # fmt: skip


def in_sql(
    db: Session, question: Question
) -> tuple[dict[str, Figures], dict[str, set[int]], Figures, set[int], set[int]]:
    """The figures and people of each row, and of the branch, from the ledger entries one by one.

    Last come the people of all rows and of the branch. A period counts the people that it was reported with.
    """
    entry = entries(question, branch=True)
    now = {row.offering_id: row.trainees for row in db.scalars(select(Participation))}
    former: dict[int, list[tuple[date, list[int]]]] = {}
    for row in db.scalars(select(FormerParticipation).order_by(FormerParticipation.until)):
        former.setdefault(row.offering_id, []).append((row.until, row.trainees))

    def people(entry_row: Any, last_day: date) -> set[int]:
        if entry_row["kind"] != EntryKind.CLOSING:
            return set()
        offering_id = entry_row["offering_id"]
        return set(next((who for until, who in former.get(offering_id, []) if until >= last_day), now[offering_id]))

    filters, unit = question.filters, question.filters.grouping.period_unit
    rows: dict[str, Figures] = {}
    people_of: dict[str, set[int]] = {}
    branch, inside, everybody = Figures(), set[int](), set[int]()
    for row in db.execute(select(entry)).mappings():
        figures = Figures(*(row[name] for name in FIGURE_NAMES))
        branch += figures
        everybody |= people(row, filters.until)
        if row["in_rows"]:
            key = row["key"]
            ends = filters.until if unit is None else min(filters.until, last_day_of(Period.parse(key)))
            rows[key] = rows.get(key, Figures()) + figures
            people_of.setdefault(key, set()).update(people(row, ends))
            inside |= people(row, filters.until)
    rows = {key: figures for key, figures in rows.items() if figures != Figures()}
    return rows, people_of, branch, inside, everybody


def last_day_of(period: Period) -> date:
    months = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.YEAR: 12}[period.unit]
    month = period.first.year * 12 + period.first.month - 1 + months
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def check(db: Session, question: Question) -> None:
    rows, people_of, branch, inside, everybody = in_sql(db, question)
    selection = lines.selected(db, question, branch=True)
    assert (selection.figures(), selection.total()) == (rows, branch)
    counted = people_counts.count_people(db, question)
    assert counted.rows == {key: len(people) for key, people in people_of.items() if people}
    assert counted.all_rows == len(inside)
    assert counted.branch == len(everybody)
    listed = enrolment.rows(db, question)
    assert {row.key: row.figures for row in listed} == rows
    if rows:
        key = listed[0].key
        assert [row.figures for row in enrolment.rows(db, question.with_key(key))] == [rows[key]]
    assert enrolment.rows(db, question.with_key("nothing")) == []


def withdraw(db: Session, offering: Offering) -> None:
    """Take an offering back, as the undo of the import that made it does."""
    lines_back = """
        INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, corrects_id, reason, enrolled, named, counted,
            minutes, passed, certificates)
        SELECT offering_id, CASE kind WHEN 'closing' THEN 'withdrawal' ELSE 'correction' END, dated_on, recorded_at, id,
            'undone', -enrolled, -named, -counted, -minutes, -passed, -certificates
        FROM person_time_entry WHERE offering_id = :id ORDER BY id"""
    db.execute(text(lines_back), {"id": offering.id})
    db.execute(text("UPDATE participation SET trainees = '{}' WHERE offering_id = :id"), {"id": offering.id})


@settings(max_examples=8)
@given(
    held=st.lists(st.tuples(plans(SINCE, date(2026, 1, 31)), plans(), st.sampled_from("-cw")), min_size=1, max_size=6),
    asked=st.lists(questions(), min_size=9, max_size=9),
    freeze=st.booleans(),
)
def test_any_question_is_answered_as_by_the_ledger_and_by_sets(
    *, db: Session, held: list[tuple[Plan, Plan, str]], asked: Iterable[Question], freeze: bool
) -> None:
    with db.begin_nested() as unit:
        world = World(db)
        with clock.at(datetime(2025, 6, 1, tzinfo=BEIJING)):
            closed = [world.close(plan) for plan, _other, _fate in held]
            for offering, (plan, _other, _fate) in zip(closed, held, strict=True):
                person_time.record_certificates(db, offering.id, len(plan.people), date(2025, 5, 31))
        if freeze:
            with clock.at(datetime(2026, 3, 1, tzinfo=BEIJING)):
                quarters.freeze(db, Quarter(2025, 1), BEIJING)
        with clock.at(datetime(2026, 2, 1, tzinfo=BEIJING)):
            for offering, (plan, other, fate) in zip(closed, held, strict=True):
                if fate == "w":
                    withdraw(db, offering)
                elif fate == "c":
                    fits = [
                        person
                        for person in other.people
                        if all(p.session < len(plan.headcounts) for p in person.presences)
                    ]
                    world.fill(offering, replace(plan, people=tuple(fits)))
                    person_time.record_correction(db, offering, "more came", BEIJING)
        for question in asked:
            check(db, question)
        unit.rollback()


def test_one_host_is_chosen_by_its_number(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (5,), (), False, 1)
    hosts = [world.close(plan).organisation_id for _ in range(2)]

    def person_times(**filters: Any) -> int:
        question = Question(Filters(SINCE, UNTIL, grouping=Grouping.HOST, **filters), EVERYTHING)
        check(db, question)
        return sum(row.figures.person_times for row in enrolment.rows(db, question))

    assert (person_times(), person_times(host=hosts[0])) == (10, 5)
