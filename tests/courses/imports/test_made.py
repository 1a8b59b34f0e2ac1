"""The records that an import made."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.imports import made
from courses.models.offerings import Offering
from lms.config import Settings
from lms.organisations.models import Organisation
from tests.courses.imports.files_of import Importer
from tests.courses.imports.past_files import PastWorld


def test_the_rows_that_went_in_lead_to_their_records(
    db: Session, settings: Settings, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer = Importer(db, settings, "organisations")
    rows = [{"name_zh": f"第{at}小学", "district": "海淀", "sector": "学校"} for at in (5, 6, 7)]
    run = importer.done([*rows, {**rows[0], "sector": "月球"}])
    records = made.records(db, run)
    named = [(record.name_zh, db.get_one(Organisation, record.record_id).name_zh) for record in records]
    assert named == [(f"第{at}小学",) * 2 for at in (5, 6, 7)]
    monkeypatch.setattr(made, "SHOWN", 1)
    first = made.records(db, run)
    assert [record.name_zh for record in first] == ["第5小学", "第6小学"]
    assert [record.name_zh for record in made.records(db, run, after=first[1].position)] == ["第7小学"]


def test_past_trainings_made_offerings_until_they_are_undone(world: PastWorld, db: Session) -> None:
    run = world.done([world.row(), world.row(name="李红", phone="13900139000"), world.row(place="操场")])
    first, second = made.records(db, run)
    assert {first.people, second.people} == {1, 2}
    assert db.get(Offering, first.record_id) is not None
    assert first.name_zh == "救护员旧班，一号社区"
