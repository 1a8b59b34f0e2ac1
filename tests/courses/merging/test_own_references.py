"""Each column that refers to a person's record is decided on, and rows of record refer to none."""

from flask import Flask

from courses.merging import references
from lms import schema
from lms.core import records


def test_each_foreign_key_to_a_record_is_decided_on(app: Flask) -> None:
    columns = {
        f"{table.name}.{key.parent.name}"
        for table in schema.TARGET.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "trainee"
    }
    assert columns == references.decided()
    of_record = {table.name for table in records.registered()}
    assert of_record.isdisjoint(column.partition(".")[0] for column in columns)
