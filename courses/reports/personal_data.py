"""Personal data in files of reports, which are kept a few days for whoever ordered them."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.exports import Export
from courses.reports.exports import exports
from lms.core import clock, personal_data, retention_rules
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Subject, Whose
from lms.core.retention_rules import RetentionKind


def _erase(_db: Session, _subject: Subject) -> Erased:
    return Erased(0, ("files", "backups"))


def _due(db: Session, _before: datetime) -> int:
    """The files that have expired: each was given its last day when it was ordered."""
    return db.scalar(select(func.count()).select_from(Export).where(Export.expires_at <= clock.now())) or 0


def _erase_old(db: Session, _before: datetime) -> Iterator[int]:
    yield exports.remove_expired(db)


personal_data.register(
    DataKind(
        code="export",
        label=N_("Files of reports"),
        purpose=N_("To hand lists and figures to those who may see them"),
        tables={"export": ("question",), "export_chunk": ("data",)},
        whose=(Whose.TRAINEE, Whose.INSTRUCTOR),
        basis=Basis.LEGAL_DUTY,
        retention="export",
        erase=_erase,
    )
)
personal_data.leave_apart(
    {
        "report_subscription": N_("The reports that a user gets by mail"),
        "report_mail": N_("The periods that were mailed to a user"),
        "saved_view": N_("The views of reports that a user saved"),
        "opening_source": N_("Names the user who entered figures"),
        "frozen_quarter": N_("Names the user who froze a quarter"),
        "person_time_entry": N_("Figures; names the user who recorded them"),
    }
)
retention_rules.register(RetentionKind("export", N_("Files of reports"), N_("ordered"), due=_due, erase=_erase_old))
retention_rules.register(RetentionKind("person_time", N_("Attendance, results and figures"), N_("recorded")))
