"""Erasing the holder of certificates: the name goes, and the fact that can be verified stays.

The signed code is not changed, so that a scan still gives the state, and a typed name is still compared with the code's name
tag. The chain of the ledger binds the name, so the digest from before the erasure is kept with the certificate
(`erased_content`), and the audit trail gets it together with the digest of what remains (`ledger.check`).
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, null, or_, select, update
from sqlalchemy.orm import Session

from certificates import ledger
from certificates.legacy import legacy
from certificates.legacy.models import LegacyCertificate
from certificates.models import Badge, Certificate, CertificateReminder, ReissueRequest, ShareLink
from certificates.wallets.models import WalletPass
from courses.models.enrolment import Enrolment
from courses.models.imports import ImportLine, ImportRun
from courses.models.trainees import ERASED_NAME, ID_NUMBER_COLUMN, Trainee
from lms.core import audit, clock, crypto

LEGACY_IMPORT = "legacy_certificates"


def certificates_of(db: Session, trainee_ids: Collection[int]) -> Sequence[Certificate]:
    """All certificates of a person, the oldest first."""
    return db.scalars(
        select(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Enrolment.trainee_id.in_(trainee_ids))
        .order_by(Certificate.id)
    ).all()


def is_correction_owed(db: Session, trainee_ids: Collection[int]) -> bool:
    """Tell whether a corrected certificate of the person is still to be made."""
    owed = (
        select(ReissueRequest.id)
        .join(Certificate, Certificate.id == ReissueRequest.certificate_id)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(
            Enrolment.trainee_id.in_(trainee_ids),
            ReissueRequest.replacement_id.is_(None),
            ReissueRequest.dropped_at.is_(None),
        )
    )
    return bool(db.scalar(select(exists(owed))))


def erase_holder(db: Session, trainee_ids: Collection[int]) -> int:
    """Erase the holder's name on all certificates of a person, with badges, links and reminders. Returns their number."""
    rows = [row for row in certificates_of(db, trainee_ids) if row.erased_content is None]
    ids = [row.id for row in rows]
    for row in rows:
        row.erased_content = ledger.content_digest(row)
        row.holder_name = ERASED_NAME
        audit.record(
            db,
            ledger.ERASED,
            row,
            after={
                "number": row.number,
                "content": row.erased_content.hex(),
                "remains": ledger.content_digest(row).hex(),
            },
        )
    db.flush()
    for table in (Badge, ShareLink, CertificateReminder, WalletPass):
        db.execute(delete(table).where(table.certificate_id.in_(ids)))
    db.execute(
        update(ReissueRequest)
        .where(ReissueRequest.certificate_id.in_(ids))
        .values(holder_name=ERASED_NAME, reason=ERASED_NAME)
    )
    return len(rows)


def legacy_of(db: Session, trainee_ids: Collection[int]) -> Sequence[LegacyCertificate]:
    """The certificates from before this system that are the person's, and those with the person's ID number that nobody has."""
    own: ColumnElement[bool] = LegacyCertificate.trainee_id.in_(trainee_ids)
    for trainee in db.scalars(select(Trainee).where(Trainee.id.in_(trainee_ids)).order_by(Trainee.id)):
        number = trainee.open_id_number()
        if number is not None:
            same_number = crypto.index_is(LegacyCertificate.id_number_index, ID_NUMBER_COLUMN, number)
            unmatched = LegacyCertificate.trainee_id.is_(None)
            own = or_(own, and_(same_number, LegacyCertificate.id_type == trainee.id_type, unmatched))
    return db.scalars(select(LegacyCertificate).where(own).order_by(LegacyCertificate.id)).all()


def erase_legacy(db: Session, trainee_ids: Collection[int]) -> int:
    """Erase name, ID number and phone of a person's certificates from before this system. Returns their number.

    They stay matched to the record, which has nothing about the person either, so that counts remain.
    """
    rows = [row for row in legacy_of(db, trainee_ids) if row.erased_at is None]
    for row in rows:
        row.name_key = legacy.name_mark(row.number_key, row.name)
        row.name = ERASED_NAME
        row.set_id_number(None, None)
        row.set_phone(None)
        row.suggestion = None
        row.erased_at = clock.now()
        audit.record(db, "certificate.erase_legacy", row, after={"number": row.number})
    db.flush()
    of_import = select(ImportRun.id).where(ImportRun.kind == LEGACY_IMPORT)
    changed: Any = (
        update(ImportLine)
        .where(ImportLine.made_id.in_([row.id for row in rows]), ImportLine.run_id.in_(of_import))
        .values(facts=null())
        .execution_options(synchronize_session=False)
    )
    db.execute(changed)
    return len(rows)
