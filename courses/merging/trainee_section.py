"""Merges on the staff page of a person: which records were merged into this one, by whom, and how it is undone."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import trainee_sections
from courses.merging.pairs import MergeLine
from courses.models.merges import TraineeMerge
from courses.models.trainees import Trainee
from lms.accounts.models import User
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


trainee_sections.register("merges", merges_of)
