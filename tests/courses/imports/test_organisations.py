"""Organisations from a file: new ones go in once, known ones stay, and an undo leaves what has been used."""

from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from courses.imports import runs
from courses.models.imports import ImportState
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import Scope
from lms.organisations.models import Organisation, Sector
from tests.courses.imports.files_of import Importer, outcome
from tests.factories import Make

ROW = {"name_zh": "景山街道红十字会", "district": "东城区", "sector": "红十字会", "name_en": "Jingshan Red Cross"}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Organisation)) or 0


def test_new_ones_go_in_and_the_trail_tells_of_each(importer: Importer, db: Session) -> None:
    run = importer.done([ROW, {"name_zh": "第五小学", "district": "海淀", "sector": "进学校"}], encoding="gb18030")
    assert (run.state, outcome(run)) == (ImportState.DONE, (2, 0, 0, 0))
    made = db.scalars(select(Organisation).where(Organisation.name_zh.in_(["景山街道红十字会", "第五小学"]))).all()
    assert {(row.district_id, row.name_en, row.sector, row.active) for row in made} == {
        (1, "Jingshan Red Cross", Sector.RED_CROSS, True), (6, None, Sector.SCHOOL, True),
    }  # fmt: skip
    told = db.scalars(select(AuditEntry.subject).where(AuditEntry.action == "organisation.add")).all()
    assert set(told) == {f"organisation:{row.id}" for row in made}


def test_the_dry_run_changes_nothing_and_says_of_each_row_why(importer: Importer, db: Session, make: Make) -> None:
    make.organisation(1, name_zh="景山（街道）红十字会", active=False)
    before = count(db)
    run = importer.checked(
        [
            ROW,
            {**ROW, "name_zh": "第五小学"},
            {**ROW, "name_zh": "第五 小学"},
            {**ROW, "name_zh": "第五小学", "district": "西城"},
            {**ROW, "district": "天津"},
            {**ROW, "sector": "医院"},
            {**ROW, "name_zh": ""},
            {**ROW, "name_zh": "……"},
            {**ROW, "name_zh": "长" * 201},
        ]
    )
    assert outcome(run) == (2, 1, 1, 5)
    assert importer.refusals(run) == [
        (4, "Line 3 names the same organisation."), (6, "There is no district “天津”."), (7, "There is no sector “医院”."),
        (8, "The cell “name_zh” is empty."), (9, "“……” is not a name."), (10, "A cell contains more than 200 characters."),
    ]  # fmt: skip
    assert count(db) == before


def test_the_same_file_twice_and_one_entered_after_the_check_go_in_once(
    importer: Importer, db: Session, make: Make
) -> None:
    rows = [ROW, {**ROW, "name_zh": "第五小学"}, {**ROW, "name_zh": "第六小学"}]
    slow = importer.checked(rows)
    make.organisation(1, name_zh="第五小学")
    importer.done(rows)
    assert outcome(importer.checked(rows)) == (0, 3, 0, 0)
    before = count(db)
    runs.start(db, slow)
    importer.work(slow)
    assert (slow.state, outcome(slow)) == (ImportState.DONE, (0, 3, 0, 0))
    assert count(db) == before
    with pytest.raises(DomainError, match="can be imported"):
        runs.start(db, importer.checked(rows))


def test_a_district_writes_to_its_own_register_alone(importer: Importer) -> None:
    run = importer.checked([ROW, {**ROW, "district": "海淀区"}], scope=Scope(user_id=None, district_ids=frozenset({1})))
    assert outcome(run) == (1, 0, 0, 1)
    assert importer.refusals(run) == [(3, "“海淀区” is not your district.")]


def test_an_undo_takes_back_what_was_made_and_keeps_what_was_used_or_changed(
    importer: Importer, db: Session, make: Make
) -> None:
    make.organisation(1, name_zh="第四小学")
    names = ["第四小学", "第五小学", "第六小学", "第七小学", "第八小学"]
    run = importer.done([{**ROW, "name_zh": name} for name in names])
    by_name = {row.name_zh: row for row in db.scalars(select(Organisation).where(Organisation.name_zh.in_(names)))}
    make.offering(organisation_id=by_name["第五小学"].id)
    by_name["第六小学"].sector = Sector.SCHOOL
    db.commit()
    importer.undone(run)
    assert run.state is ImportState.UNDONE
    assert run.notes == [f"#{by_name[name].id} {name}" for name in ("第五小学", "第六小学")]
    assert (run.tally["undone_rows"], run.tally["kept_rows"]) == (2, 2)
    left = db.scalars(select(Organisation.name_zh).where(Organisation.name_zh.in_(names))).all()
    assert set(left) == {"第四小学", "第五小学", "第六小学"}
    assert len(db.scalars(select(AuditEntry).where(AuditEntry.action == "organisation.remove")).all()) == 2


@pytest.mark.usefixtures("parsed_here")
@given(st.lists(st.tuples(st.sampled_from(["一校", "二校", "三 校", "三校"]), st.sampled_from(["东城", "西城", "无"]))))
@settings_of(max_examples=15)
def test_stops_change_nothing_of_what_goes_in(
    importer: Importer, db: Session, connection: Connection, rows: list[tuple[str, str]]
) -> None:
    told = [{**ROW, "name_zh": name, "district": district} for name, district in rows]
    results: list[object] = []
    for way in (importer.done, importer.stopped_and_resumed):
        db.commit()
        with connection.begin_nested() as begun:
            try:
                results.append((outcome(way(told)), count(db)))
            except DomainError as error:
                results.append(error.code)
            db.rollback()
            begun.rollback()
    assert results[0] == results[1]


def test_the_command_takes_any_kind(app: Flask, db: Session, tmp_path: Path) -> None:
    file = tmp_path / "organisations.csv"
    file.write_text("名称,区,领域\n第五小学,东城区,学校\n第六小学,天津,学校\n", encoding="utf-8")
    run = app.test_cli_runner().invoke
    told = run(args=["import", "run", "organisations", str(file)]).output
    assert "line 3: There is no district “天津”." in told
    assert "organisations organisations.csv: done (new 1, known 0, double 0, refused 1)" in told
    assert db.scalar(select(Organisation.sector).where(Organisation.name_zh == "第五小学")) is Sector.SCHOOL
    assert "choose one of " in run(args=["import", "run", "fish", str(file)]).output
    listed = run(args=["import", "kinds"]).output
    assert "organisations: Organisations\n  名称 (name_zh)*, 区 (district)*" in listed
    assert "no field fish" in run(args=["import", "run", "organisations", str(file), "--mapping", "fish=x"]).output
