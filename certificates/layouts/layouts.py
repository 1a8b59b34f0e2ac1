"""Layouts of certificates: the branch's own, and those of single courses, with the seals of issuing units.

They are read when certificates are issued, and what they say then is kept with each certificate. A change tells nothing to
certificates that exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates.branch import BRANCH_UNIT, Branch
from certificates.layouts import pictures
from certificates.layouts.models import CertificateLayout, UnitSeal
from certificates.layouts.wording import Wording
from courses.models.catalogue import Course
from lms.core import audit, clock


@dataclass(frozen=True, slots=True)
class Paper:
    """Layouts and seals as certificates that are issued now get them.

    by_course: the wording of courses that have their own. seals: digests by unit; the branch's own is that of unit 0.
    """

    default: Wording
    by_course: Mapping[int, Wording]
    seals: Mapping[int, str]
    logo: str | None
    branch_seals_all: bool

    def facts(self, course_id: int, unit: int) -> dict[str, Any]:
        """Return what a certificate of this course and unit keeps. An empty text says that it has no seal, or no logo."""
        seal = self.seals.get(unit) or (self.seals.get(BRANCH_UNIT) if self.branch_seals_all else None)
        layout = self.by_course.get(course_id, self.default).for_facts()
        return {"seal": seal or "", "logo": self.logo or ""} | ({"layout": layout} if layout else {})


def paper(db: Session, branch: Branch) -> Paper:
    """Read all layouts and seals, for a chunk of certificates."""
    rows = db.execute(select(CertificateLayout.course_id, CertificateLayout.wording)).all()
    wordings = {course_id: Wording.of_facts(wording) for course_id, wording in rows}
    default = wordings.pop(None, Wording())
    seals = {unit: digest for unit, digest in db.execute(select(UnitSeal.unit, UnitSeal.picture))}
    if branch.seal is not None and BRANCH_UNIT not in seals:
        seals[BRANCH_UNIT] = pictures.store_file(db, branch.seal)
    logo = pictures.store_file(db, branch.logo) if branch.logo is not None else None
    return Paper(default, wordings, seals, logo, branch.seals_districts)


def wording_of(db: Session, course_id: int | None) -> tuple[Wording, bool]:
    """Return the wording of a course (None: the branch's own) and whether a row of its own says it."""
    statement = select(CertificateLayout.course_id, CertificateLayout.wording).where(
        CertificateLayout.course_id.is_(None) | (CertificateLayout.course_id == course_id)
    )
    rows = {key: kept for key, kept in db.execute(statement)}
    return Wording.of_facts(rows.get(course_id, rows.get(None))), course_id in rows


def courses(db: Session) -> Sequence[tuple[Course, bool]]:
    """Return the courses that give a certificate, each with whether it has a layout of its own."""
    rows = db.execute(
        select(Course, CertificateLayout.id.is_not(None))
        .join(CertificateLayout, CertificateLayout.course_id == Course.id, isouter=True)
        .where(Course.certificate_type.is_not(None))
        .order_by(Course.programme_code, Course.id)
    )
    return [(course, own) for course, own in rows]


def save(db: Session, course_id: int | None, wording: Wording) -> None:
    """Set the wording of a course, or the branch's own. It was tried on paper before (`trial.demand_room`)."""
    before, own = wording_of(db, course_id)
    if own and before == wording:
        return
    values = {
        "course_id": course_id, "wording": wording.for_facts(), "changed_at": clock.now(), "changed_by": audit.actor(db),
    }  # fmt: skip
    statement = insert(CertificateLayout).values(values)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[CertificateLayout.course_id],
            set_={name: statement.excluded[name] for name in ("wording", "changed_at", "changed_by")},
        )
    )
    audit.record(
        db,
        "certificate_layout.change",
        _subject(course_id),
        before={"wording": before.for_facts()},
        after={"wording": wording.for_facts()},
    )


def remove(db: Session, course_id: int) -> None:
    """Let a course have the branch's own layout again."""
    before, own = wording_of(db, course_id)
    if not own:
        return
    db.execute(delete(CertificateLayout).where(CertificateLayout.course_id == course_id))
    audit.record(db, "certificate_layout.remove", _subject(course_id), before={"wording": before.for_facts()})


def set_seal(db: Session, unit: int, content: bytes) -> None:
    """Set the seal of an issuing unit, a PNG, for certificates from now on. Raises DomainError `picture_wrong`."""
    digest = pictures.store(db, pictures.checked(content), ".png")
    values = {"unit": unit, "picture": digest, "set_at": clock.now(), "set_by": audit.actor(db)}
    before = db.scalar(select(UnitSeal.picture).where(UnitSeal.unit == unit))
    if before == digest:
        return
    db.execute(insert(UnitSeal).values(values).on_conflict_do_update(index_elements=[UnitSeal.unit], set_=values))
    audit.record(db, "unit_seal.set", f"unit_seal:{unit}", before={"picture": before}, after={"picture": digest})


def remove_seal(db: Session, unit: int) -> None:
    """Let a unit issue without a seal from now on."""
    before = db.scalar(delete(UnitSeal).where(UnitSeal.unit == unit).returning(UnitSeal.picture))
    if before is not None:
        audit.record(db, "unit_seal.remove", f"unit_seal:{unit}", before={"picture": before})


def seals(db: Session) -> dict[int, str]:
    """Return the digests of the seals that are set, by unit."""
    return {unit: digest for unit, digest in db.execute(select(UnitSeal.unit, UnitSeal.picture))}


def _subject(course_id: int | None) -> str:
    return f"certificate_layout:{course_id if course_id is not None else 'default'}"
