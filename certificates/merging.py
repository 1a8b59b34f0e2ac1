"""Certificates and a merge of two records of one person.

Certificates issued here belong to enrolments and follow them; the signed names stay. Earlier certificates and second
writings of the name belong to the record. A renewal that one record earned may supersede the earlier certificate of the
other; an undo takes that back, and decides anew for both records.
"""

from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session, aliased

from certificates.legacy import superseding
from certificates.legacy.models import LegacyCertificate
from certificates.second_names.models import SecondName
from courses.merging import references
from courses.merging.references import Reference
from courses.models.merges import TraineeMerge, TraineeMergeRow
from lms.core.errors import N_

SUPERSEDED = "legacy_certificate.superseded_by_id"


def _settle(db: Session, merge: TraineeMerge, undone: bool) -> None:  # as `Reference.settled` calls it
    if undone:
        noted = select(TraineeMergeRow.row_id, TraineeMergeRow.former["became"].as_integer().label("became")).where(
            TraineeMergeRow.merge_id == merge.id, TraineeMergeRow.table_name == SUPERSEDED
        )
        for row in db.execute(noted).all():
            db.execute(
                update(LegacyCertificate)
                .where(LegacyCertificate.id == row.row_id, LegacyCertificate.superseded_by_id == row.became)
                .values(superseded_by_id=None)
            )
        superseding.settle(db, [merge.kept_id, merge.merged_id])
        return
    standing = LegacyCertificate.superseded_by_id.is_(None)
    of_person = LegacyCertificate.trainee_id == merge.kept_id
    ids = list(db.scalars(select(LegacyCertificate.id).where(of_person, standing)))
    superseding.settle(db, [merge.kept_id])
    became = func.jsonb_build_object("became", LegacyCertificate.superseded_by_id)
    noted_rows: Any = select(literal(merge.id), literal(SUPERSEDED), LegacyCertificate.id, became)
    settled = noted_rows.where(LegacyCertificate.id.in_(ids), LegacyCertificate.superseded_by_id.is_not(None))
    db.execute(insert(TraineeMergeRow).from_select(["merge_id", "table_name", "row_id", "former"], settled))


def _second_names_that_follow(merge: TraineeMerge) -> ColumnElement[bool]:
    """A person has one open writing: that of the merged record follows where the kept one has none."""
    own = aliased(SecondName)
    open_writing = select(1).where(own.trainee_id == merge.kept_id, own.withdrawn_at.is_(None)).exists()
    return or_(SecondName.withdrawn_at.is_not(None), ~open_writing)


references.register(Reference(LegacyCertificate.__table__.c.trainee_id, N_("Earlier certificates"), settled=_settle))
references.register(
    Reference(SecondName.__table__.c.trainee_id, N_("Writings of the name in Latin letters"), _second_names_that_follow)
)
