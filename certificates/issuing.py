"""Issuing: writes a certificate for each enrolment that is owed one.

The database says what is owed: an enrolment that is `certificate_due` and not yet `certified_at`. Any number of workers
may issue at the same time and be killed at any moment. Each worker locks a chunk of enrolments that no other worker
holds, and commits the chunk whole or not at all. An enrolment with a certificate is no longer owed, and the database
refuses a second certificate. So each entitled trainee gets exactly one, however often a task is retried. The serials of
a chunk that was rolled back stay unused.

A certificate with a character that no font has is not issued: it waits on a list (`missing_glyphs`) until it can be printed,
and the others are issued without it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import Row, Select, func, select, true, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from certificates import holder_notices, missing_glyphs, renewal, renewed_validity, signing
from certificates.branch import BRANCH_UNIT, Branch
from certificates.events import CertificatesOwed
from certificates.layouts import layouts
from certificates.layouts.layouts import Paper
from certificates.signing import Draft
from courses.counting import person_time
from courses.enrolment import name_writings
from courses.models.catalogue import Course, Programme
from courses.models.enrolment import Enrolment
from courses.models.name_writings import HOLDER, MissingGlyphs
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from instructors.models import Instructor
from lms.core import calendar_months, clock
from lms.core.events import publish
from lms.core.name_order import by_sound
from lms.organisations.models import District, Organisation

log = structlog.get_logger(__name__)

CHUNK = 200
BRANCH_PROGRAMMES = frozenset({"INSTRUCTOR"})


def last_valid_day(issued_on: date, months: int | None) -> date | None:
    """Return the day before the anniversary; None when the certificate does not expire.

    Where the last month has no such day, its last day is the last valid one: a certificate issued on 29 February 2024
    for 36 months is valid until 28 February 2027, and one issued on 31 August for 6 months until 28 (29) February. So
    no holder gets less than the full number of months.
    """
    return None if months is None else calendar_months.last_day(issued_on, months)


def issuing_unit(programme_code: str, district_id: int) -> int:
    """Return the unit in the signed code: the offering's district (1-16), or 0, the branch, which alone certifies
    instructors.
    """
    return BRANCH_UNIT if programme_code in BRANCH_PROGRAMMES else district_id


def unit_names(unit: int, district_zh: str, district_en: str, branch: Branch) -> tuple[str, str]:
    """Return the issuing unit's name on the certificate, in Chinese and in English."""
    if unit == BRANCH_UNIT:
        return branch.name_zh, branch.name_en
    return f"{district_zh}红十字会", f"{district_en} District Red Cross"


@dataclass(frozen=True, slots=True)
class CountingPeriod:
    """Offerings that were counted from the first day to the last, both included; None leaves that end open."""

    since: date | None = None
    until: date | None = None


def count_owed(db: Session, offering_id: int | None = None, period: CountingPeriod | None = None) -> int:
    """Count the certificates that are owed and can be printed: of one offering, of a period's offerings, or of all."""
    statement = select(func.count()).select_from(Enrolment).join(Offering, Offering.id == Enrolment.offering_id)
    return db.scalar(statement.where(*_owed_conditions(offering_id, period), ~_is_held())) or 0


def count_held(db: Session, offering_id: int | None = None, period: CountingPeriod | None = None) -> int:
    """Count the certificates that are owed and wait, because no font has a character of them."""
    statement = select(func.count()).select_from(Enrolment).join(Offering, Offering.id == Enrolment.offering_id)
    return db.scalar(statement.where(*_owed_conditions(offering_id, period), _is_held())) or 0


