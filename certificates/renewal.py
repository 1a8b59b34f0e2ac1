"""Renewal: the certificate of a refresher supersedes the one that its holder had before.

The superseded one is the holder's newest certificate of the same type that is neither revoked nor superseded, expired
or not. Where the holder has none of this system, it is the legacy certificate of the type (`legacy.superseding`). A holder
who has none at all simply gets a first certificate.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from certificates.events import StatusChanged
from certificates.legacy import superseding
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core import audit
from lms.core.events import publish


def renew(db: Session, enrolment_ids: Collection[int]) -> Mapping[int, str]:
    """Let the new certificates of these enrolments supersede the old ones, where the course is a refresher.

    Two statements for the whole chunk; the second runs only where there are refreshers. The first locks the holders, so
    that no other worker renews their certificates at the same time: the second statement then sees what that worker
    committed. When one chunk holds two refreshers of a person, the second renews the first. Returns, by the id of each
    certificate that renews another one, the number of that one, legacy or not.
    """
    holder_ids = db.scalars(
        select(Trainee.id)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(Enrolment.id.in_(enrolment_ids), Course.refresher)
        .order_by(Trainee.id)
        .with_for_update(of=Trainee, key_share=True)
    ).all()
    if not holder_ids:
        return {}
    renewed_rows = db.execute(_renewing(enrolment_ids)).all()
    if renewed_rows:
        publish(db, StatusChanged())
    for row in renewed_rows:
        if row.superseded_by_id is not None:
            audit.record(
                db,
                "certificate.renew",
                f"certificate:{row.id}",
                before={"number": row.number},
                after={"superseded_by": row.superseded_by_id},
            )
    renewed = {row.superseded_by_id: row.number for row in renewed_rows if row.superseded_by_id is not None}
    return renewed | superseding.settle(db, holder_ids)


def _renewing(enrolment_ids: Collection[int]) -> ReturningUpdate[int, str, int | None]:
    """Return one UPDATE that writes both ends of each pair: `replaces_id` of the new and `superseded_by_id` of the old."""
    new, old = aliased(Certificate), aliased(Certificate)
    new_enrolment, old_enrolment = aliased(Enrolment), aliased(Enrolment)
    before = (
        select(func.max(old.id))
        .join(old_enrolment, old_enrolment.id == old.enrolment_id)
        .where(
            old_enrolment.trainee_id == new_enrolment.trainee_id,
            old.certificate_type == new.certificate_type,
            old.id < new.id,
            old.revoked_at.is_(None),
            old.superseded_by_id.is_(None),
        )
        .correlate(new, new_enrolment)
        .scalar_subquery()
    )
    pairs = (
        select(new.id.label("new_id"), before.label("old_id"))
        .join(new_enrolment, new_enrolment.id == new.enrolment_id)
        .join(Offering, Offering.id == new_enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(new.enrolment_id.in_(enrolment_ids), new.superseded_by_id.is_(None), Course.refresher)
        .cte("pairs")
    )
    # One list of ids, so that PostgreSQL finds the rows by index however many certificates there are.
    old_ids = select(pairs.c.old_id).where(pairs.c.old_id.is_not(None))
    after = select(pairs.c.new_id).where(pairs.c.old_id == Certificate.id).scalar_subquery()
    names = select(pairs.c.old_id).where(pairs.c.new_id == Certificate.id).scalar_subquery()
    return (
        update(Certificate)
        .where(Certificate.id.in_(old_ids.union(select(pairs.c.new_id).where(pairs.c.old_id.is_not(None)))))
        .values(
            superseded_by_id=func.coalesce(after, Certificate.superseded_by_id),
            replaces_id=func.coalesce(names, Certificate.replaces_id),
        )
        .returning(Certificate.id, Certificate.number, Certificate.superseded_by_id)
        .execution_options(synchronize_session=False)
    )


def renewed_legacy(db: Session, links: Sequence["ChainLink"]) -> LegacyCertificate | None:
    """Return the legacy certificate that the first certificate of a chain renewed, or None."""
    first = links[0].certificate.id if links else None
    return db.scalars(select(LegacyCertificate).where(LegacyCertificate.superseded_by_id == first)).first()


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A certificate of a chain. `corrected`: it replaces the one before by a correction, not by a refresher."""

    certificate: Certificate
    corrected: bool


def chain(db: Session, certificate_id: int) -> Sequence[ChainLink]:
    """Return all certificates that replaced one another, oldest first. One statement.

    A certificate that replaced nothing and was not replaced is its own chain.
    """
    of_chain = Certificate.id.in_(chain_ids(certificate_id))
    rows = db.scalars(select(Certificate).where(of_chain).order_by(Certificate.id)).all()
    by_id = {row.id: row for row in rows}
    return [
        ChainLink(
            row,
            corrected=row.replaces_id is not None
            and row.replaces_id in by_id
            and by_id[row.replaces_id].enrolment_id == row.enrolment_id,
        )
        for row in rows
    ]


def renewed_number(db: Session, certificate: Certificate, links: Sequence[ChainLink]) -> str | None:
    """Return the number of the certificate that one renewed, legacy or not; None where it renewed none.

    links: its chain. A corrected certificate renewed what the former one did. One statement for the first of a chain.
    """
    earlier = [link.certificate for link in links if link.certificate.id < certificate.id]
    others = [row for row in earlier if row.enrolment_id != certificate.enrolment_id]
    if others:
        return others[-1].number
    legacy = renewed_legacy(db, links)
    return legacy.number if legacy is not None else None


def is_correction(db: Session, certificate: Certificate) -> bool:
    """Tell whether a certificate took the place of another one by a correction."""
    if certificate.replaces_id is None:
        return False
    former = select(Certificate.enrolment_id).where(Certificate.id == certificate.replaces_id)
    return db.scalar(former) == certificate.enrolment_id


def chain_ids(certificate_id: int) -> Select[int]:
    """Return the SELECT of the ids of all certificates of a chain."""
    walk = (
        select(Certificate.id, Certificate.replaces_id, Certificate.superseded_by_id)
        .where(Certificate.id == certificate_id)
        .cte("walk", recursive=True)
    )
    walk = walk.union(
        select(Certificate.id, Certificate.replaces_id, Certificate.superseded_by_id).join(
            walk, or_(Certificate.id == walk.c.replaces_id, Certificate.id == walk.c.superseded_by_id)
        )
    )
    return select(walk.c.id)
