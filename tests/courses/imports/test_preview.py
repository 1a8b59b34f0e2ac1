"""Content of the pages of imports: kinds by scope, templates, masked first rows, rows to correct."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.imports import kinds, preview
from lms.config import Settings
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.imports.files_of import Importer


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "organisations")


@pytest.mark.usefixtures("app")
def test_a_district_is_offered_the_kinds_that_are_not_the_citys() -> None:
    district = Scope(district_ids=frozenset({1}))
    offered = {kind.name for kind in preview.available_kinds(district)}
    assert offered == {kind.name for kind in kinds.all_kinds() if not kind.city_only}
    assert preview.available_kind("opening_balances", EVERYTHING).city_only
    for name in ("opening_balances", "nothing"):
        with pytest.raises(NotFound):
            preview.available_kind(name, district)


@pytest.mark.usefixtures("app")
def test_a_template_has_headings_of_the_language_and_one_example() -> None:
    kind = kinds.kind_of("organisations")
    chinese, english = (preview.template(kind, "x", chinese=chinese) for chinese in (True, False))
    assert list(chinese.headings) == ["名称", "区", "领域", "英文名称"]
    assert list(english.headings) == ["Name", "District", "Sector", "English name"]
    assert [list(row) for row in chinese.rows] == [[column.example for column in kind.columns]]


@pytest.mark.usefixtures("app")
def test_a_reason_names_the_field_by_its_heading() -> None:
    kind = kinds.kind_of("organisations")
    assert preview.fill_params(kind, {"column": "name_zh", "text": "name_zh"}, chinese=True) == {
        "column": "名称",
        "text": "name_zh",
    }


def test_phones_and_id_numbers_are_masked_in_the_first_rows(importer: Importer, db: Session) -> None:
    names = ["13800138000", "110101 1990 0307 773X", "2015-03-07", "第五小学"]
    run = importer.receive([{"name_zh": name, "district": "海淀", "sector": "学校"} for name in [*names, *"甲乙丙"]])
    rows = preview.first_rows(db, run)
    assert [line for line, _cells in rows] == [2, 3, 4, 5, 6]
    assert [cells[0] for _line, cells in rows] == ["138****000", "110****73X", "2015-03-07", "第五小学", "甲"]


def test_the_correction_sheet_holds_the_refused_rows_as_they_were_sent(importer: Importer, db: Session) -> None:
    run = importer.checked(
        [{"name_zh": "第五小学", "district": "海淀", "sector": "学校"}, {"name_zh": "'第六小学", "district": "天津"}]
    )
    sheet = preview.correction_sheet(db, run, "x", ("line", "reason"), lambda message, _params: message)
    assert list(sheet.headings) == ["名称", "区", "领域", "英文名称", "line", "reason"]
    assert [list(row) for row in sheet.rows] == [
        ["'第六小学", "天津", "", "", "3", "The cell “%(column)s” is empty."],
    ]
