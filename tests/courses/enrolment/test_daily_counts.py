"""Daily counts: each act of a user on a day of the branch's calendar, exact also under concurrent requests."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from sqlalchemy.orm import Session

from courses.enrolment import daily_counts
from courses.models.daily_counts import CountedAct
from lms.core.engine import make_engine
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make

TODAY, TOMORROW = date(2026, 5, 1), date(2026, 5, 2)


def test_acts_days_and_users_are_counted_apart(db: Session, make: Make) -> None:
    first, second = make.user(name="甲"), make.user(name="乙")
    assert [daily_counts.add(db, CountedAct.READ, first.id, TODAY) for _ in range(3)] == [1, 2, 3]
    assert daily_counts.add(db, CountedAct.CONFLICT, first.id, TODAY, 4) == 4
    assert daily_counts.add(db, CountedAct.READ, first.id, TOMORROW) == 1
    assert daily_counts.add(db, CountedAct.READ, second.id, TODAY) == 1
    assert daily_counts.count_of(db, CountedAct.READ, first.id, TODAY) == 3
    assert daily_counts.count_of(db, CountedAct.CONFLICT, second.id, TODAY) == 0
    rows = daily_counts.list_of_day(db, CountedAct.READ, TODAY)
    assert [(row.name, row.number) for row in rows] == [("甲", 3), ("乙", 1)]


def test_the_systems_own_acts_are_not_counted(db: Session) -> None:
    assert daily_counts.add(db, CountedAct.READ, None, TODAY) == 0
    assert daily_counts.count_of(db, CountedAct.READ, None, TODAY) == 0


def test_concurrent_acts_are_all_counted(fresh_database: str) -> None:
    engine = make_engine(fresh_database, pool_size=8)
    sessions = make_sessions(engine)
    with transaction(sessions) as db:
        user_id = Make(db).user().id

    def act(_number: int) -> int:
        with transaction(sessions) as db:
            return daily_counts.add(db, CountedAct.READ, user_id, TODAY)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(24))) == list(range(1, 25))
    engine.dispose()
