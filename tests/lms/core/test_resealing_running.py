"""FIELD_KEY replaced while processes check in, enrol, prove contacts and sign in: nothing is lost and nothing made twice.

The processes are real, and they are replaced in the three steps of docs/operations.md, so that at each step those with the
former setting and those with the new one work at the same time.
"""

import base64
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from time import sleep
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.enrolment import places, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceEvent, AttendanceMethod
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import Outcome
from lms.accounts import user_contacts, users
from lms.accounts.models import User
from lms.core import clock, crypto, resealing
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError
from tests.conftest import FIELD_KEY
from tests.factories import Make

NEW_KEY = "2:" + base64.b64encode(bytes(range(100, 132))).decode()
OLD, BOTH_READ, BOTH_WRITE, NEW = (FIELD_KEY, ()), (FIELD_KEY, (NEW_KEY,)), (NEW_KEY, (FIELD_KEY,)), (NEW_KEY, ())
PEOPLE = 60
CLAIMANTS = 30
processes = get_context("fork")


@dataclass
class Ground:
    """The rows that the processes work on, as plain values; `turn` gives out numbers, each of which two workers get."""

    url: str
    session_id: int
    open_offering_id: int
    tickets: list[str]
    claimants: list[tuple[str, tuple[int, int]]]
    turn: Any = field(default_factory=lambda: processes.Value("i", 0))


@dataclass
class Done:
    """The acts that a worker saw committed, and the errors that it met."""

    scanned: list[str] = field(default_factory=list)
    walked_in: list[tuple[str, str]] = field(default_factory=list)
    enrolled: list[str] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    signed_in: int = 0
    errors: list[str] = field(default_factory=list)


def name_of(number: int) -> str:
    return f"学员{number}号"


def phone_of(number: int) -> str:
    return f"+86177{number:08d}"


def work(ground: Ground, keys: tuple[str, tuple[str, ...]], over: Event, results: Any) -> None:
    """A process with its own keys and connections, until `over`."""
    done = Done()
    try:
        crypto.configure(*keys)
        engine = create_engine(ground.url, connect_args={"options": "-c timezone=UTC -c lock_timeout=10000"})
        for turn in count():
            if over.is_set():
                break
            with ground.turn.get_lock():
                number = ground.turn.value // 2
                ground.turn.value += 1
            with Session(engine, expire_on_commit=False) as db:
                act(db, ground, number, turn, done)
        engine.dispose()
    except Exception:  # the test tells it
        done.errors.append(traceback.format_exc())
    results.put(done)


def act(db: Session, ground: Ground, number: int, turn: int, done: Done) -> None:
    """Do one of each, in a transaction each."""
    now = clock.now()
    ticket = ground.tickets[number % PEOPLE]
    scan = AttendanceInput(uuid4(), ground.session_id, method=AttendanceMethod.SCAN, ticket=ticket)
    (answer,) = recording.record_all(db, [scan], user_id=None, now=now)
    db.commit()
    assert answer.outcome in {Outcome.ACCEPTED, Outcome.ALREADY}, answer
    done.scanned.append(ticket)
    person = WalkIn(uuid4(), f"路人{number}", phone_of(50_000_000 + number))
    recording.record_all(db, [AttendanceInput(uuid4(), ground.session_id, walk_in=person)], user_id=None, now=now)
    db.commit()
    done.walked_in.append((str(person.id), person.phone or ""))
    facts = TraineeFacts(name_of(number), phone_of(number), f"p{number}@example.org")
    places.enrol_oneself(db, ground.open_offering_id, facts, tell=False)
    db.commit()
    done.enrolled.append(facts.name)
    phone, claimants = ground.claimants[number % CLAIMANTS]
    user = db.get_one(User, claimants[turn % 2])
    try:
        user_contacts.prove(db, user, ContactKind.PHONE, phone, ContactProof.CODE)
        db.commit()
        done.proven.append(phone)
    except DomainError as error:
        db.rollback()
        if error.code != "phone_taken":
            raise
    claim = users.claimed(db, phone, None)
    assert claim.user is not None
    assert claim.user.phone == phone
    done.signed_in += 1


