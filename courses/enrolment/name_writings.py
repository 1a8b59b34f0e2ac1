"""Names that a certificate cannot print, and the writings that their holders chose instead.

A person's name is what it is: a name with a character that no font has is stored and enrols like any other, and only its
certificate waits. It waits for a font (`FONTS_DIR`), for a correction of the record, or for a writing of the name. A writing is
printed as long as the name itself cannot be; the record keeps the name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.enrolment.trainees import NAME_LIMIT
from courses.events import NameDecided
from courses.models.enrolment import ACTIVE_STATES, HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.name_writings import NameWriting
from courses.models.offerings import OfferingState
from courses.models.trainees import Trainee
from lms.core import audit, clock, fonts, reasons
from lms.core.errors import N_, DomainError
from lms.core.events import publish
from lms.core.masks import mask_name, without_names
from lms.core.name_order import by_sound
from lms.core.names import clean

# Stored as the reason of a writing, so it is in both languages.
BY_TICKET = "本人凭报名凭证选定。Chosen by the holder of the ticket."


@dataclass(frozen=True)
class UnprintableName:
    """A trainee of an offering whose name cannot be printed.

    lacking: the characters that no font has. writing: what the certificate prints instead; None where nobody has decided yet.
    """

    enrolment_id: int
    name: str
    lacking: tuple[str, ...]
    writing: str | None


def of_offering(db: Session, offering_id: int) -> list[UnprintableName]:
    """The trainees with a place in an offering whose names cannot be printed, in the order of names. Two statements."""
    rows = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
    )
    return _unprintable(db, [(enrolment_id, name) for enrolment_id, name in rows])


def of_enrolments(db: Session, enrolments: Iterable[Enrolment]) -> list[UnprintableName]:
    """The trainees of these enrolments whose names cannot be printed, in the order of names. At most one statement."""
    return _unprintable(db, [(enrolment.id, enrolment.trainee.name) for enrolment in enrolments])


def _unprintable(db: Session, rows: Sequence[tuple[int, str]]) -> list[UnprintableName]:
    lacking = {enrolment_id: fonts.unprintable(name) for enrolment_id, name in rows}
    names = {enrolment_id: name for enrolment_id, name in rows if lacking[enrolment_id]}
    writings = chosen(db, names)
    return [
        UnprintableName(enrolment_id, name, lacking[enrolment_id], writings.get(enrolment_id))
        for enrolment_id, name in sorted(names.items(), key=lambda pair: (by_sound(pair[1]), pair[0]))
    ]


def chosen(db: Session, names: Mapping[int, str]) -> dict[int, str]:
    """The writings that hold, by enrolment. names: the name of the record by enrolment; a writing of another name is void."""
    if not names:
        return {}
    rows = db.execute(
        select(NameWriting.enrolment_id, NameWriting.name, NameWriting.writing).where(
            NameWriting.enrolment_id.in_(list(names)), NameWriting.withdrawn_at.is_(None)
        )
    )
    return {enrolment_id: writing for enrolment_id, name, writing in rows if names[enrolment_id] == name}


def current(db: Session, enrolment: Enrolment) -> NameWriting | None:
    """The writing of an enrolment that is not withdrawn. It is void where its `name` is not the record's any more."""
    statement = select(NameWriting).where(NameWriting.enrolment_id == enrolment.id, NameWriting.withdrawn_at.is_(None))
    return db.scalars(statement).one_or_none()


def history(db: Session, enrolment_id: int) -> Sequence[NameWriting]:
    """All writings of an enrolment, the newest first."""
    statement = select(NameWriting).where(NameWriting.enrolment_id == enrolment_id)
    return db.scalars(statement.order_by(NameWriting.id.desc())).all()


def suggestion(db: Session, enrolment: Enrolment) -> str:
    """The writing that the same person chose for another training, the last one; empty where there is none."""
    statement = (
        select(NameWriting.writing)
        .join(NameWriting.enrolment)
        .where(
            Enrolment.trainee_id == enrolment.trainee_id,
            Enrolment.id != enrolment.id,
            NameWriting.name == enrolment.trainee.name,
            NameWriting.withdrawn_at.is_(None),
        )
        .order_by(NameWriting.id.desc())
        .limit(1)
    )
    return db.scalar(statement) or ""


