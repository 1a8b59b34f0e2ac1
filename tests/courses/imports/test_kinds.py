"""Every kind: its template is read back in both languages, and its example row can be imported."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.imports import kinds
from lms.config import Settings
from tests.courses.imports.files_of import Importer, outcome
from tests.factories import Make

ALL = {"past", "organisations", "instructors", "opening_balances", "legacy_certificates"}


@pytest.mark.usefixtures("app")
def test_these_can_be_imported() -> None:
    assert {kind.name for kind in kinds.all_kinds()} == ALL


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", sorted(ALL))
def test_each_heading_of_a_template_names_its_own_field(name: str) -> None:
    columns = kinds.kind_of(name).columns
    own = {column.name: place for place, column in enumerate(columns)}
    for headings in ([column.zh for column in columns], [column.en for column in columns], list(own)):
        assert kinds.guess_mapping(columns, headings, {}) == own
    names = [name for column in columns for name in column.normalised_names]
    assert len(names) == len(set(names)), "no word names two fields"
    assert all(column.example for column in columns if column.required)


@pytest.mark.parametrize("name", sorted(ALL - {"past"}))
def test_the_example_of_a_template_can_go_in(
    name: str, db: Session, app: Flask, settings: Settings, make: Make
) -> None:
    importer = Importer(db, settings, name)
    run = importer.checked([{column.name: column.example for column in importer.kind.columns}])
    assert (outcome(run), importer.refusals(run)) == ((1, 0, 0, 0), [])
