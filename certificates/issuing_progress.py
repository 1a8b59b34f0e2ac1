"""Progress of issuing for one offering: which trainees have their certificate, which wait for it and which get none."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session, aliased

from certificates import states
from certificates.missing_glyphs import Lacking
from certificates.models import Certificate
from certificates.states import State
from courses.enrolment import namesakes
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.name_writings import MissingGlyphs
from courses.models.offerings import Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import clock

WORKER_DELAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class TraineeProgress:
    """A trainee of an offering and the certificate, if there is one. `shortfalls` are the codes of what is missing.

    hint: tells people of one name apart.
    lacking: the characters that no font has, by text of the certificate (`missing_glyphs.lacking`).
    """

    enrolment_id: int
    trainee: str
    certificate_id: int | None
    number: str | None
    state: State | None
    shortfalls: tuple[str, ...]
    lacking: Lacking
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IssuingProgress:
    """The trainees of an offering in four groups.

    `undecided`: the certificates wait, because no font has a character of them. `late`: the certificates in `waiting` have been
    owed for longer than `WORKER_DELAY` since the offering was closed, so the worker does not run or has no signing key.
    """

    closed: bool
    issued: tuple[TraineeProgress, ...]
    waiting: tuple[TraineeProgress, ...]
    undecided: tuple[TraineeProgress, ...]
    refused: tuple[TraineeProgress, ...]
    late: bool

    @property
    def owed(self) -> int:
        """The number of certificates that this offering ever owed, issued or not."""
        return len(self.issued) + len(self.waiting) + len(self.undecided)


def of_offering(db: Session, offering: Offering, *, today: date) -> IssuingProgress:
    """Return every trainee with a place in an offering, by name, with the state of the certificate.

    Each trainee has the last certificate of this offering: the corrected one instead of the misspelt one, and still the one
    of this offering when the refresher of another offering has renewed it.
    """
    later = aliased(Certificate)
    statement = (
        select(
            Enrolment.id.label("enrolment_id"),
            Trainee.name,
            MissingGlyphs.lacking,
            Enrolment.certificate_due,
            Enrolment.certified_at,
            Enrolment.shortfalls,
            Certificate.id,
            Certificate.number,
            Certificate.issued_on,
            Certificate.valid_until,
            Certificate.revoked_at,
            Certificate.superseded_by_id,
        )
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(
            Certificate,
            (Certificate.enrolment_id == Enrolment.id)
            & ~exists().where(later.id == Certificate.superseded_by_id, later.enrolment_id == Enrolment.id),
            isouter=True,
        )
        .outerjoin(MissingGlyphs, MissingGlyphs.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE))
        .order_by(Trainee.name_sound, Enrolment.id)
    )
    issued: list[TraineeProgress] = []
    waiting: list[TraineeProgress] = []
    undecided: list[TraineeProgress] = []
    refused: list[TraineeProgress] = []
    rows = db.execute(statement).all()
    hints = namesakes.hints(db, {row.enrolment_id: row.name for row in rows})
    for row in rows:
        progress = TraineeProgress(
            row.enrolment_id,
            row.name,
            row.id,
            row.number,
            _state(row, today),
            tuple(row.shortfalls),
            row.lacking or {},
            hints.get(row.enrolment_id, ""),
        )
        if row.id is not None:
            issued.append(progress)
        elif row.certificate_due and row.certified_at is None:
            (undecided if row.lacking else waiting).append(progress)
        else:
            refused.append(progress)
    closed = offering.state == OfferingState.CLOSED
    late = bool(waiting) and offering.closed_at is not None and clock.now() - offering.closed_at > WORKER_DELAY
    return IssuingProgress(closed, tuple(issued), tuple(waiting), tuple(undecided), tuple(refused), late)


def _state(row: Row[*tuple[Any, ...]], today: date) -> State | None:
    if row.id is None:
        return None
    return states.state_of(
        revoked=row.revoked_at is not None,
        superseded=row.superseded_by_id is not None,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        today=today,
    )
