"""Enrolling a list of people from a spreadsheet: sent, looked at, then applied once.

Between the two the rows wait sealed. What a row means is judged anew each time, because others enrol meanwhile.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from courses.enrolment import places, sheet, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentImport, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import IdType, Trainee
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.names import norm
from lms.core.scope import Scope, fetch

KEPT = timedelta(hours=24)
COLUMN = "enrolment_import.content"


class Verdict(StrEnum):
    """What will become of a row. Only the first two go in."""

    NEW = "new"
    KNOWN = "known"
    DOUBLE = "double"
    ENROLLED = "enrolled"
    BAD = "bad"


GOOD = (Verdict.NEW, Verdict.KNOWN)


@dataclass(frozen=True)
class Problem:
    """Why a row does not go in: a msgid and what fills it; `column` is the fact at fault, if one is."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None


@dataclass(frozen=True)
class Line:
    """A row of the file and what it means. `differs`: facts that the record of a known person has otherwise."""

    number: int
    cells: Mapping[str, str]
    verdict: Verdict
    facts: TraineeFacts | None = None
    problem: Problem | None = None
    differs: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the row goes in."""
        return self.verdict in GOOD


@dataclass(frozen=True)
class Preview:
    """All rows of a file, in order, and how many of the good ones find a free place."""

    lines: Sequence[Line]
    free: int

    @property
    def good(self) -> Sequence[Line]:
        """The rows that go in."""
        return [line for line in self.lines if line.good]

    @property
    def rejected(self) -> Sequence[Line]:
        """The rows that do not."""
        return [line for line in self.lines if not line.good]

    @property
    def waiting(self) -> int:
        """How many would go on the waiting list."""
        return max(0, len(self.good) - self.free)


@dataclass(frozen=True)
class Applied:
    """What an import did. All zero when it had been applied before."""

    enrolled: int = 0
    waitlisted: int = 0
    left_out: int = 0


def receive(db: Session, offering: Offering, user_id: int, file_name: str, content: bytes) -> EnrolmentImport:
    """Read a file and keep its rows, sealed, until they are looked at and applied. Raises DomainError on `file`."""
    rows = sheet.people(content)
    db.execute(
        update(EnrolmentImport)
        .where(EnrolmentImport.created_at < clock.now() - KEPT, EnrolmentImport.content.is_not(None))
        .values(content=None)
    )
    ref = crypto.token()
    sealed = crypto.cipher().encrypt(COLUMN, _place(ref), json.dumps(rows, ensure_ascii=False))
    row = EnrolmentImport(ref=ref, offering_id=offering.id, user_id=user_id, file_name=file_name[-120:], content=sealed)
    db.add(row)
    db.flush()
    return row


def find(db: Session, offering_id: int, ref: str, scope: Scope) -> EnrolmentImport:
    """One's own import for an offering, still waiting. Raises NotFound, or DomainError once its rows are gone."""
    row = fetch(db, EnrolmentImport, ref, scope, by=EnrolmentImport.ref)
    if row.offering_id != offering_id or row.content is None:
        raise DomainError(
            "import_gone", N_("This list was enrolled already, or is older than a day. Send the file again.")
        )
    return row


def preview(db: Session, waiting: EnrolmentImport) -> Preview:
    """What each row of a waiting file would do now."""
    return _judge(db, waiting)


def apply(db: Session, waiting: EnrolmentImport) -> Applied:
    """Enrol the good rows and wipe the file. Doing it again changes nothing."""
    db.refresh(waiting, with_for_update=True)
    if waiting.applied_at is not None or waiting.content is None:
        return Applied()
    trainees.hold(db, [line.facts for line in _judge(db, waiting).lines if line.facts])
    judged = _judge(db, waiting)
    people = trainees.register_all(db, [line.facts for line in judged.good if line.facts], waiting.offering.district_id)
    rows = places.enrol_all(db, waiting.offering_id, people, source=EnrolmentSource.IMPORT)
    states = [row.state for row in rows]
    waiting.applied_at, waiting.content = clock.now(), None
    db.flush()
    done = Applied(
        enrolled=states.count(EnrolmentState.ENROLLED),
        waitlisted=states.count(EnrolmentState.WAITLISTED),
        left_out=len(judged.lines) - len(rows),
    )
    audit.record(
        db,
        "enrolment.import",
        f"offering:{waiting.offering_id}",
        after={"enrolled": done.enrolled, "waitlisted": done.waitlisted, "left_out": done.left_out},
    )
    return done


def _judge(db: Session, waiting: EnrolmentImport) -> Preview:
    if waiting.content is None:
        raise AssertionError("the rows were wiped")
    rows = json.loads(crypto.cipher().decrypt(COLUMN, _place(waiting.ref), waiting.content))
    read = [_read(number, cells) for number, cells in rows]
    good = [line.facts for line in read if line.facts]
    known = dict(zip((id(facts) for facts in good), trainees.match_all(db, good), strict=True)) if good else {}
    inside = set(
        db.scalars(
            select(Enrolment.trainee_id).where(
                Enrolment.offering_id == waiting.offering_id, Enrolment.state != EnrolmentState.CANCELLED
            )
        )
    )
    lines: list[Line] = []
    before = _Before()
    for line in read:
        facts = line.facts
        if facts is None:
            lines.append(line)
            continue
        person = known[id(facts)]
        earlier = before.meet(facts, person, line.number)
        if earlier is not None:
            problem = Problem(N_("The same person as in row %(row)s."), {"row": earlier})
            lines.append(Line(line.number, line.cells, Verdict.DOUBLE, facts, problem))
        elif person is not None and person.id in inside:
            problem = Problem(N_("This trainee is already enrolled in this offering."))
            lines.append(Line(line.number, line.cells, Verdict.ENROLLED, facts, problem))
        elif person is not None:
            differs = trainees.differences(person, facts)
            lines.append(Line(line.number, line.cells, Verdict.KNOWN, facts, differs=differs))
        else:
            lines.append(line)
    return Preview(lines, places.places_of(db, waiting.offering).free)


class _Before:
    """The people of the rows above, by the same rule as `trainees.match_all`."""

    def __init__(self) -> None:
        self._exact: dict[object, int] = {}
        self._likely: dict[object, list[tuple[int, bool]]] = defaultdict(list)

    def meet(self, facts: TraineeFacts, person: Trainee | None, number: int) -> int | None:
        """The row above that is the same person, if one is; and remember this row."""
        exact: list[object] = [(facts.id_type, facts.id_number)] if facts.id_number else []
        exact += [person.id] if person is not None else []
        resident = facts.id_type == IdType.RESIDENT
        found = [self._exact[key] for key in exact if key in self._exact]
        if facts.phone:
            likely = self._likely[facts.phone, norm(facts.name)]
            found += [row for row, other in likely if not (resident and other)]
            likely.append((number, resident))
        for key in exact:
            self._exact.setdefault(key, number)
        return min(found, default=None)


def _read(number: int, cells: Mapping[str, str]) -> Line:
    try:
        facts = trainees.checked(sheet.facts_of(cells))
    except DomainError as error:
        return Line(number, cells, Verdict.BAD, problem=Problem(error.message, error.params, error.field))
    return Line(number, cells, Verdict.NEW, facts)


def _place(ref: str) -> UUID:
    """The import's number as the cipher wants it: the token is 16 bytes."""
    return UUID(bytes=base64.urlsafe_b64decode(ref + "=="))
