"""Import kinds with independent rows: what all of them share."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courses.imports import row_kind
from courses.imports.row_kind import DistrictLookup, LineRange, range_sql
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.config import Settings
from lms.core.errors import DomainError
from lms.organisations.models import Organisation
from tests.courses.imports.files_of import Importer
from tests.factories import Make

GOOD = {"name_zh": "第五小学", "district": "海淀", "sector": "学校"}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


def test_a_range_covers_new_rows_after_its_first_line_up_to_its_last(importer: Importer, db: Session) -> None:
    run = importer.checked([{**GOOD, "name_zh": name} for name in "甲乙丙丁"] + [{**GOOD, "district": "天津"}])
    lines = range_sql("SELECT line FROM import_line AS line WHERE {part} ORDER BY line")
    assert [list(db.scalars(lines, LineRange(run, *ends).values)) for ends in ((), (2, 4), (4, 9))] == [
        [2, 3, 4, 5], [3, 4], [5],
    ]  # fmt: skip


def test_a_row_with_an_empty_required_cell_or_a_long_one_is_refused(importer: Importer, db: Session) -> None:
    run = importer.checked([{**GOOD, "sector": ""}, {**GOOD, "name_en": "x" * 201}, {**GOOD, "name_en": "x" * 200}])
    codes = select(ImportLine.code).where(ImportLine.run_id == run.id, ImportLine.outcome == RowOutcome.REFUSED)
    assert list(db.scalars(codes.order_by(ImportLine.line))) == ["cell_missing", "cell_long"]


def test_a_table_of_keys_can_be_made_again_within_a_transaction(db: Session) -> None:
    for rows in ([("a", 1), ("b", 2)], []):
        row_kind.create_key_table(db, "held", rows)
        assert db.execute(text("SELECT key, id FROM held ORDER BY id")).all() == rows
        row_kind.drop_tables(db, "held")


def test_references_of_other_tables_are_found(db: Session, make: Make) -> None:
    used, free = make.organisation(1), make.organisation(1)
    make.offering(organisation=used)
    condition = row_kind.is_referenced(Organisation)
    referenced = set(db.scalars(text(f"SELECT id FROM organisation WHERE {condition}")))
    assert (used.id in referenced, free.id in referenced) == (True, False)


def test_districts_are_found_by_their_names_within_the_reach_of_the_import(db: Session) -> None:
    city, district = ImportRun(district_ids=None), ImportRun(district_ids=[1])
    assert {DistrictLookup(db, city).find(name) for name in ("海淀区", "海淀", "haidian")} == {6}
    assert DistrictLookup(db, district).find("东城") == 1
    for name, code in (("海淀", "other_district"), ("天津", "district")):
        with pytest.raises(DomainError) as caught:
            DistrictLookup(db, district).find(name)
        assert caught.value.code == code
