"""Merges on the staff page of a person and in the audit trail: which records were merged into this one, and by whom."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import merged_records, trainee_sections
from courses.merging.pairs import MergeLine
from courses.models.merges import TraineeMerge
from courses.models.trainees import Trainee
from lms.accounts import audit_trail
from lms.accounts.models import User
from lms.core.db import LARGEST_ID
from lms.core.scope import Scope


def merges_of(db: Session, trainee: Trainee, _scope: Scope) -> Sequence[MergeLine]:
    """The merges into a record that hold, the latest first."""
    rows = db.execute(
        select(TraineeMerge, User.name)
        .outerjoin(User, User.id == TraineeMerge.merged_by)
        .where(TraineeMerge.kept_id == trainee.id, TraineeMerge.undone_at.is_(None))
        .order_by(TraineeMerge.id.desc())
    )
    return [MergeLine(merge, by) for merge, by in rows]


def former_subjects(db: Session, subject: str) -> Sequence[str]:
    """The audit subjects of the records that were merged into the record of a subject ("trainee:17")."""
    noun, _colon, key = subject.partition(":")
    if noun != Trainee.__tablename__ or not key.isascii() or not key.isdigit() or int(key) > LARGEST_ID:
        return []
    return [f"{noun}:{former}" for former in merged_records.ids_of(db, int(key))[1:]]


trainee_sections.register("merges", merges_of)
audit_trail.same_subjects.append(former_subjects)
