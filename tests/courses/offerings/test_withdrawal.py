"""A published offering without people goes back to draft, and no other does."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import place_counts, places
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering, OfferingState
from courses.models.walk_ins import WalkInPerson
from courses.offerings import public_listings, withdrawal
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.engine import make_engine
from lms.core.errors import DomainError, NotFound
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make

TOMORROW = timedelta(days=1)


def test_goes_back_and_leaves_the_public_pages(db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + TOMORROW], published_at=clock.now(), hours_reason="多做练习")
    make.enrolment(offering, state=EnrolmentState.CANCELLED)
    assert public_listings.get_public(db, offering.id)
    withdrawal.withdraw(db, offering)
    db.refresh(offering)
    assert (offering.state, offering.published_at, offering.hours_reason) == (OfferingState.DRAFT, None, None)
    with pytest.raises(NotFound):
        public_listings.get_public(db, offering.id)
    assert db.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)).one() == "offering.withdraw"
    with pytest.raises(DomainError, match="Only a published"):
        withdrawal.withdraw(db, offering)


@pytest.mark.parametrize("state", [EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED])
def test_people_keep_it_published(db: Session, make: Make, state: EnrolmentState) -> None:
    offering = make.offering(starts=[clock.now() + TOMORROW])
    make.enrolment(offering, state=state)
    assert not withdrawal.is_possible(offering, place_counts.count_places(db, offering))
    with pytest.raises(DomainError) as refused:
        withdrawal.withdraw(db, offering)
    assert refused.value.code == "has_people"


def test_whatever_happened_at_a_session_keeps_it_published(db: Session, make: Make) -> None:
    counted, closed, walked_in = (make.offering(lead=None) for _ in range(3))
    counted.sessions[0].headcount = 3
    closed.sessions[0].closed_at = clock.now()
    db.add(WalkInPerson(id=uuid4(), course_session_id=walked_in.sessions[0].id, name="路人"))
    db.flush()
    for offering in (counted, closed, walked_in):
        with pytest.raises(DomainError) as refused:
            withdrawal.withdraw(db, offering)
        assert refused.value.code == "has_begun_work"


def test_an_enrolment_at_the_same_moment_wins_or_is_refused(fresh_database: str) -> None:
    """Whichever comes first, nobody is enrolled in a draft."""
    engine = make_engine(fresh_database, pool_size=4)
    sessions = make_sessions(engine)
    outcomes = set()
    for turn in range(6):
        with transaction(sessions) as db:
            offering_id = Make(db).offering(starts=[clock.now() + TOMORROW], lead=None).id
        together = threading.Barrier(2)

        def enrol(turn: int, offering_id: int, together: threading.Barrier) -> str:
            together.wait()
            with transaction(sessions) as db:
                facts = TraineeFacts(name=f"学员{turn}", phone=f"+86139{turn:08d}", birth_year=1990)
                places.enrol(db, offering_id, register(db, facts), source=EnrolmentSource.SELF)
            return "enrolled"

        def withdraw(offering_id: int, together: threading.Barrier) -> str:
            together.wait()
            with transaction(sessions) as db:
                withdrawal.withdraw(db, db.get_one(Offering, offering_id))
            return "withdrawn"

        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(enrol, turn, offering_id, together), pool.submit(withdraw, offering_id, together)]
        done = [task.result() for task in tasks if task.exception() is None]
        refused = [error.code for task in tasks if isinstance(error := task.exception(), DomainError)]
        outcomes.add((*done, *refused))
    engine.dispose()
    assert outcomes <= {("enrolled", "has_people"), ("withdrawn", "not_open")}
