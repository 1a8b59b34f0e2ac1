"""No instructor is at two places at once, also when two planners work at the same moment."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from courses.models.offerings import Offering
from courses.offerings.offerings import OfferingPlan
from courses.offerings.scheduling import Team
from lms.core.errors import DomainError
from tests.courses.planning import HOUR, MORNING, meeting, plan, scheduled
from tests.factories import Make


class TestOnePlace:
    def test_names_the_instructor_and_the_clashing_offering_place_and_time(self, db: Session, make: Make) -> None:
        lead = make.instructor(name="李老师")
        scheduled(db, plan(make, meeting(place="体育馆"), lead=lead))
        with pytest.raises(DomainError) as refused:
            scheduled(db, plan(make, meeting(MORNING + 7 * HOUR), lead=lead))
        assert refused.value.code == "instructor_busy"
        assert refused.value.params["name"] == "李老师"
        assert refused.value.params["place"] == "体育馆"
        assert refused.value.params["time"] == "2030-05-04 09:00–17:00"

    def test_an_assistant_cannot_be_elsewhere_either(self, db: Session, make: Make) -> None:
        busy = make.instructor()
        scheduled(db, plan(make, lead=busy))
        with pytest.raises(DomainError, match="already teaches"):
            scheduled(db, plan(make, team=Team(make.instructor().id, (busy.id,))))

    @given(
        first=st.tuples(st.integers(0, 12), st.integers(1, 10)),
        second=st.tuples(st.integers(0, 12), st.integers(1, 10)),
    )
    def test_sessions_of_one_offering_clash_exactly_when_they_overlap(
        self, db: Session, make: Make, first: tuple[int, int], second: tuple[int, int]
    ) -> None:
        overlap = first[0] < sum(second) and second[0] < sum(first)
        two_sessions = plan(make, *(meeting(MORNING + at * HOUR, hours) for at, hours in (first, second)))
        with db.begin_nested() as savepoint:
            if overlap:
                with pytest.raises(DomainError, match="at once"):
                    scheduled(db, two_sessions)
            else:
                assert len(scheduled(db, two_sessions).sessions) == 2
            savepoint.rollback()

    def test_two_planners_at_the_same_moment_get_one_offering_and_one_refusal(self, fresh_database: str) -> None:
        engine = create_engine(fresh_database)
        with Session(engine) as db:
            make = Make(db)
            people = [make.instructor(), make.instructor()]
            # The instructors are named in opposite order: without the ordered row locks the transactions would deadlock.
            plans = [
                plan(make, meeting(MORNING + at * HOUR), team=Team(lead.id, (other.id,)))
                for at, (lead, other) in enumerate((people, people[::-1]))
            ]
            db.commit()
        barrier, codes = threading.Barrier(2), []

        def schedule_at_once(own_plan: OfferingPlan) -> None:
            with Session(engine) as own:
                barrier.wait()
                try:
                    scheduled(own, own_plan)
                    own.commit()
                    codes.append("scheduled")
                except DomainError as refused:
                    own.rollback()
                    codes.append(refused.code)

        threads = [threading.Thread(target=schedule_at_once, args=(own_plan,)) for own_plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with Session(engine) as db:
            assert db.scalar(select(func.count()).select_from(Offering)) == 1
        engine.dispose()
        assert sorted(codes) == ["instructor_busy", "scheduled"]

    def test_the_constraint_itself_holds_for_two_open_transactions(self, fresh_database: str) -> None:
        """Without the row locks of `arrange`, the second insert waits for the first transaction and is then refused."""
        engine = create_engine(fresh_database)
        with Session(engine) as db:
            make = Make(db)
            lead = make.instructor()
            first, second = (scheduled(db, plan(make, team=Team())) for _ in range(2))
            ids = (first.sessions[0].id, second.sessions[0].id)
            db.commit()
            insert = text(
                "INSERT INTO session_instructor (course_session_id, instructor_id, role, during, active)"
                " SELECT id, :person, 'lead', during, true FROM course_session WHERE id = :session"
            )
            db.execute(insert, {"person": lead.id, "session": ids[0]})
            outcome: list[str] = []

            def other() -> None:
                with Session(engine) as own:
                    try:
                        own.execute(insert, {"person": lead.id, "session": ids[1]})
                    except Exception as error:
                        outcome.append(str(error))

            thread = threading.Thread(target=other)
            thread.start()
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            with engine.connect() as watcher:
                while not watcher.scalar(waiting):
                    assert thread.is_alive()
            db.commit()
            thread.join()
        engine.dispose()
        assert "ex_session_instructor_one_place" in outcome[0]
