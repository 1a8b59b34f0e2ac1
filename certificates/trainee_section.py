"""Certificates on the staff page of a person: those of the enrolments that the user may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import qualification, states
from certificates.models import Certificate
from certificates.states import STATE_COLOURS, STATE_LABELS
from courses.enrolment import trainee_sections
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.scope import Scope, visible


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """A certificate as the page lists it. state_label: a msgid; tone: the colour of its badge."""

    id: int
    number: str
    course_zh: str
    course_en: str
    issued_on: date
    valid_until: date | None
    state_label: str
    tone: str


def certificates_of(db: Session, trainee: Trainee, scope: Scope) -> Sequence[ListedCertificate]:
    """The certificates of a person within the scope, newest first. One statement."""
    today = clock.branch_today()
    statement = visible(select(Certificate), Certificate, scope)
    of_person = Certificate.enrolment_id.in_(select(Enrolment.id).where(Enrolment.trainee_id == trainee.id))
    listed = []
    for row in db.scalars(statement.where(of_person).order_by(Certificate.id.desc())):
        state = states.of_certificate(row, today)
        listed.append(
            ListedCertificate(
                row.id,
                row.number,
                *qualification.names(row.facts),
                row.issued_on,
                row.valid_until,
                STATE_LABELS[state],
                STATE_COLOURS[state],
            )
        )
    return listed


trainee_sections.register("certificates", certificates_of)
