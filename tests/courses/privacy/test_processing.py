"""The register of processing."""

import pytest
from sqlalchemy.orm import Session

from courses.privacy import processing
from lms.core import personal_data
from tests.factories import Make


@pytest.mark.usefixtures("app")
def test_each_kind_is_a_line_with_its_rule_and_the_number_of_rows(db: Session, make: Make) -> None:
    make.trainee()
    records = {record.kind.code: record for record in processing.register(db)}
    assert records.keys() == {kind.code for kind in personal_data.registered()}
    assert records["trainee"].rows == 1
    assert records["trainee"].rule.amount == 60
    assert all(record.kind.purpose and record.kind.whose for record in records.values())
