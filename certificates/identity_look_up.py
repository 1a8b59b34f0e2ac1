"""Look-up of a person's certificates by name and ID number, for whoever has neither the number nor a proven contact.

It gives what the public verification page shows. Strangers use it too, and an ID number has few digits that cannot be guessed by
whoever knows where and when a person was born. So each look-up costs a slow hash, an unknown ID number and a wrong name get the
same answer after the same statements, and the view counts misses by network and by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from certificates import qualification
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from certificates.states import State, state_of
from courses.enrolment import id_numbers, merged_records
from courses.models.enrolment import Enrolment
from courses.models.trainees import ID_NUMBER_COLUMN, IdType, Trainee
from lms.core import crypto
from lms.core.errors import N_, DomainError
from lms.core.masks import mask_name
from lms.core.names import norm

# About 60 ms of one processor core, without the interpreter's lock; the legal holder does it once.
ROUNDS = 600_000


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """The public facts of a certificate, signed or legacy. The course of a legacy one is the printed text."""

    number: str
    masked_name: str
    course_zh: str
    course_en: str
    issued_on: date
    valid_until: date | None
    state: State
    is_legacy: bool


def by_identity(db: Session, name: str, id_number: str, *, today: date) -> Sequence[PublicCertificate]:
    """The certificates of the person with this whole name and this ID number, newest first; none where they do not agree.

    Certificates that another one replaced are left out. Raises DomainError `id_number_wrong` for a text that is no ID number.
    """
    numbers = _numbers(id_number, today)
    if not numbers:
        raise DomainError(
            "id_number_wrong",
            N_("This is not the number of an identity document. Check each character."),
            status=422,
            field="id_number",
        )
    PBKDF2HMAC(SHA256(), 32, b"BJRC-IDENTITY/1", ROUNDS).derive(f"{norm(name)}\0{sorted(numbers.values())}".encode())
    trainee_id = _find_trainee(db, name, numbers)
    papers = [*_signed(db, trainee_id, today), *_legacy(db, name, numbers, trainee_id, today)]
    return sorted(papers, key=lambda paper: (paper.issued_on, paper.number), reverse=True)


def _numbers(text: str, today: date) -> dict[IdType, str]:
    """The number in the form in which it is stored, for each document of which it can be the number."""
    numbers = {}
    for id_type in IdType:
        try:
            numbers[id_type] = id_numbers.normalise(id_type, text, today)
        except DomainError:
            continue
    converted = id_numbers.converted(text, today)
    return numbers if converted is None else numbers | {IdType.RESIDENT: converted}


def _has_number(model: type[Trainee | LegacyCertificate], numbers: dict[IdType, str]) -> ColumnElement[bool]:
    return or_(
        *(
            (model.id_type == id_type) & crypto.index_is(model.id_number_index, ID_NUMBER_COLUMN, number)
            for id_type, number in numbers.items()
        )
    )


def _find_trainee(db: Session, name: str, numbers: dict[IdType, str]) -> int:
    """The id of the person, or 0, which no row refers to, so that the statements that follow are the same."""
    has_number = _has_number(Trainee, numbers)
    statement = select(merged_records.CURRENT_ID).where(has_number, Trainee.name_key == norm(name))
    return db.scalars(statement.order_by(Trainee.id).limit(1)).one_or_none() or 0


def _signed(db: Session, trainee_id: int, today: date) -> Sequence[PublicCertificate]:
    rows = db.scalars(
        select(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Enrolment.trainee_id == trainee_id, Certificate.superseded_by_id.is_(None))
    )
    return [
        PublicCertificate(
            number=row.number,
            masked_name=mask_name(row.holder_name),
            course_zh=qualification.names(row.facts)[0],
            course_en=qualification.names(row.facts)[1],
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            state=_state(row, today),
            is_legacy=False,
        )
        for row in rows
    ]


def _legacy(
    db: Session, name: str, numbers: dict[IdType, str], trainee_id: int, today: date
) -> Sequence[PublicCertificate]:
    """Legacy certificates with the number and the name, and those that were matched to the person otherwise."""
    has_number = _has_number(LegacyCertificate, numbers)
    rows = db.scalars(
        select(LegacyCertificate).where(
            (has_number & (LegacyCertificate.name_key == norm(name))) | (LegacyCertificate.trainee_id == trainee_id),
            LegacyCertificate.erased_at.is_(None),
            LegacyCertificate.superseded_by_id.is_(None),
        )
    )
    return [
        PublicCertificate(
            number=row.number,
            masked_name=mask_name(row.name),
            course_zh=row.course,
            course_en=row.course,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            state=_state(row, today),
            is_legacy=True,
        )
        for row in rows
    ]


def _state(row: Certificate | LegacyCertificate, today: date) -> State:
    return state_of(
        revoked=row.revoked_at is not None,
        superseded=False,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        today=today,
    )
