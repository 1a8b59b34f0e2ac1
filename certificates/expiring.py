"""Certificates by expiry date: a list for coordinators and administrators of the people whose certificates end.

The list holds certificates within the scope that have a last valid day and are neither revoked nor superseded. A
coordinator sees those of the people who were certified at the coordinator's organisation.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session

from certificates.models import Certificate, CertificateReminder
from certificates.reminders import has_later_certificate
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
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
    certificate of this type that ends later.
    """

    id: int
    number: str
    holder: str
    phone: str
    certificate_type: int
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
    numbers: list[Any] = [
        func.count().filter(*_between(*span, today=today)).label(f"n{place}")
        for place, span in enumerate(SPANS.values())
    ]
    counted: Select[Any] = select(*numbers).select_from(Certificate)
    statement = _filtered(counted, filters)
    return dict(zip(SPANS, db.execute(visible(statement, Certificate, scope)).one(), strict=True))


def listing(
    db: Session, scope: Scope, filters: ExpiringFilters, group: ExpiryGroup, *, today: date, total: int, page: int
) -> Page[ExpiringCertificate]:
    """Return a page of a group, the soonest end first; of the expired, the latest end first. Two statements.

    total: the number of certificates in the group, from `counts`.
    """
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    statement = _rows(scope, filters, group, today).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    rows = db.execute(statement).all()
    return Page(rows=_certificates(db, rows, today), page=page, pages=pages, total=total)


def rows(
    db: Session, scope: Scope, filters: ExpiringFilters, group: ExpiryGroup, *, today: date
) -> Iterator[ExpiringCertificate]:
    """Yield all certificates of a group, for a file. They are read in batches, so that memory does not grow."""
    result = db.execute(_rows(scope, filters, group, today).execution_options(yield_per=_BATCH))
    for batch in result.partitions():
        yield from _certificates(db, batch, today)


def audit_export(db: Session, filters: ExpiringFilters, group: ExpiryGroup, form: Format, rows: int) -> None:
    """Record in the audit trail that a list of people was exported."""
    filters_recorded = export_audit.audited_arguments(filters.address() | {"ends": group.value})
    audit.record(
        db,
        "certificate.export",
        "report:expiring",
        after={"format": form.value, "rows": rows, "filters": filters_recorded},
    )


def _between(first: int | None, last: int | None, *, today: date) -> list[Any]:
    conditions = []
    if first is not None:
        conditions.append(Certificate.valid_until >= today + timedelta(days=first))
    if last is not None:
        conditions.append(Certificate.valid_until <= today + timedelta(days=last))
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


def _rows(scope: Scope, filters: ExpiringFilters, group: ExpiryGroup, today: date) -> Select[Any]:
    order = Certificate.valid_until.desc() if group is ExpiryGroup.EXPIRED else Certificate.valid_until
    statement = (
        select(
            Certificate.id,
            Certificate.number,
            Certificate.holder_name,
            Certificate.certificate_type,
            Certificate.valid_until,
            Certificate.facts["course_zh"].astext.label("course_zh"),
            Certificate.facts["course_en"].astext.label("course_en"),
            Organisation.name_zh.label("host_zh"),
            Organisation.name_en.label("host_en"),
            Trainee,
            has_later_certificate().label("newer"),
        )
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(*_between(*SPANS[group], today=today))
        .order_by(order, Certificate.id)
    )
    return visible(_filtered(statement, filters), Certificate, scope)


def _certificates(db: Session, rows: Sequence[Row[Any]], today: date) -> list[ExpiringCertificate]:
    reminded = _reminders(db, [row.id for row in rows])
    return [
        ExpiringCertificate(
            id=row.id,
            number=row.number,
            holder=row.holder_name,
            phone=mask_phone(row.Trainee.phone),
            certificate_type=row.certificate_type,
            course_zh=row.course_zh,
            course_en=row.course_en,
            host_zh=row.host_zh,
            host_en=row.host_en,
            valid_until=row.valid_until,
            days_left=(row.valid_until - today).days,
            newer=row.newer,
            reminders=tuple(reminded[row.id]),
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
