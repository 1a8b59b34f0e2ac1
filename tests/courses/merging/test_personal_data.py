"""Personal data of merges: what a merge keeps of two records is exported, and erased with the person."""

from flask import Flask
from sqlalchemy.orm import Session

from courses.models.merges import TraineeMerge
from lms.core import personal_data
from lms.core.personal_data import Subject
from tests.factories import Make


def test_the_former_facts_are_exported_and_erased(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三丰"), make.trainee("张三风")
    merge = TraineeMerge(kept_id=kept.id, merged_id=merged.id, reason="本人来电")
    merge.set_former({"kept": {"name": "张三丰"}})
    db.add(merge)
    db.flush()
    subject = Subject(kept.id)
    assert personal_data.export(db, subject)["trainee_merge"][0]["former"] == {"kept": {"name": "张三丰"}}
    assert personal_data.erase(db, subject)["trainee_merge"].rows == 1
    db.refresh(merge)
    assert (merge.former(), merge.reason) == (None, None)
