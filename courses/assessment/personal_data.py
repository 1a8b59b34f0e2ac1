"""Personal data of assessments: scores, skills, and notes of examiners."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from courses.models.assessment import Assessment
from courses.models.enrolment import Enrolment
from lms.core import personal_data, plain_values
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose


def _export(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(
        select(Assessment)
        .join(Enrolment, Enrolment.id == Assessment.enrolment_id)
        .where(Enrolment.trainee_id.in_(subject.trainee_ids))
        .order_by(Assessment.enrolment_id, Assessment.attempt)
    )
    return [
        plain_values.of_row(row, "attempt", "theory_score", "assessed_at", "note")
        | {
            "examiner": row.examiner.name if row.examiner is not None else None,
            "skills": {result.skill.name_zh: result.passed for result in row.skills},
        }
        for row in rows
    ]


def _erase(db: Session, subject: Subject) -> Erased:
    enrolments = select(Enrolment.id).where(Enrolment.trainee_id.in_(subject.trainee_ids))
    result: Any = db.execute(
        update(Assessment)
        .where(Assessment.enrolment_id.in_(enrolments), Assessment.note.is_not(None))
        .values(note=None)
        .execution_options(synchronize_session=False)
    )
    return Erased(result.rowcount)


personal_data.register(
    DataKind(
        code="assessment",
        label=N_("Assessments"),
        purpose=N_("To decide whether the requirements of a certificate are met"),
        tables={
            "assessment": ("theory_score", "note"),
            "skill_result": ("passed",),
            "skill_event": ("passed", "happened_at"),
            "theory_event": ("score", "happened_at"),
            "retest_event": ("happened_at",),
        },
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="person_time",
        receivers=(Receiver.HOST,),
        export=_export,
        erase=_erase,
    )
)
