"""Personal data of merges: the facts of two records as they were before they became one."""

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from courses.models.merges import TraineeMerge
from lms.core import personal_data, plain_values
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Row, Subject, Whose


def _of(subject: Subject) -> Any:
    return or_(TraineeMerge.kept_id.in_(subject.trainee_ids), TraineeMerge.merged_id.in_(subject.trainee_ids))


def _export(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(TraineeMerge).where(_of(subject)).order_by(TraineeMerge.id))
    return [plain_values.of_row(row, "merged_at", "undone_at", "reason") | {"former": row.former()} for row in rows]


def _erase(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(update(TraineeMerge).where(_of(subject)).values(former_sealed=None, reason=None))
    return Erased(result.rowcount)


personal_data.register(
    DataKind(
        code="trainee_merge",
        label=N_("Merged records"),
        purpose=N_("To undo a merge of two records that are not of one person"),
        tables={"trainee_merge": ("former_sealed", "reason")},
        whose=(Whose.TRAINEE, Whose.GUARDIAN),
        basis=Basis.LEGAL_DUTY,
        retention="trainee",
        export=_export,
        erase=_erase,
    )
)
personal_data.leave_apart({"trainee_pair": N_("Names two records that may be of one person, by their numbers")})
