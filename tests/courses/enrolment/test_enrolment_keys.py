"""Keys of enrolment forms: the same form is answered once, whoever sends it how often and how fast."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment import enrolment_keys, places
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentKey
from courses.privacy import erasure
from lms.core import clock, retention_rules
from lms.core.engine import make_engine
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make

TOMORROW = timedelta(days=1)
FORM, OTHER = (hashlib.sha256(text).digest() for text in (b"form", b"other"))


def test_the_same_form_sent_many_times_at_once_gives_one_enrolment_and_the_same_answers(fresh_database: str) -> None:
    times = 8
    engine = make_engine(fresh_database, pool_size=times)
    sessions = make_sessions(engine)
    with transaction(sessions) as db:
        offering_id = Make(db).offering(capacity=5, starts=[clock.now() + TOMORROW]).id
    together = threading.Barrier(times)
    facts = TraineeFacts("王小明", phone="+8613912345678", birth_year=1990)

    def send(_number: int) -> tuple[str, bool]:
        together.wait()
        with transaction(sessions) as db:
            answered = enrolment_keys.claim(db, FORM)
            if answered is not None:
                return answered.ticket, False
            result = places.enrol_oneself(db, offering_id, facts)
            enrolment_keys.remember(db, FORM, result.enrolment)
            return result.enrolment.ticket, not result.already_enrolled

    with ThreadPoolExecutor(times) as pool:
        answers = list(pool.map(send, range(times)))
    assert len({ticket for ticket, _new in answers}) == 1
    assert [new for _ticket, new in answers].count(True) == 1
    with transaction(sessions) as db:
        assert db.scalar(select(func.count()).select_from(Enrolment)) == 1
        assert db.scalar(select(func.count()).select_from(EnrolmentKey)) == 1
    engine.dispose()


def test_a_claim_that_is_rolled_back_leaves_the_form_unanswered(db: Session, make: Make) -> None:
    with db.begin_nested() as point:
        assert enrolment_keys.claim(db, FORM) is None
        point.rollback()
    assert db.scalar(select(func.count()).select_from(EnrolmentKey)) == 0
    enrolment = make.enrolment(make.offering(), make.trainee())
    assert enrolment_keys.claim(db, FORM) is None
    enrolment_keys.remember(db, FORM, enrolment)
    assert enrolment_keys.claim(db, FORM) is enrolment
    assert enrolment_keys.find(db, FORM) is enrolment
    assert enrolment_keys.find(db, OTHER) is None
    assert enrolment_keys.find(db, None) is None


def test_a_form_is_new_again_after_a_day_and_after_a_cancellation(app: Flask, db: Session, make: Make) -> None:
    offering = make.offering()
    enrolment = make.enrolment(offering, make.trainee())
    enrolment_keys.remember(db, FORM, enrolment)
    places.cancel(db, enrolment, "有事")
    assert enrolment_keys.claim(db, FORM) is None
    again = make.enrolment(offering, enrolment.trainee)
    enrolment_keys.remember(db, FORM, again)
    assert enrolment_keys.claim(db, FORM) is again
    key = db.scalars(select(EnrolmentKey)).one()
    key.created_at -= enrolment_keys.LASTS
    db.flush()
    assert enrolment_keys.claim(db, FORM) is None
    kind = retention_rules.kind_of("enrolment_key")
    assert kind.due is not None
    assert kind.erase is not None
    before = retention_rules.before(db, "enrolment_key")
    assert before is not None
    assert kind.due(db, before) == 1
    assert sum(kind.erase(db, before)) == 1
    assert db.scalar(select(func.count()).select_from(EnrolmentKey)) == 0


def test_a_key_leads_to_no_ticket_of_somebody_whose_data_was_erased(app: Flask, db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + TOMORROW])
    enrolment = make.enrolment(offering, make.trainee())
    enrolment_keys.remember(db, FORM, enrolment)
    places.cancel(db, enrolment, "有事")
    erasure.erase(db, enrolment.trainee_id, reason="本人要求")
    assert db.scalar(select(func.count()).select_from(EnrolmentKey)) == 0