class Servers:
    """Processes that are replaced one generation by the next, as a rolling restart does."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.results = processes.Queue()
        self.done: list[Done] = []
        self._generation: list[tuple[Any, Event]] = []

    def replace_by(self, keys: tuple[str, tuple[str, ...]] | None, *, together: int = 16) -> None:
        """Start a generation, let it work beside the one before for so many turns, then stop the one before."""
        former, self._generation = self._generation, []
        for _ in range(2 if keys is not None else 0):
            over = processes.Event()
            process = processes.Process(target=work, args=(self.ground, keys, over, self.results))
            process.start()
            self._generation.append((process, over))
        self.wait(together)
        for _process, over in former:
            over.set()
        self.done += [self.results.get(timeout=30) for _ in former]
        for process, _over in former:
            process.join(timeout=30)
        self.wait(together if keys is not None else 0)

    def wait(self, turns: int) -> None:
        """Wait until so many turns were taken; no longer than something goes wrong."""
        until, deadline = self.ground.turn.value + turns, clock.now().timestamp() + 60
        while self.ground.turn.value < until and any(process.is_alive() for process, _over in self._generation):
            assert clock.now().timestamp() < deadline, "the processes are stuck"
            sleep(0.005)


@contextmanager
def engine_of(url: str) -> Iterator[sessionmaker[Session]]:
    engine = create_engine(url, connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def ground(fresh_database: str, app: Flask) -> Iterator[Ground]:
    with engine_of(fresh_database) as sessions, sessions() as db:
        make = Make(db)
        began = make.offering(hours=8)
        coming = make.offering(starts=[clock.now().replace(year=2099)], capacity=30_000)
        tickets = [make.enrolment(began).ticket for _ in range(PEOPLE)]
        claimants = []
        for _ in range(CLAIMANTS):
            phone = make.phone()
            claimants.append((phone, tuple(make.user(proven=False, phone=phone).id for _ in range(2))))
        db.commit()
        yield Ground(fresh_database, began.sessions[0].id, coming.id, tickets, claimants)
    crypto.configure(FIELD_KEY)


def test_nothing_is_lost_and_nothing_made_twice_while_the_key_is_replaced(ground: Ground) -> None:
    servers = Servers(ground)
    servers.replace_by(OLD)
    servers.replace_by(BOTH_READ)
    servers.replace_by(BOTH_WRITE)
    with engine_of(ground.url) as sessions:
        crypto.configure(*BOTH_WRITE)
        assert not [row for progress in resealing.reseal(sessions) for row in progress.unreadable]
        with sessions() as db:
            assert sum(sums.beside(2) for sums in resealing.count(db)) == 0
        servers.replace_by(NEW)
        servers.replace_by(None)
        assert [error for done in servers.done for error in done.errors] == []
        crypto.configure(*NEW)
        with sessions() as db:
            check(db, ground, servers.done)


def check(db: Session, ground: Ground, done: list[Done]) -> None:
    """Under the new key alone."""
    scanned = {ticket for worker in done for ticket in worker.scanned}
    present = db.scalars(select(Enrolment).join(AttendanceEvent, AttendanceEvent.enrolment_id == Enrolment.id)).unique()
    assert {enrolment.ticket for enrolment in present} == scanned
    walked_in = {person: phone for worker in done for person, phone in worker.walked_in}
    assert {str(row.id): row.phone for row in db.scalars(select(WalkInPerson))} == walked_in
    enrolled = Counter(name for worker in done for name in worker.enrolled)
    assert max(enrolled.values()) == 2, "two processes enrolled the same person at the same time"
    rows = db.execute(
        select(Trainee, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .where(Enrolment.offering_id == ground.open_offering_id)
        .group_by(Trainee.id)
    ).all()
    assert Counter(trainee.name for trainee, _number in rows) == Counter(set(enrolled))
    assert {number for _trainee, number in rows} == {1}
    for trainee, _number in rows:
        assert trainees.match(db, TraineeFacts(trainee.name, trainee.phone)) is trainee
    for phone, claimants in ground.claimants:
        holders = [
            user for user in db.scalars(select(User).where(User.id.in_(claimants))) if user.is_proven(ContactKind.PHONE)
        ]
        assert [user.phone for user in holders] == [phone] * (phone in {p for worker in done for p in worker.proven})
        if holders:
            assert users.find(db, phone) is holders[0]
    assert sum(worker.signed_in for worker in done) == sum(enrolled.values())
