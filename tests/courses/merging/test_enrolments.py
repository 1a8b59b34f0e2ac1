"""Enrolments of two records in one class: the attended one comes, the empty one goes, and two places are refused."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.merging import enrolments, merging
from courses.models.enrolment import Enrolment, EnrolmentState
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.merging.test_merging import differences, merge, presence, stored
from tests.courses.worlds import Plan, World
from tests.factories import Make


def test_the_attended_enrolment_comes_and_the_empty_one_goes(app: Flask, db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (0,), (presence(0, came=False), presence(1, came=True)), refresher=False, district=1)
    offering = world.close(plan)
    kept, merged = world.cast[0], world.cast[1]
    before = stored(db)
    row = merge(db, kept, merged)
    owners = {each.sessions_attended: each.trainee_id for each in db.scalars(select(Enrolment))}
    assert owners == {1: kept.id, 0: merged.id}
    assert differences(db) == []
    merging.undo(db, row.id, EVERYTHING)
    assert stored(db) == before
    assert offering.id


def test_two_places_in_an_open_class_are_refused_until_one_is_cancelled(app: Flask, db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now()])
    kept, merged = make.trainee("张三"), make.trainee("张三")
    make.enrolment(offering, kept)
    place = make.enrolment(offering, merged)
    (obstacle,) = merging.preview(db, kept, merged).obstacles
    assert obstacle == merging.Obstacle(enrolments.BOTH_PLACES, f"offering:{offering.id}")
    with pytest.raises(DomainError, match="Cancel one"):
        merge(db, kept, merged)
    place.state, place.cancelled_at = EnrolmentState.CANCELLED, clock.now()
    merge(db, kept, merged)
    assert place.trainee_id == kept.id
