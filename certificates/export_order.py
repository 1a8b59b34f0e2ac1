"""Export of the list of certificates as a file: at once while it is short, by a worker when it is long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from certificates import states
from certificates.listings import CertificateFilters
from certificates.models import Certificate
from certificates.states import ISSUED
from courses.models.catalogue import Programme
from courses.models.enrolment import Enrolment
from courses.models.exports import ExportKind, PersonalData
from courses.models.offerings import Offering
from courses.reports.exports.orders import ORDER_READERS, ExportOrder
from courses.reports.exports.tables import ExportWording, with_personal_data
from lms.core.copying import Column, Kind, Table
from lms.core.scope import Scope, visible
from lms.organisations.models import District


@dataclass(frozen=True, kw_only=True)
class CertificateOrder(ExportOrder):
    """An export of certificates with their states on a day, newest first."""

    kind: ExportKind = ExportKind.CERTIFICATES
    filters: CertificateFilters
    today: date

    @property
    def arguments(self) -> dict[str, str]:
        """Return the filters and the day: a worker may run on the next day."""
        return self.filters.address() | {"today": self.today.isoformat()}

    def table(self, wording: ExportWording) -> Table:
        """Return one row for each certificate; texts about the holder are those that were printed."""
        rows = (
            visible(select(Certificate.id), Certificate, self.scope)
            .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
            .join(Offering, Offering.id == Enrolment.offering_id)
            .join(District, District.id == Offering.district_id)
            .outerjoin(Programme, Programme.code == Certificate.facts["programme"].astext)
            .where(*self.filters.conditions(self.today))
            .order_by(Certificate.id.desc())
        )
        state = case(*((states.sql_condition(state, self.today), state.value) for state in ISSUED))
        columns = [
            Column("number", Kind.TEXT, Certificate.number),
            Column("state", Kind.TEXT, state, wording.states),
            Column("issued_on", Kind.DAY, Certificate.issued_on),
            Column("valid_until", Kind.DAY, Certificate.valid_until),
            Column("programme", Kind.TEXT, wording.name(Programme)),
            Column("course", Kind.TEXT, Certificate.facts["course_en" if wording.english else "course_zh"].astext),
            Column("district", Kind.TEXT, wording.name(District)),
            Column("offering_no", Kind.WHOLE, Offering.id),
            Column("person_no", Kind.WHOLE, Enrolment.trainee_id),
        ]
        return with_personal_data(
            columns, rows, Enrolment.trainee_id, self.personal, self.scope, Certificate.holder_name
        )

    def count_rows(self, db: Session) -> int:
        """Return the exact number of rows."""
        statement = visible(select(func.count(Certificate.id)), Certificate, self.scope)
        return db.scalar(statement.where(*self.filters.conditions(self.today))) or 0


def _read(
    _kind: ExportKind, arguments: Mapping[str, str], scope: Scope, personal: PersonalData, _zone: ZoneInfo
) -> CertificateOrder:
    today = date.fromisoformat(arguments["today"])
    return CertificateOrder(filters=CertificateFilters.of(arguments), today=today, scope=scope, personal=personal)


ORDER_READERS[ExportKind.CERTIFICATES] = _read
