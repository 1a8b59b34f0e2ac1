"""Examiners who mark at the same moment, from phones and on the page: nobody's mark is lost, and nobody waits for ever."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from courses.assessment import assessment, skill_results
from courses.assessment.marking import Marks
from courses.assessment.skill_results import SkillInput
from courses.models.enrolment import Enrolment
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.factories import Make

TRAINEES = 12
SKILLS = 4


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    engine = create_engine(fresh_database, pool_size=20, connect_args={"options": "-c timezone=UTC"})
    yield engine
    engine.dispose()


class Examined:
    """A training with its trainees, and what its examiners do to it, each in a transaction of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with Session(engine) as db:
            make = Make(db)
            offering = make.offering(course=make.new_course(skills=SKILLS))
            self.trainees = [make.enrolment(offering).id for _ in range(TRAINEES)]
            self.offering = offering.id
            self.session = offering.sessions[0].id
            self.skills = [skill.id for skill in offering.course.skills]
            self.user = make.user(Role.INSTRUCTOR).id
            db.commit()

    @property
    def everything(self) -> dict[int, set[int]]:
        """Every skill of every trainee."""
        return {one: set(self.skills) for one in self.trainees}

    def by_phone(self, trainees: list[int], skills: list[int]) -> list[Outcome]:
        """An examiner's phone sends what was seen, all at once."""
        with Session(self._engine) as db:
            now = clock.now()
            events = [SkillInput(uuid4(), self.session, one, skill, True, now) for one in trainees for skill in skills]
            answers = skill_results.record_all(db, events, user_id=self.user, device_id=None, scope=EVERYTHING, now=now)
            db.commit()
            return [answer.outcome for answer in answers]

    def on_the_page(self, trainee: int, skill: int) -> None:
        """An examiner saves the form as it was when nobody had marked anything."""
        with Session(self._engine) as db:
            enrolment = db.get_one(Enrolment, trainee)
            assessment.save(db, enrolment, Marks(None, {skill: True}), seen=assessment.form_version(()), retest=False)
            db.commit()

    def passed(self) -> dict[int, set[int]]:
        """Trainee → the skills that count as shown."""
        with Session(self._engine) as db:
            states = skill_results.skill_states(db, self.offering)
        return {one: {skill for skill, shown in skills.items() if shown} for one, skills in states.items()}


@pytest.fixture
def examined(engine: Engine) -> Examined:
    return Examined(engine)


def together(*acts: Callable[[], object]) -> list[object]:
    """Let them begin at the same moment; raises what any of them raises."""
    begin = Barrier(len(acts))

    def act(one: Callable[[], object]) -> object:
        begin.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


def test_two_examiners_at_once_on_different_trainees(examined: Examined) -> None:
    half = TRAINEES // 2
    told = together(
        lambda: examined.by_phone(examined.trainees[:half], examined.skills),
        lambda: examined.by_phone(examined.trainees[half:], examined.skills),
    )
    assert told == [[Outcome.ACCEPTED] * half * SKILLS] * 2
    assert examined.passed() == examined.everything


def test_examiners_at_stations_take_every_trainee_in_another_order(examined: Examined) -> None:
    """Each station examines one skill, and every trainee passes each station; the phones send their people in opposite orders."""
    orders = [examined.trainees, examined.trainees[::-1]]
    together(
        *(
            lambda at=at, skill=skill: examined.by_phone(orders[at % 2], [skill])
            for at, skill in enumerate(examined.skills)
        )
    )
    assert examined.passed() == examined.everything


def test_phones_and_pages_at_once_on_the_same_trainees(examined: Examined) -> None:
    first, second, *others = examined.skills
    together(
        lambda: [examined.on_the_page(one, first) for one in examined.trainees],
        lambda: [examined.on_the_page(one, second) for one in reversed(examined.trainees)],
        lambda: examined.by_phone(examined.trainees, others),
    )
    assert examined.passed() == examined.everything
