"""The registry of personal data: every table that refers to a person, or holds something encrypted, belongs to a kind."""

from flask import Flask
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from lms import schema
from lms.core import personal_data, retention_rules
from lms.core.personal_data import Subject
from lms.core.retention_rules import RetentionRule
from tests.factories import Make

PEOPLE = {"trainee", "app_user", "enrolment", "instructor", "certificate", "walk_in"}


def holds_personal_data(table: Table) -> bool:
    """Tell whether a table refers to a person or has an encrypted column."""
    refers = any(key.column.table.name in PEOPLE for key in table.foreign_keys)
    return table.name in PEOPLE or refers or any(column.name.endswith("_sealed") for column in table.columns)


def test_each_table_about_people_belongs_to_a_kind_or_is_named_with_a_reason(app: Flask) -> None:
    registered = {table for kind in personal_data.registered() for table in kind.tables}
    found = {table.name for table in schema.TARGET.sorted_tables if holds_personal_data(table)}
    assert sorted(found - registered - personal_data.APART.keys()) == []
    assert sorted(registered & personal_data.APART.keys()) == []
    assert all(personal_data.APART.values())


def test_each_kind_names_tables_and_columns_that_exist(app: Flask) -> None:
    for kind in personal_data.registered():
        for table, columns in kind.tables.items():
            assert set(columns) <= {column.name for column in schema.TARGET.tables[table].columns}, (kind.code, table)


def test_each_kind_has_a_rule_of_retention_and_each_rule_a_kind(app: Flask, db: Session) -> None:
    codes = set(db.scalars(select(RetentionRule.code)))
    assert {kind.retention for kind in personal_data.registered()} <= codes
    assert codes == {kind.code for kind in retention_rules.registered()}


def test_nobody_else_is_in_an_export(app: Flask, db: Session, make: Make) -> None:
    make.trainee("旁人")
    assert not any(personal_data.export(db, Subject(None)).values())


def test_rows_that_somebody_holds_are_not_locked(db: Session, make: Make) -> None:
    trainee = make.trainee()
    table = schema.TARGET.tables["trainee"]
    assert personal_data.locked(db, select(table.c.id).where(table.c.id == trainee.id))
