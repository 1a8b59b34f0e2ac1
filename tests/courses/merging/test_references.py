"""Rows that refer to a record follow a merge, are counted before it, and go back."""

from flask import Flask
from sqlalchemy.orm import Session

from courses.enrolment import consents
from courses.merging import references
from courses.models.merges import TraineeMerge
from courses.models.privacy import ConsentWay
from tests.factories import Make


def test_rows_are_counted_moved_and_restored(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee(), make.trainee()
    consent = consents.give(db, merged, ConsentWay.TICKET)
    merge = TraineeMerge(kept_id=kept.id, merged_id=merged.id)
    assert references.count(db, merge) == [("Consents", 1)]
    db.add(merge)
    db.flush()
    assert references.move(db, merge) == {"consent": 1}
    assert consent.trainee_id == kept.id
    assert references.restore(db, merge) == {"consent": 1}
    assert consent.trainee_id == merged.id
