"""Certificates by expiry date: a list for coordinators and administrators of the people whose certificates end.

The list holds certificates within the scope that have a last valid day and are neither revoked nor superseded. A
coordinator sees those of the people who were certified at the coordinator's organisation, and the legacy certificates of
the people who were trained there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, false, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from certificates import qualification
from certificates.legacy import holding
from certificates.legacy import reminders as legacy_reminders
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate, CertificateReminder
from certificates.reminders import has_later_certificate
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee, open_phone
from courses.reports import export_audit
from lms.core import audit
from lms.core.exports import Format
from lms.core.masks import mask_phone
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, visible
from lms.organisations.models import Organisation

_BATCH = 500


class ExpiryGroup(StrEnum):
    """The groups of the list, by days from today to the last valid day."""

    EXPIRED = "expired"
    WITHIN_30 = "30"
    WITHIN_90 = "90"
    LATER = "later"


# Days from today to the last valid day, both included; None leaves that end open.
SPANS: dict[ExpiryGroup, tuple[int | None, int | None]] = {
    ExpiryGroup.EXPIRED: (None, -1),
    ExpiryGroup.WITHIN_30: (0, 30),
    ExpiryGroup.WITHIN_90: (31, 90),
    ExpiryGroup.LATER: (91, None),
}


@dataclass(frozen=True, slots=True)
class ExpiringFilters:
    """The filters of the list; None filters nothing. `holder` and `host` match any part of a name."""

    holder: str | None = None
    programme: str | None = None
    host: str | None = None

    def address(self) -> dict[str, str]:
        """Return the filters as URL arguments; the audit trail records them in the same form."""
        texts = {"holder": self.holder, "programme": self.programme, "host": self.host}
        return {name: value for name, value in texts.items() if value}


@dataclass(frozen=True, slots=True)
class ExpiringCertificate:
    """A certificate of the list. `days_left` is negative once it has expired; the phone is masked.

    `reminders` are the distance in days and the moment of each reminder that was sent. `newer`: the holder has another
    certificate of this type that ends later. legacy: it is from before this system; its course and unit stand for course and
    host.
    """

    id: int
    legacy: bool
    number: str
    holder: str
    phone: str
    certificate_type: int | None
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None
    valid_until: date
    days_left: int
    newer: bool
    reminders: tuple[tuple[int, datetime], ...]


def counts(db: Session, scope: Scope, filters: ExpiringFilters, *, today: date) -> dict[ExpiryGroup, int]:
    """Count the certificates of each group. One statement."""
    parts = []
    for model, filtered in ((Certificate, _filtered), (LegacyCertificate, _filtered_legacy)):
        numbers: list[Any] = [
            func.count().filter(*_between(model, *span, today=today)).label(f"n{place}")
            for place, span in enumerate(SPANS.values())
        ]
        counted: Select[Any] = select(*numbers).select_from(model)
        parts.append(visible(filtered(counted, filters), model, scope))
    rows = db.execute(union_all(*parts)).all()
    return {group: sum(row[place] for row in rows) for place, group in enumerate(SPANS)}


def listing(
    db: Session,
    scope: Scope,
    filters: ExpiringFilters,
    group: ExpiryGroup,
    *,
    today: date,
    total: int,
    page: int,
    distances: Sequence[int] = (),
) -> Page[ExpiringCertificate]:
    """Return a page of a group, the soonest end first; of the expired, the latest end first. Three statements.

    total: the number of certificates in the group, from `counts`. distances: those in days at which holders are reminded; of
    legacy certificates the reminders at these are known.
    """
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    first = (page - 1) * PAGE_SIZE
    statement = _rows(scope, filters, group, today, most=first + PAGE_SIZE).limit(PAGE_SIZE).offset(first)
    rows = db.execute(statement).all()
    return Page(rows=_certificates(db, rows, today, distances), page=page, pages=pages, total=total)


def rows(
    db: Session,
    scope: Scope,
    filters: ExpiringFilters,
    group: ExpiryGroup,
    *,
    today: date,
    distances: Sequence[int] = (),
) -> Iterator[ExpiringCertificate]:
    """Yield all certificates of a group, for a file, in batches so that memory does not grow. distances: as in `listing`."""
    result = db.execute(_rows(scope, filters, group, today).execution_options(yield_per=_BATCH))
    for batch in result.partitions():
        yield from _certificates(db, batch, today, distances)


def audit_export(db: Session, filters: ExpiringFilters, group: ExpiryGroup, form: Format, rows: int) -> None:
    """Record in the audit trail that a list of people was exported."""
    filters_recorded = export_audit.audited_arguments(filters.address() | {"ends": group.value})
    audit.record(
        db,
        "certificate.export",
        "report:expiring",
        after={"format": form.value, "rows": rows, "filters": filters_recorded},
    )


def _between(
    model: type[Certificate | LegacyCertificate], first: int | None, last: int | None, *, today: date
) -> list[Any]:
    conditions = []
    if first is not None:
        conditions.append(model.valid_until >= today + timedelta(days=first))
    if last is not None:
        conditions.append(model.valid_until <= today + timedelta(days=last))
    return conditions


def _filtered(statement: Select[Any], filters: ExpiringFilters) -> Select[Any]:
    statement = statement.where(
        Certificate.revoked_at.is_(None),
        Certificate.superseded_by_id.is_(None),
        Certificate.valid_until.is_not(None),
        Certificate.erased_content.is_(None),
    )
    if filters.holder:
        statement = statement.where(Certificate.holder_name.icontains(filters.holder, autoescape=True))
    if filters.programme:
        statement = statement.where(Certificate.facts["programme"].astext == filters.programme)
    if filters.host:
        hosted = (
            select(Enrolment.id)
            .join(Offering, Offering.id == Enrolment.offering_id)
            .join(Organisation, Organisation.id == Offering.organisation_id)
            .where(
                or_(
                    Organisation.name_zh.icontains(filters.host, autoescape=True),
                    Organisation.name_en.icontains(filters.host, autoescape=True),
                )
            )
        )
        statement = statement.where(Certificate.enrolment_id.in_(hosted))
    return statement


def _filtered_legacy(statement: Select[Any], filters: ExpiringFilters) -> Select[Any]:
    statement = statement.where(
        LegacyCertificate.trainee_id.is_not(None),
        LegacyCertificate.revoked_at.is_(None),
        LegacyCertificate.superseded_by_id.is_(None),
        LegacyCertificate.valid_until.is_not(None),
        LegacyCertificate.erased_at.is_(None),
    )
    if filters.holder:
        statement = statement.where(LegacyCertificate.name.icontains(filters.holder, autoescape=True))
    if filters.programme:
        statement = statement.where(LegacyCertificate.programme_code == filters.programme)
    if filters.host:
        statement = statement.where(LegacyCertificate.unit.icontains(filters.host, autoescape=True))
    return statement


def _rows(
    scope: Scope, filters: ExpiringFilters, group: ExpiryGroup, today: date, *, most: int | None = None
) -> Select[Any]:
    """Return the SELECT of a group, in order. most: so many rows of each table suffice."""
    issued = (
        select(
            Certificate.id,
            false().label("legacy"),
            Certificate.number,
            Certificate.holder_name,
            Certificate.certificate_type,
            Certificate.valid_until,
            qualification.column("zh").label("course_zh"),
            qualification.column("en").label("course_en"),
            Organisation.name_zh.label("host_zh"),
            Organisation.name_en.label("host_en"),
            Trainee.ref,
            Trainee.phone_sealed,
            has_later_certificate().label("newer"),
        )
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(*_between(Certificate, *SPANS[group], today=today))
    )
    legacy: Any = (
        select(
            LegacyCertificate.id,
            true().label("legacy"),
            LegacyCertificate.number,
            LegacyCertificate.name.label("holder_name"),
            LegacyCertificate.certificate_type,
            LegacyCertificate.valid_until,
            LegacyCertificate.course.label("course_zh"),
            LegacyCertificate.course.label("course_en"),
            LegacyCertificate.unit.label("host_zh"),
            LegacyCertificate.unit.label("host_en"),
            Trainee.ref,
            Trainee.phone_sealed,
            holding.has_later_certificate().label("newer"),
        )
        .join(Trainee, Trainee.id == LegacyCertificate.trainee_id)
        .where(*_between(LegacyCertificate, *SPANS[group], today=today))
    )
    parts = []
    for model, statement in (
        (Certificate, _filtered(issued, filters)),
        (LegacyCertificate, _filtered_legacy(legacy, filters)),
    ):
        part = visible(statement, model, scope).order_by(*_order(group, model.valid_until, model.id)).limit(most)
        parts.append(select(part.subquery()))
    both = union_all(*parts).subquery()
    return select(both).order_by(*_order(group, both.c.valid_until, both.c.legacy, both.c.id))


def _order(group: ExpiryGroup, ends: Any, *rest: Any) -> tuple[Any, ...]:
    return (ends.desc() if group is ExpiryGroup.EXPIRED else ends, *rest)


def _certificates(
    db: Session, rows: Sequence[Row[Any]], today: date, distances: Sequence[int]
) -> list[ExpiringCertificate]:
    reminded = _reminders(db, [row.id for row in rows if not row.legacy])
    of_legacy = legacy_reminders.owed(db, [row.id for row in rows if row.legacy], distances)
    return [
        ExpiringCertificate(
            id=row.id,
            legacy=row.legacy,
            number=row.number,
            holder=row.holder_name,
            phone=mask_phone(open_phone(row.ref, row.phone_sealed)),
            certificate_type=row.certificate_type,
            course_zh=row.course_zh,
            course_en=row.course_en,
            host_zh=row.host_zh,
            host_en=row.host_en,
            valid_until=row.valid_until,
            days_left=(row.valid_until - today).days,
            newer=row.newer,
            reminders=tuple((of_legacy if row.legacy else reminded).get(row.id, ())),
        )
        for row in rows
    ]


def _reminders(db: Session, ids: Iterable[int]) -> dict[int, list[tuple[int, datetime]]]:
    by_certificate: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    rows = db.execute(
        select(CertificateReminder.certificate_id, CertificateReminder.days_before, CertificateReminder.reminded_at)
        .where(CertificateReminder.certificate_id.in_(list(ids)))
        .order_by(CertificateReminder.id)
    )
    for certificate_id, days_before, reminded_at in rows:
        by_certificate[certificate_id].append((days_before, reminded_at))
    return by_certificate