def demand_printable(text: str, field: str, *, lacking: Iterable[str] | None = None) -> None:
    """Refuse a text for a certificate that no font can print. Raises DomainError `text_unprintable` on the field."""
    characters = tuple(fonts.unprintable(text) if lacking is None else lacking)
    if characters:
        raise DomainError(
            "text_unprintable",
            N_("A certificate cannot print this: no font has %(characters)s. Choose another writing, or add a font."),
            status=422,
            field=field,
            characters=fonts.named(characters),
        )


def record(db: Session, enrolment: Enrolment, writing: str, reason: str, *, issued_before: bool = False) -> NameWriting:
    """Record the writing that the holder chose, in place of an earlier one.

    issued_before: the certificate was issued with characters that no font has, and is replaced. Raises DomainError where the
    name can be printed, where the certificate is issued already, and on the field at fault.
    """
    reason = reasons.required(reason)
    writing = clean(writing)
    if not any(letter.isalpha() for letter in writing) or len(writing) > NAME_LIMIT:
        raise DomainError(
            "writing_wrong",
            N_("Enter the name as the certificate should print it, up to 60 characters."),
            status=422,
            field="writing",
        )
    demand_printable(writing, "writing")
    _lock(db, enrolment)
    if not issued_before:
        _refuse_when_issued(enrolment)
    name = enrolment.trainee.name
    if enrolment.trainee.erased_at is not None or enrolment.state == EnrolmentState.CANCELLED:
        raise DomainError("writing_gone", N_("This enrolment gets no certificate."))
    if not fonts.unprintable(name):
        raise DomainError("name_printable", N_("This name can be printed. A misspelt name is corrected in the record."))
    former = current(db, enrolment)
    if former is not None and (former.name, former.writing) == (name, writing):
        return former  # a double tap, or the same answer again
    if former is not None:
        _close(db, former)
    row = NameWriting(enrolment_id=enrolment.id, name=name, writing=writing, reason=reason, recorded_by=audit.actor(db))
    db.add(row)
    db.flush()
    audit.record(
        db,
        "name_writing.record",
        enrolment,
        before={"writing": mask_name(former.writing)} if former is not None else None,
        after={"writing": mask_name(writing)},
        reason=without_names(reason, name, writing),
    )
    publish(db, NameDecided(enrolment.id))
    return row


def may_choose(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether the holder of the ticket may choose the writing: as long as the enrolment could still be made anew.

    From the first check-in on, the name was compared with the person who came, and staff record the writing.
    """
    return (
        enrolment.state in ACTIVE_STATES
        and enrolment.offering.state == OfferingState.PUBLISHED
        and bool(fonts.unprintable(enrolment.trainee.name))
        and not places.has_attended(db, enrolment)
    )


def choose(db: Session, enrolment: Enrolment, writing: str) -> NameWriting:
    """Record the writing that the holder chose by ticket. Raises as `record` does, and `writing_late`."""
    if not may_choose(db, enrolment):
        raise DomainError("writing_late", N_("Ask the host organisation: the writing can no longer be chosen here."))
    return record(db, enrolment, writing, BY_TICKET)


def withdraw(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Undo the writing of an enrolment, as long as no certificate was issued with it. Raises DomainError."""
    reason = reasons.required(reason)
    _lock(db, enrolment)
    _refuse_when_issued(enrolment)
    row = current(db, enrolment)
    if row is None:
        raise DomainError("writing_none", N_("There is no writing to undo."))
    _close(db, row)
    audit.record(
        db,
        "name_writing.withdraw",
        enrolment,
        before={"writing": mask_name(row.writing)},
        reason=without_names(reason, row.name, row.writing),
    )


def _lock(db: Session, enrolment: Enrolment) -> None:
    """Lock the enrolment, as issuing does: a writing is recorded before the certificate is issued, or not at all."""
    db.refresh(enrolment, ["certified_at", "state"], with_for_update={"of": Enrolment})
    db.refresh(enrolment.trainee, ["name", "erased_at"])


def _refuse_when_issued(enrolment: Enrolment) -> None:
    if enrolment.certified_at is not None:
        raise DomainError(
            "certificate_issued",
            N_("The certificate has been issued. What it prints can only be changed by a correction."),
        )


def _close(db: Session, row: NameWriting) -> None:
    row.withdrawn_at, row.withdrawn_by = clock.now(), audit.actor(db)
    db.flush()
