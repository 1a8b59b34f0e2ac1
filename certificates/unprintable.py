"""The list of people whose certificates cannot be printed yet, with what lacks, for those who decide."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, case, func, select, true
from sqlalchemy.orm import Session

from certificates import missing_glyphs
from certificates.models import Certificate
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.name_writings import HOLDER, MissingGlyphs
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, visible


class Stage(StrEnum):
    """The stage of the certificate: it waits, it was issued with missing characters, or the class is still to come."""

    WAITING = "waiting"
    ISSUED = "issued"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class UnprintableRow:
    """A person whose certificate cannot be printed.

    lacking: by text (`HOLDER`, or a key of `Certificate.facts`) the characters that no font has. certificate_id: of the
    certificate that was issued with them.
    """

    enrolment_id: int
    offering_id: int
    name: str
    lacking: dict[str, list[str]]
    found_at: datetime
    course_zh: str
    course_en: str
    counted_on: date | None
    stage: Stage
    certificate_id: int | None

    @property
    def needs_writing(self) -> bool:
        """True where the holder's name lacks characters; otherwise only another text of the certificate does."""
        return HOLDER in self.lacking


_STAGE = case((missing_glyphs.WAITING, Stage.WAITING), (missing_glyphs.ISSUED, Stage.ISSUED), else_=Stage.COMING)


def listing(
    db: Session, scope: Scope, *, page: int = 1, size: int = PAGE_SIZE, due: bool = False
) -> Page[UnprintableRow]:
    """A page of the people within the scope: certificates that wait first, then those issued, then classes to come.

    due: without the classes to come, as `counting` counts.
    """
    everybody = visible(select(func.count(MissingGlyphs.enrolment_id)), MissingGlyphs, scope)
    total = db.scalar(counting(scope) if due else everybody)
    pages = max(1, -(-(total or 0) // size))
    page = min(max(page, 1), pages)
    order = case((_STAGE == Stage.WAITING, 0), (_STAGE == Stage.ISSUED, 1), else_=2)
    columns: tuple[Any, ...] = (
        MissingGlyphs.enrolment_id, Enrolment.offering_id, Trainee.name, MissingGlyphs.lacking, MissingGlyphs.found_at,
        Course.name_zh.label("course_zh"), Course.name_en.label("course_en"), Offering.counted_on, _STAGE.label("stage"),
        Certificate.id.label("certificate_id"),
    )  # fmt: skip
    statement = (
        visible(select(*columns), MissingGlyphs, scope)
        .join(Enrolment, Enrolment.id == MissingGlyphs.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .outerjoin(Certificate, (Certificate.enrolment_id == Enrolment.id) & Certificate.superseded_by_id.is_(None))
        .where(~missing_glyphs.COMING if due else true())
        .order_by(order, MissingGlyphs.found_at, MissingGlyphs.enrolment_id)
        .limit(size)
        .offset((page - 1) * size)
    )
    rows = [UnprintableRow(**row._asdict() | {"stage": Stage(row.stage)}) for row in db.execute(statement)]
    return Page(rows=rows, page=page, pages=pages, total=total or 0)


def count(db: Session, scope: Scope) -> int:
    """The number of people to decide on."""
    return db.scalar(counting(scope)) or 0


def counting(scope: Scope) -> Select[int]:
    """The SELECT that counts the people to decide on: whose certificates wait, or were issued with missing characters."""
    # The reach stands on the enrolment that is joined: as a subquery over all enrolments it was read whole.
    joined = select(func.count(MissingGlyphs.enrolment_id)).join(MissingGlyphs.enrolment)
    return visible(joined.where(~missing_glyphs.COMING), Enrolment, scope)
