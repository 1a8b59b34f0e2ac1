"""Certificates that people hold: certificates of this system and the legacy ones that belong to them, expired ones included.

A course that renews a certificate asks for it (`courses.enrolment.held_certificates`), and so does the validity of the new
certificate, which begins where the old one ends (`certificates.renewal`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, or_, select, true
from sqlalchemy.orm import Session, aliased

from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from courses.enrolment.held_certificates import Held
from courses.models.enrolment import Enrolment


def of_people(
    db: Session,
    trainee_ids: Collection[int],
    types: Collection[int],
    *,
    on: date,
    renewed_in: int | None = None,
) -> dict[int, tuple[Held, ...]]:
    """Return what each person holds of the types, as `held_certificates.Provider` describes. One statement.

    A certificate counts from its issue until it is superseded: one that was superseded after the day `on`, or by the
    certificates of the offering `renewed_in`, was held on that day. Where any certificate of its enrolment is revoked, none
    of them counts, because a corrected certificate is revoked by its successor.
    """
    by_person: dict[int, list[Held]] = defaultdict(list)
    for trainee_id, number, certificate_type, valid_until, is_legacy in db.execute(
        _certificates(trainee_ids, types, on, renewed_in).union_all(
            _legacy_certificates(trainee_ids, types, on, renewed_in)
        )
    ):
        by_person[trainee_id].append(Held(number, certificate_type, valid_until, is_legacy))
    return {trainee_id: _latest_of_each_type(held) for trainee_id, held in by_person.items()}


def latest(db: Session, trainee_ids: Collection[int], types: Collection[int], *, on: date) -> Mapping[int, Held]:
    """Return the certificate of the types that ends last, for each person who has one. One statement."""
    return {trainee_id: held[0] for trainee_id, held in of_people(db, trainee_ids, types, on=on).items()}


def _latest_of_each_type(held: Iterable[Held]) -> tuple[Held, ...]:
    by_type: dict[int, Held] = {}
    for certificate in sorted(held, key=_by_end, reverse=True):
        by_type.setdefault(certificate.certificate_type, certificate)
    return tuple(by_type.values())


def _by_end(certificate: Held) -> tuple[date, str]:
    return certificate.valid_until or date.max, certificate.number


def _certificates(
    trainee_ids: Collection[int], types: Collection[int], on: date, renewed_in: int | None
) -> Select[*tuple[Any, ...]]:
    corrected = aliased(Certificate)
    revoked = exists(
        select(1).where(corrected.enrolment_id == Certificate.enrolment_id, corrected.revoked_at.is_not(None))
    )
    statement = (
        select(
            Enrolment.trainee_id,
            Certificate.number,
            Certificate.certificate_type,
            Certificate.valid_until,
            false().label("legacy"),
        )
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(
            Enrolment.trainee_id.in_(trainee_ids),
            Certificate.certificate_type.in_(types),
            Certificate.issued_on <= on,
            ~revoked,
            _held_on(Certificate.superseded_by_id, on, renewed_in),
        )
    )
    return statement if renewed_in is None else statement.where(Enrolment.offering_id != renewed_in)


def _legacy_certificates(
    trainee_ids: Collection[int], types: Collection[int], on: date, renewed_in: int | None
) -> Select[*tuple[Any, ...]]:
    return select(
        LegacyCertificate.trainee_id,
        LegacyCertificate.number,
        LegacyCertificate.certificate_type,
        LegacyCertificate.valid_until,
        true().label("legacy"),
    ).where(
        LegacyCertificate.trainee_id.in_(trainee_ids),
        LegacyCertificate.certificate_type.in_(types),
        LegacyCertificate.issued_on <= on,
        LegacyCertificate.revoked_at.is_(None),
        _held_on(LegacyCertificate.superseded_by_id, on, renewed_in),
    )


def _held_on(superseded_by_id: Any, on: date, renewed_in: int | None) -> ColumnElement[bool]:
    """The condition that a certificate was not superseded yet on a day, or was by the certificates of an offering alone."""
    successor, renewal = aliased(Certificate), aliased(Enrolment)
    later = successor.issued_on > on
    if renewed_in is not None:
        later |= exists(select(1).where(renewal.id == successor.enrolment_id, renewal.offering_id == renewed_in))
    return or_(superseded_by_id.is_(None), exists(select(1).where(successor.id == superseded_by_id, later)))
