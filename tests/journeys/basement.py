"""A system of its own, without a demo year, so that it can be stopped: one session, its people, their instructor."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from courses.models.trainees import IdType
from lms.accounts import passwords
from lms.core import clock, crypto
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.journeys.running import Running

PEOPLE = 240
LOGIN = "basement@example.org"
SURNAMES, GIVEN = "王李张刘陈杨黄赵周吴", "伟芳娜敏静丽强磊军洋"


@dataclass
class Basement:
    """The system, the session, and who comes."""

    running: Running
    engine: Engine
    session_id: int
    names: list[str]
    phones: list[str]
    id_numbers: list[str]

    @property
    def address(self) -> str:
        """The session's page."""
        return f"/sessions/{self.session_id}/attendance"

    def count(self, query: str, **values: object) -> int:
        """A number read from the database."""
        with self.engine.connect() as connection:
            return int(connection.execute(text(query), {"id": self.session_id, **values}).scalar_one())

    @property
    def present(self) -> int:
        """How many the server counts as present."""
        return self.count("SELECT count(*) FROM attendance WHERE course_session_id = :id")

    @property
    def events(self) -> int:
        """How many events it keeps."""
        return self.count("SELECT count(*) FROM attendance_event WHERE course_session_id = :id")


@contextmanager
def basement_system() -> Iterator[Basement]:
    """Start it with its session and people; stop it and take its folder away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lms-basement-"))
    folder.chmod(0o711)
    running = Running(folder / "instance", LMS_DEMO="0")
    given = running.start()
    engine = create_engine(given["DATABASE_URL"], poolclass=NullPool)  # it is stopped and started under us
    crypto.configure(given["FIELD_KEY"])
    phones = [f"138{number:08d}" for number in range(PEOPLE)]
    id_numbers = [f"11010119900307{number:04d}" for number in range(PEOPLE)]
    names = [SURNAMES[number % 10] + GIVEN[number // 10 % 10] + GIVEN[number // 100] for number in range(PEOPLE)]
    with Session(engine) as db:
        make = Make(db)
        user = make.user(Role.INSTRUCTOR, name="王老师", email=LOGIN, password_hash=passwords.seal(PASSWORD))
        offering = make.offering(
            lead=make.instructor(user=user), starts=[clock.now() - timedelta(minutes=30)], capacity=PEOPLE
        )
        for name, phone, id_number in zip(names, phones, id_numbers, strict=True):
            trainee = make.trainee(name, phone=f"+86{phone}")
            trainee.set_id_number(IdType.PASSPORT, id_number)
            make.enrolment(offering, trainee)
        db.commit()
        session_id = offering.sessions[0].id
    yield Basement(running, engine, session_id, names, phones, id_numbers)
    engine.dispose()
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


def tap(page: Page, number: int) -> None:
    """Tap so many people who are missing; each shows its tick before the next is tapped."""
    expect(page.locator("[data-count=all]")).not_to_have_text("0")  # a page without a network fills itself
    present = int(page.locator("[data-count=present]").inner_text())
    for tapped in range(1, number + 1):
        page.locator(".person[data-present=no]:visible .person-tap").first.click()
        expect(page.locator("[data-count=present]")).to_have_text(str(present + tapped))


def tap_fast(page: Page, number: int) -> None:
    """Tap so many people who are missing, by a script of the page; each shows its tick before the next is tapped."""
    present = int(page.locator("[data-count=present]").inner_text())
    page.evaluate(
        """async (number) => {
          const count = document.querySelector("[data-count=present]");
          for (let tapped = 0; tapped < number; tapped += 1) {
            const before = count.textContent;
            const taps = [...document.querySelectorAll(".person[data-present=no] .person-tap")];
            // A tap has a place and a number of clicks: without them it is a key that is held down.
            const place = { clientX: (tapped % 8) * 40, clientY: 100, detail: 1, bubbles: true, cancelable: true };
            taps.find((tap) => tap.offsetParent).dispatchEvent(new MouseEvent("click", place));
            while (count.textContent === before) await new Promise((resolve) => { setTimeout(resolve, 5); });
          }
        }""",
        number,
    )
    expect(page.locator("[data-count=present]")).to_have_text(str(present + number))
