"""The refused rows of an import, with their reasons."""

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from courses.imports import choices, corrections, runs
from courses.models.imports import ImportLine
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld, waits_for

GOOD = {"name_zh": "第五小学", "district": "海淀", "sector": "学校"}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def test_refused_and_duplicate_rows_come_in_the_order_of_the_file(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD, {**GOOD, "district": "天津"}, GOOD, {**GOOD, "sector": "月球"}])
    refused = list(corrections.refused_rows(db, run))
    assert [line for line, _message, _params in refused] == [3, 4, 5]
    assert refused[0][1:] == ("There is no district “%(text)s”.", {"text": "天津"})
    assert refused[1][1:] == ("Line %(line)s names the same organisation.", {"line": 2})
    assert [line for line, _message, _params in corrections.refused_rows(db, run, 2)] == [3, 4]


def test_rows_to_correct_hold_the_cells_as_they_were_sent(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD, {**GOOD, "district": "天津"}, GOOD])
    rows = [(line, cells) for line, cells, _message, _params in corrections.rows_to_correct(db, run)]
    assert rows == [(3, ["第五小学", "天津", "学校", ""]), (4, ["第五小学", "海淀", "学校", ""])]


def test_with_a_limit_the_rows_that_only_wait_come_last(world: PastWorld, db: Session) -> None:
    run = world.checked([world.row(), world.row(name="李红", phone="12")])
    assert [line for line, *_rest in corrections.refused_rows(db, run)] == [2, 3]
    first, second = corrections.refused_rows(db, run, 5)
    assert (first[0], second[0]) == (3, 2)
    assert second[1] % second[2] == waits_for(3)


def test_a_download_is_audited(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD])
    corrections.audit_download(db, run)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "import.correct")).one()
    assert entry.after == {"kind": "organisations", "file": "old.csv"}


def test_refused_rows_are_grouped_by_reason_with_the_rows_that_wait_for_them(world: PastWorld, db: Session) -> None:
    good, wrong = world.row(), world.row(phone="12")
    people = [{**good, "name": f"学员{at}", "phone": f"1380013{at:04}"} for at in range(5)]
    other = {**good, "place": "操场", "course": "没有这门课"}
    run = world.checked([*people[:2], wrong, *people[2:], other, {**other, "name": "李四"}])
    groups = corrections.grouped(db, run)
    assert [(group.lines, group.waiting) for group in groups] == [([8, 9], []), ([4], [2, 3, 5, 6, 7])]
    assert (groups[0].message, groups[0].params) == ("There is no course “%(text)s”.", {"text": "没有这门课"})
    assert corrections.remarks(db, run) == []


def test_the_numbers_count_all_rows_and_only_the_first_lines_are_named(
    world: PastWorld, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [world.row(name=f"学员{at}", phone=f"1380013{at:04}") for at in range(3)]
    run = world.checked([*people, world.row(name="李红", phone="12"), world.row(name="张三", phone="12")])
    monkeypatch.setattr(corrections, "LINES_LISTED", 1)
    [group] = corrections.grouped(db, run)
    assert (group.number, group.lines, group.waiting_number, group.waiting) == (2, [5], 3, [2])
    assert corrections.group(db, run, group.digest) == group
    with pytest.raises(NotFound):
        corrections.group(db, run, "0" * 16)
    only = [line for line, *_rest in corrections.rows_to_correct(db, run, group)]
    assert only == [5, 6]


def test_cells_that_were_corrected_are_read_by_the_next_check(importer: Importer, db: Session) -> None:
    run = importer.checked([GOOD, {**GOOD, "name_zh": "第六小学", "sector": "月球"}])
    assert corrections.correct(db, run, {3: {2: " 社区 "}}) == 1
    choices.reopen(db, run)
    runs.check(db, run)
    importer.work(run)
    assert (run.tally["new"], run.tally["refused"]) == (2, 0)
    facts = db.scalars(select(ImportLine.facts).where(ImportLine.run_id == run.id, ImportLine.line == 3)).one()
    assert facts is not None
    assert facts["sector"] == "community"


@pytest.mark.parametrize("cells", [{1: {0: "a"}}, {3: {99: "a"}}, {3: {0: "a" * 40_000}}])
def test_a_cell_outside_of_the_rows_is_not_found(
    importer: Importer, db: Session, cells: dict[int, dict[int, str]]
) -> None:
    run = importer.checked([{**GOOD, "sector": "月球"}])
    with pytest.raises(NotFound):
        corrections.correct(db, run, cells)


def test_too_many_corrections_are_sent_as_a_file(
    importer: Importer, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = importer.checked([{**GOOD, "sector": "月球"}])
    monkeypatch.setattr(corrections, "CELLS_CORRECTED", 1)
    with pytest.raises(DomainError, match="Up to"):
        corrections.correct(db, run, {2: {0: "甲", 1: "乙"}})


def test_remarks_are_listed_and_corrected_unless_nothing_is_lost(
    importer: Importer, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = importer.checked([{**GOOD, "name_zh": f"第{at}小学"} for at in range(1, 5)])
    for line, code in ((2, "left_out"), (3, "left_out"), (5, "converted")):
        db.execute(update(ImportLine).where(ImportLine.run_id == run.id, ImportLine.line == line).values(code=code))
    monkeypatch.setattr(importer.kind, "remarks", {"left_out": "without its number", "converted": "number converted"})
    monkeypatch.setattr(importer.kind, "remarks_to_correct", frozenset({"left_out"}))
    remarks = corrections.remarks(db, run)
    assert [(group.message, group.lines) for group in remarks] == [
        ("without its number", [2, 3]),
        ("number converted", [5]),
    ]
    assert [line for line, *_rest in corrections.rows_to_correct(db, run)] == [2, 3]
    assert list(corrections.refused_rows(db, run)) == []


@pytest.mark.parametrize(
    ("lines", "ranges"),
    [([], []), ([3], [(3, 3)]), ([3, 5, 6, 7, 9], [(3, 3), (5, 7), (9, 9)]), ([1, 2], [(1, 2)])],
)
def test_lines_are_named_as_ranges(lines: list[int], ranges: list[tuple[int, int]]) -> None:
    assert corrections.ranges(lines) == ranges
