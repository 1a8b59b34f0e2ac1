"""Personal data in the register of instructors."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors.models import Instructor
from lms.core import personal_data, plain_values
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Receiver, Row, Subject, Whose


def _export(db: Session, subject: Subject) -> list[Row]:
    if subject.user_id is None:
        return []
    rows = db.scalars(select(Instructor).where(Instructor.user_id == subject.user_id))
    return [
        plain_values.of_row(row, "name", "registration_number", "level", "phone", "email", "active")
        | {
            "qualifications": [
                plain_values.of_row(right, "programme_code", "valid_from", "valid_until")
                for right in row.qualifications
            ]
        }
        for row in rows
    ]


personal_data.register(
    DataKind(
        code="instructor",
        label=N_("Register of instructors"),
        purpose=N_("To know who may teach, and to reach instructors"),
        tables={
            "instructor": ("name", "phone_sealed", "email_sealed"),
            "qualification": ("programme_code",),
            "instructor_invitation": ("token_hash",),
            "session_instructor": ("arrived_at", "left_at"),
            "session_event": ("happened_at",),
        },
        whose=(Whose.INSTRUCTOR,),
        basis=Basis.CONTRACT,
        retention="person_time",
        receivers=(Receiver.HOST, Receiver.ANYBODY_WITH_CODE),
        export=_export,
    )
)