def issue_owed(
    db: Session,
    branch: Branch,
    *,
    offering_id: int | None = None,
    period: CountingPeriod | None = None,
    limit: int = CHUNK,
    tell: bool = True,
) -> int:
    """Issue at most `limit` owed certificates that no other worker holds, and return their number.

    The issue day is today in the branch's time zone. The caller commits at once: from the last step until the commit,
    no other transaction can append to the ledger. Raises DomainError when the signing key is missing or may not sign on
    that day; then nothing is issued and everything stays owed. Those that no font can print are passed over and listed.
    tell: tell the holders (`holder_notices.tell_issued`); data for a demonstration tells nobody.
    """
    rows: list[Row[Any]] = []
    printed: dict[int, str] = {}
    while not rows and (owed := db.execute(_select_owed(offering_id, period, limit)).all()):
        printed = _printed_names(db, owed, branch)
        rows = sorted((row for row in owed if row.enrolment_id in printed), key=_place)
        if len(rows) < len(owed) == limit:
            publish(db, CertificatesOwed(offering_id))
    if not rows:
        return 0
    signer = signing.lock_key(db, branch)
    db.execute(
        update(Enrolment)
        .where(Enrolment.id.in_([row.enrolment_id for row in rows]))
        .values(certified_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    for taught_id, count in sorted(Counter(row.offering_id for row in rows).items()):
        person_time.record_certificates(db, taught_id, count, signer.day)
    begins = renewed_validity.beginnings(db, rows, signer.day, branch)
    paper = layouts.paper(db, branch)
    drafts = [
        _draft(
            row,
            printed[row.enrolment_id],
            day=signer.day,
            begins_on=begins.get(row.enrolment_id, signer.day),
            branch=branch,
            paper=paper,
        )
        for row in rows
    ]
    issued = signing.sign_and_insert(db, branch, signer, drafts)
    former = renewal.renew(db, [row.enrolment_id for row in rows])
    if tell:
        holder_notices.tell_issued(db, issued, former)
    signing.record_in_ledger(db, issued)
    log.info("certificates_issued", count=len(issued), offering_id=offering_id, key_number=signer.key_number)
    return len(issued)


def release(db: Session, branch: Branch) -> int:
    """Release the certificates that waited for a font, a corrected name or a writing, and can be printed now.

    Returns their number. They are owed as before; the caller has them issued.
    """
    listed = db.execute(
        select(MissingGlyphs.enrolment_id)
        .join(MissingGlyphs.enrolment)
        .where(missing_glyphs.WAITING)
        .order_by(MissingGlyphs.enrolment_id)
        .with_for_update(of=MissingGlyphs, skip_locked=True)
    ).scalars()
    ids = list(listed)
    if not ids:
        return 0
    rows = db.execute(_owed_columns().where(Enrolment.id.in_(ids), *_owed_conditions(None, None))).all()
    printed = _printed_names(db, rows, branch)
    missing_glyphs.release(db, printed)
    if printed:
        log.info("certificates_released", count=len(printed))
    return len(printed)


def _place(owed: Row[Any]) -> tuple[int, str, int]:
    """The place in the order of serials, in which certificates are printed: each class by name."""
    return owed.offering_id, by_sound(owed.holder), owed.enrolment_id


def _printed_names(db: Session, owed: Sequence[Row[Any]], branch: Branch) -> dict[int, str]:
    """The name that each certificate prints, by enrolment: the record's, or the writing of one that no font can print.

    A certificate that cannot be printed is listed and left out.
    """
    lacking = {row.enrolment_id: _lacking(row, branch) for row in owed}
    unprintable = {row.enrolment_id: row.holder for row in owed if HOLDER in lacking[row.enrolment_id]}
    writings = name_writings.chosen(db, unprintable)
    for enrolment_id, writing in writings.items():
        lacking[enrolment_id].pop(HOLDER)
        lacking[enrolment_id] |= missing_glyphs.lacking(writing, {})
    held = {enrolment_id: texts for enrolment_id, texts in lacking.items() if texts}
    if held:
        missing_glyphs.hold(db, held)
        log.warning("certificates_wait_for_glyphs", count=len(held))
    return {
        row.enrolment_id: writings.get(row.enrolment_id, row.holder) for row in owed if row.enrolment_id not in held
    }


def _lacking(owed: Row[Any], branch: Branch) -> missing_glyphs.Lacking:
    unit = issuing_unit(owed.programme_code, owed.district_id)
    return missing_glyphs.lacking(owed.holder, _facts(owed, unit, branch))


def _is_held() -> Any:
    return Enrolment.id.in_(select(MissingGlyphs.enrolment_id))


def _owed_conditions(offering_id: int | None, period: CountingPeriod | None) -> Iterator[Any]:
    """Yield the conditions for owed enrolments, in SQL over Enrolment and Offering."""
    yield Enrolment.certificate_due
    yield Enrolment.certified_at.is_(None)
    if offering_id is not None:
        yield Enrolment.offering_id == offering_id
    if period is not None and period.since is not None:
        yield Offering.counted_on >= period.since
    if period is not None and period.until is not None:
        yield Offering.counted_on <= period.until


def _select_owed(offering_id: int | None, period: CountingPeriod | None, limit: int) -> Select[*tuple[Any, ...]]:
    return (
        _owed_columns()
        .where(*_owed_conditions(offering_id, period), ~_is_held())
        .order_by(Enrolment.id)
        .limit(limit)
        .with_for_update(of=Enrolment, skip_locked=True)
    )


def _owed_columns() -> Select[*tuple[Any, ...]]:
    qualification = _qualification()
    statement: Select[*tuple[Any, ...]] = (
        select(
            Enrolment.id.label("enrolment_id"),
            Enrolment.offering_id,
            Enrolment.trainee_id,
            Trainee.name.label("holder"),
            Offering.district_id,
            Offering.course_id,
            District.name_zh.label("district_zh"),
            District.name_en.label("district_en"),
            Organisation.name_zh.label("host_zh"),
            Organisation.name_en.label("host_en"),
            Course.name_zh.label("course_zh"),
            Course.name_en.label("course_en"),
            func.coalesce(Offering.certificate_hours, Course.hours).label("hours"),
            Course.validity_months,
            Course.certificate_type,
            Course.refresher,
            qualification.c.name_zh.label("qualification_zh"),
            qualification.c.name_en.label("qualification_en"),
            qualification.c.hours.label("qualification_hours"),
            Programme.code.label("programme_code"),
            Programme.short_code,
            Programme.name_zh.label("programme_zh"),
            Programme.name_en.label("programme_en"),
            Instructor.name.label("instructor"),
            Instructor.registration_number,
        )
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(District, District.id == Offering.district_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Programme, Programme.code == Course.programme_code)
        .join(Instructor, Instructor.id == Offering.lead_instructor_id, isouter=True)
        .join(qualification, true(), isouter=True)
        .where(Course.certificate_type.is_not(None))
    )
    return statement


def _qualification() -> LateralFromClause:
    """The full course of the certificate type that a refresher renews, as `courses_by_type` has it; nothing for others."""
    full = aliased(Course)
    return (
        select(full.name_zh, full.name_en, full.hours)
        .where(Course.refresher, full.certificate_type == Course.certificate_type, ~full.refresher)
        .order_by(full.id)
        .limit(1)
        .lateral("qualification")
    )


def _draft(owed: Row[Any], holder: str, *, day: date, begins_on: date, branch: Branch, paper: Paper) -> Draft:
    """begins_on: the day on which the validity begins, which is the issue day unless a certificate is renewed early."""
    unit = issuing_unit(owed.programme_code, owed.district_id)
    return Draft(
        enrolment_id=owed.enrolment_id,
        holder=holder,
        short_code=owed.short_code,
        certificate_type=owed.certificate_type,
        unit=unit,
        valid_until=last_valid_day(begins_on, owed.validity_months),
        facts=_facts(owed, unit, branch)
        | ({"validity_begins_on": begins_on.isoformat()} if begins_on != day else {})
        | paper.facts(owed.course_id, unit),
    )


def _facts(owed: Row[Any], unit: int, branch: Branch) -> dict[str, Any]:
    """Return the other texts on the certificate as they are today: a later renaming does not change them.

    The certificate of a refresher has the qualification that it renews beside the course that was taken.
    """
    unit_zh, unit_en = unit_names(unit, owed.district_zh, owed.district_en, branch)
    return {
        "programme": owed.programme_code,
        "programme_zh": owed.programme_zh,
        "programme_en": owed.programme_en,
        "course_zh": owed.course_zh,
        "course_en": owed.course_en,
        "hours": str(Decimal(owed.hours)),
        "unit_zh": unit_zh,
        "unit_en": unit_en,
        "host_zh": owed.host_zh,
        "host_en": owed.host_en or owed.host_zh,
        "instructor": owed.instructor or "",
        "instructor_registration": owed.registration_number or "",
        "organisation_zh": branch.name_zh,
        "organisation_en": branch.name_en,
    } | (
        {
            "qualification_zh": owed.qualification_zh,
            "qualification_en": owed.qualification_en,
            "qualification_hours": str(Decimal(owed.qualification_hours)),
        }
        if owed.qualification_zh is not None
        else {}
    )
