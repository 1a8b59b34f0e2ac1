"""Personal data on certificates: the holder's name, and ID numbers of certificates from before this system."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, select
from sqlalchemy.orm import Session

from certificates import erasing, states
from certificates.legacy import holding
from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LEGACY_PHONE_COLUMN, LegacyCertificate
from certificates.models import Certificate, ShareLink
from certificates.second_names.models import SecondName
from certificates.states import State
from certificates.verification import list_checks
from certificates.verification.models import ListCheck
from courses.models.enrolment import Enrolment
from courses.models.name_writings import MissingGlyphs, NameWriting
from courses.models.trainees import Trainee
from lms.core import clock, crypto, personal_data, plain_values, retention_rules
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose
from lms.core.retention_rules import RetentionKind

CORRECTION_OWED = N_("A corrected certificate of the person is being made. Try again in a few minutes.")


def _export(db: Session, subject: Subject) -> list[Row]:
    names = ("number", "holder_name", "facts", "issued_on", "valid_until", "revoked_at", "revoke_reason")
    return [plain_values.of_row(row, *names) for row in erasing.certificates_of(db, subject.trainee_ids)]


def _erase(db: Session, subject: Subject) -> Erased:
    number = erasing.erase_holder(db, subject.trainee_ids)
    return Erased(number, ("certificate",) if number else ())


def _obstacles(db: Session, subject: Subject) -> Iterable[str]:
    if erasing.is_correction_owed(db, subject.trainee_ids):
        yield CORRECTION_OWED


def _lock(db: Session, subject: Subject) -> bool:
    of_person = select(Enrolment.id).where(Enrolment.trainee_id.in_(subject.trainee_ids))
    return personal_data.locked(db, select(Certificate.id).where(Certificate.enrolment_id.in_(of_person)))


def _holds_valid_certificate() -> ColumnElement[bool]:
    today = clock.branch_today()
    issued = exists(
        select(1)
        .select_from(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(Enrolment.trainee_id == Trainee.id, states.sql_condition(State.VALID, today))
        .correlate(Trainee)
    )
    legacy = exists(
        select(1).where(LegacyCertificate.trainee_id == Trainee.id, holding.is_valid(today)).correlate(Trainee)
    )
    return issued | legacy


def _export_legacy(db: Session, subject: Subject) -> list[Row]:
    names = ("number", "name", "course", "unit", "issued_on", "valid_until", "source", "revoked_at", "revoke_reason")
    return [
        plain_values.of_row(row, *names) | {"id_number": _id_number(row), "phone": _phone(row)}
        for row in erasing.legacy_of(db, subject.trainee_ids)
    ]


def _id_number(row: LegacyCertificate) -> str | None:
    sealed = row.id_number_sealed
    return crypto.cipher().decrypt(LEGACY_ID_NUMBER_COLUMN, row.ref, sealed) if sealed else None


def _phone(row: LegacyCertificate) -> str | None:
    sealed = row.phone_sealed
    return crypto.cipher().decrypt(LEGACY_PHONE_COLUMN, row.ref, sealed) if sealed else None


def _erase_legacy(db: Session, subject: Subject) -> Erased:
    number = erasing.erase_legacy(db, subject.trainee_ids)
    return Erased(number, ("certificate",) if number else ())


def _of_person(subject: Subject) -> Select[int]:
    return select(Enrolment.id).where(Enrolment.trainee_id.in_(subject.trainee_ids))


def _export_writings(db: Session, subject: Subject) -> list[Row]:
    names = ("name", "writing", "reason", "recorded_at", "withdrawn_at")
    rows = db.scalars(
        select(NameWriting).where(NameWriting.enrolment_id.in_(_of_person(subject))).order_by(NameWriting.id)
    )
    return [plain_values.of_row(row, *names) for row in rows]


def _erase_writings(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(delete(NameWriting).where(NameWriting.enrolment_id.in_(_of_person(subject))))
    db.execute(delete(MissingGlyphs).where(MissingGlyphs.enrolment_id.in_(_of_person(subject))))
    return Erased(result.rowcount)


def _export_second_names(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(SecondName).where(SecondName.trainee_id.in_(subject.trainee_ids)).order_by(SecondName.id))
    return [plain_values.of_row(row, "name", "writing", "way", "recorded_at", "withdrawn_at") for row in rows]


def _erase_second_names(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(delete(SecondName).where(SecondName.trainee_id.in_(subject.trainee_ids)))
    return Erased(result.rowcount)


def _links_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(ShareLink).where(ShareLink.expires_at <= before)) or 0


def _erase_links(db: Session, before: datetime) -> Iterator[int]:
    result: Any = db.execute(delete(ShareLink).where(ShareLink.expires_at <= before))
    yield result.rowcount


def _lists_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(ListCheck).where(ListCheck.made_at <= before)) or 0


def _erase_lists(db: Session, _before: datetime) -> Iterator[int]:
    yield list_checks.erase_old(db)


personal_data.register(
    DataKind(
        code="certificate",
        label=N_("Certificates"),
        purpose=N_("To issue certificates that anybody can verify, and to replace them"),
        tables={
            "certificate": ("holder_name",),
            "reissue_request": ("holder_name", "reason"),
            "badge": ("credential", "token"),
            "share_link": ("token_hash",),
            "certificate_reminder": ("reminded_at",),
            "wallet_pass": ("content",),
        },
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="trainee",
        receivers=(Receiver.ANYBODY_WITH_CODE,),
        export=_export,
        erase=_erase,
        obstacles=_obstacles,
        lock=_lock,
        needed=_holds_valid_certificate,
    )
)
personal_data.register(
    DataKind(
        code="name_writing",
        label=N_("Writings of names that cannot be printed"),
        purpose=N_("To print a certificate with the writing of the name that its holder chose"),
        tables={"name_writing": ("name", "writing", "reason"), "missing_glyphs": ("lacking",)},
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="trainee",
        receivers=(Receiver.ANYBODY_WITH_CODE,),
        export=_export_writings,
        erase=_erase_writings,
    )
)
personal_data.register(
    DataKind(
        code="second_name",
        label=N_("Second writings of names"),
        purpose=N_("To print the name in pinyin or English, too, where its holder asks for it"),
        tables={"second_name": ("name", "writing")},
        whose=(Whose.TRAINEE,),
        basis=Basis.CONTRACT,
        retention="trainee",
        receivers=(Receiver.ANYBODY_WITH_CODE,),
        export=_export_second_names,
        erase=_erase_second_names,
    )
)
personal_data.register(
    DataKind(
        code="legacy_certificate",
        label=N_("Certificates from before this system"),
        purpose=N_("To verify certificates that were issued on paper before this system, and to find their holders"),
        tables={"legacy_certificate": ("name", "id_number_sealed", "phone_sealed")},
        whose=(Whose.TRAINEE,),
        basis=Basis.LEGAL_DUTY,
        retention="trainee",
        receivers=(Receiver.ANYBODY_WITH_CODE,),
        export=_export_legacy,
        erase=_erase_legacy,
    )
)
personal_data.leave_apart({
    "ledger_entry": N_("Hashes of codes; never altered"),
    "certificate_layout": N_("The wording of certificates; who changed it"),
    "unit_seal": N_("The seal of an issuing unit; who set it"),
    "list_check": N_("Lists that strangers sent to be verified: sealed, found by their address alone, deleted within a day"),
    "list_check_piece": N_("The rows of such a list and their answers, sealed"),
})  # fmt: skip
retention_rules.register(
    RetentionKind(
        list_checks.RETENTION, N_("Lists to verify"), N_("sent"), due=_lists_due, erase=_erase_lists, fixed=True
    )
)
retention_rules.register(
    RetentionKind("share_link", N_("Links to certificates"), N_("expired"), due=_links_due, erase=_erase_links)
)
