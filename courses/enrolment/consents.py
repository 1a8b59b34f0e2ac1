"""Consents to the privacy text: given by the person, a guardian or to staff, and withdrawn."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from courses.enrolment import privacy_texts
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.privacy import Consent, ConsentGiver, ConsentWay, PrivacyText
from courses.models.trainees import Trainee
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound

REASON_LIMIT = 500


class Relation(StrEnum):
    """The relation of a guardian to the child."""

    MOTHER = "mother"
    FATHER = "father"
    OTHER = "other"


@dataclass(frozen=True)
class Guardian:
    """A guardian who consents for a child under 14."""

    name: str
    relation: Relation


def version_shown(db: Session, shown: int | None) -> PrivacyText:
    """The version in force, which must be the one that the person was shown.

    Raises DomainError `privacy_text_changed`, so that the page shows the new one first.
    """
    text = privacy_texts.current(db)
    if shown != text.version:
        raise DomainError(
            "privacy_text_changed",
            N_("The privacy notice has changed meanwhile. Read the new one, then agree again."),
            status=422,
            field="consent",
        )
    return text


def give(
    db: Session,
    trainee: Trainee,
    way: ConsentWay,
    *,
    guardian: Guardian | None = None,
    version: int | None = None,
) -> Consent:
    """Record a consent. version: the text that was shown; without it the one in force. guardian: for a child under 14.

    Staff who have it on paper record it (`ConsentWay.DESK`, `LIST`); then the acting user is recorded. A standing consent to
    the same version is not recorded twice. Raises DomainError `guardian_missing` and `person_erased`.
    """
    if trainee.erased_at is not None:
        raise DomainError("person_erased", N_("The data of this person was erased. Register the person anew."))
    version = version if version is not None else privacy_texts.current(db).version
    standing = db.scalars(
        select(Consent).where(
            Consent.trainee_id == trainee.id, Consent.version == version, Consent.withdrawn_at.is_(None)
        )
    ).first()
    if standing is not None:
        return standing
    row = Consent(
        trainee_id=trainee.id,
        version=version,
        giver=ConsentGiver.ONESELF if guardian is None else ConsentGiver.GUARDIAN,
        way=way,
        recorded_by=audit.actor(db) if way in {ConsentWay.DESK, ConsentWay.LIST} else None,
    )
    if guardian is not None:
        row.set_guardian(guardian.name, guardian.relation)
    db.add(row)
    db.flush()
    audit.record(
        db, "consent.give", f"trainee:{trainee.id}",
        after={"version": version, "giver": row.giver, "way": way},
    )  # fmt: skip
    return row


def guardian_of(trainee_name: str | None, relation: str | None) -> Guardian:
    """The guardian of a form. Raises DomainError on the field at fault."""
    if not trainee_name:
        raise DomainError(
            "guardian_missing", N_("For a child under 14, a parent or guardian must consent. Enter the name."),
            status=422, field="guardian_name",
        )  # fmt: skip
    if not relation:
        raise DomainError(
            "guardian_missing", N_("For a child under 14, choose the guardian's relation to the child."),
            status=422, field="guardian_relation",
        )  # fmt: skip
    return Guardian(trainee_name, Relation(relation))


def needs_guardian(trainee: Trainee) -> bool:
    """Tell whether the person may be under 14 today: then a guardian consents."""
    return trainee.birth_year is not None and clock.branch_today().year - trainee.birth_year <= 14


def standing(db: Session, trainee_id: int) -> Consent | None:
    """The consent of a person that was given last and not withdrawn."""
    return db.scalars(
        select(Consent)
        .where(Consent.trainee_id == trainee_id, Consent.withdrawn_at.is_(None))
        .order_by(Consent.id.desc())
        .limit(1)
    ).one_or_none()


def is_asked(db: Session, trainee: Trainee) -> bool:
    """Tell whether the person should be asked: no consent to the version in force stands. An erased person is not asked."""
    row = standing(db, trainee.id)
    return trainee.erased_at is None and (row is None or row.version != privacy_texts.current(db).version)


def history(db: Session, trainee_id: int) -> list[Consent]:
    """All consents of a person, the newest first."""
    return list(db.scalars(select(Consent).where(Consent.trainee_id == trainee_id).order_by(Consent.id.desc())))


def withdraw(db: Session, trainee: Trainee, reason: str | None = None) -> None:
    """Withdraw all consents of a person. No reason is needed (PIPL, article 15). Raises NotFound where none stands."""
    rows = db.scalars(
        select(Consent).where(Consent.trainee_id == trainee.id, Consent.withdrawn_at.is_(None)).with_for_update()
    ).all()
    if not rows:
        raise NotFound
    for row in rows:
        row.withdrawn_at, row.withdrawn_by = clock.now(), audit.actor(db)
        row.withdrawal_reason = (reason or "")[:REASON_LIMIT] or None
    db.flush()
    audit.record(db, "consent.withdraw", f"trainee:{trainee.id}", after={"consents": len(rows)})


def without(db: Session, trainee_ids: Collection[int]) -> set[int]:
    """The ids of the people for whom no consent stands. One statement."""
    if not trainee_ids:
        return set()
    given = exists(select(1).where(Consent.trainee_id == Trainee.id, Consent.withdrawn_at.is_(None)))
    return set(db.scalars(select(Trainee.id).where(Trainee.id.in_(trainee_ids), ~given, Trainee.erased_at.is_(None))))


def has_withdrawn(db: Session, trainee_id: int) -> bool:
    """Tell whether the person withdrew and has not consented again."""
    rows = history(db, trainee_id)
    return bool(rows) and all(row.withdrawn_at is not None for row in rows)


def give_for_offering(db: Session, offering_id: int, trainee_ids: Collection[int]) -> int:
    """Record that staff have the consents of these people of an offering on paper. Returns the number of new ones."""
    people = db.scalars(
        select(Trainee)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .where(
            Enrolment.offering_id == offering_id,
            Enrolment.state != EnrolmentState.CANCELLED,
            Trainee.id.in_(without(db, trainee_ids)),
        )
    ).all()
    for trainee in people:
        give(db, trainee, ConsentWay.LIST)
    return len(people)
