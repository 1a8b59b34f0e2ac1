"""Personal data in accounts: contacts, sign-ins, proofs of contacts, and the audit trail."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from lms.accounts.models import (
    BrowserSession,
    ContactCheck,
    Device,
    KnownBrowser,
    Passkey,
    PasswordRequest,
    PasswordReset,
    RecoveryCode,
    Totp,
    User,
)
from lms.core import clock, personal_data, plain_values, retention_rules
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose
from lms.core.retention_rules import RetentionKind
from lms.core.scope import Role

ERASED_NAME = "已删除 · Erased"
TRACES = (BrowserSession, KnownBrowser, PasswordReset, Passkey, Totp, RecoveryCode)


def is_only_a_trainees(user: User) -> bool:
    """Tell whether an account has no role but the trainee's, so that it is erased with its owner's record."""
    return all(grant.role is Role.TRAINEE for grant in user.grants)


def _user(db: Session, subject: Subject) -> User | None:
    return db.get(User, subject.user_id) if subject.user_id is not None else None


def _export_account(db: Session, subject: Subject) -> list[Row]:
    user = _user(db, subject)
    if user is None:
        return []
    names = ("name", "email", "phone", "language", "messages_by", "created_at", "disabled_at")
    proofs = ("email_proven_at", "phone_proven_at")
    return [plain_values.of_row(user, *names, *proofs) | {"roles": [grant.role.value for grant in user.grants]}]


def _erase_account(db: Session, subject: Subject) -> Erased:
    user = _user(db, subject)
    if user is None or not is_only_a_trainees(user):
        return Erased()
    db.execute(select(User.id).where(User.id == user.id).with_for_update())
    for kind in ContactKind:
        user.forget_proof(kind)
    user.disabled_at = user.disabled_at or clock.now()
    user.name, user.email, user.phone, user.password_hash = ERASED_NAME, None, None, None
    user.grants.clear()
    db.flush()
    return Erased(1)


def _export_traces(db: Session, subject: Subject) -> list[Row]:
    tables: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (BrowserSession, ("browser", "created_at", "seen_at", "expires_at")),
        (KnownBrowser, ("browser", "created_at", "seen_at")),
        (Device, ("name", "paired_at", "seen_at", "revoked_at")),
        (Passkey, ("name", "created_at", "used_at")),
    )
    return [
        {"kind": table.__tablename__} | plain_values.of_row(row, *names)
        for table, names in tables
        for row in db.scalars(select(table).where(table.user_id == subject.user_id))
    ]


def _erase_traces(db: Session, subject: Subject) -> Erased:
    user = _user(db, subject)
    if user is None or not is_only_a_trainees(user):
        return Erased()
    rows = sum(_rowcount(db.execute(delete(table).where(table.user_id == user.id))) for table in TRACES)
    rows += _rowcount(
        db.execute(update(Device).where(Device.user_id == user.id).values(name="", revoked_at=clock.now()))
    )
    return Erased(rows)


def _checks_of(db: Session, subject: Subject) -> Any:
    subjects = [*(f"trainee:{trainee_id}" for trainee_id in subject.trainee_ids), f"user:{subject.user_id}"]
    user = _user(db, subject)
    contacts = [contact for contact in (user.email, user.phone) if contact] if user else []
    return or_(ContactCheck.subject.in_(subjects), *map(ContactCheck.contact_is, contacts))


def _export_checks(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(ContactCheck).where(_checks_of(db, subject)).order_by(ContactCheck.id))
    return [plain_values.of_row(row, "purpose", "kind", "contact", "created_at", "proven_at") for row in rows]


def _erase_checks(db: Session, subject: Subject) -> Erased:
    return Erased(_rowcount(db.execute(delete(ContactCheck).where(_checks_of(db, subject)))))


def _export_trail(db: Session, subject: Subject) -> list[Row]:
    """The acts on the person's record and account. The trail holds names and contacts masked.

    What a user did to others is left out: it would tell of them.
    """
    records = (f"trainee:{trainee_id}" for trainee_id in subject.trainee_ids)
    about = AuditEntry.subject.in_([*records, f"app_user:{subject.user_id}"])
    rows = db.scalars(select(AuditEntry).where(about).order_by(AuditEntry.id))
    return [plain_values.of_row(row, "at", "action", "subject", "before", "after", "reason") for row in rows]


def _erase_trail(_db: Session, _subject: Subject) -> Erased:
    return Erased(0, ("trail",))


def _ended(before: datetime) -> list[tuple[Any, Any]]:
    return [
        (BrowserSession, BrowserSession.expires_at <= before),
        (PasswordReset, or_(PasswordReset.expires_at <= before, PasswordReset.used_at <= before)),
        (PasswordRequest, PasswordRequest.created_at <= before),
    ]


def _traces_due(db: Session, before: datetime) -> int:
    return sum(_count(db, table, condition) for table, condition in _ended(before))


def _erase_ended_traces(db: Session, before: datetime) -> Iterator[int]:
    for table, condition in _ended(before):
        yield _rowcount(db.execute(delete(table).where(condition)))


def _browsers_due(db: Session, before: datetime) -> int:
    return _count(db, KnownBrowser, KnownBrowser.seen_at <= before)


def _erase_browsers(db: Session, before: datetime) -> Iterator[int]:
    yield _rowcount(db.execute(delete(KnownBrowser).where(KnownBrowser.seen_at <= before)))


def _checks_due(db: Session, before: datetime) -> int:
    return _count(db, ContactCheck, ContactCheck.expires_at <= before)


def _erase_old_checks(db: Session, before: datetime) -> Iterator[int]:
    yield _rowcount(db.execute(delete(ContactCheck).where(ContactCheck.expires_at <= before)))


def _count(db: Session, table: Any, condition: Any) -> int:
    return db.scalar(select(func.count()).select_from(table).where(condition)) or 0


def _rowcount(result: Any) -> int:
    return int(result.rowcount)


personal_data.leave_apart(
    {
        "password_request": N_("A request for a password link, encrypted; deleted within a minute"),
        "passkey_challenge": N_("A random number of five minutes"),
    }
)
personal_data.register(
    DataKind(
        code="audit",
        label=N_("Audit trail"),
        purpose=N_("To prove who did what, and to find misuse"),
        tables={"audit_entry": ("before", "after", "reason")},
        whose=(Whose.TRAINEE, Whose.USER, Whose.INSTRUCTOR),
        basis=Basis.LEGAL_DUTY,
        retention="audit",
        export=_export_trail,
        erase=_erase_trail,
    )
)
personal_data.register(
    DataKind(
        code="account",
        label=N_("Accounts"),
        purpose=N_("To let people sign in and see what is theirs"),
        tables={"app_user": ("name", "email_sealed", "phone_sealed"), "role_grant": ("role",)},
        whose=(Whose.TRAINEE, Whose.USER, Whose.INSTRUCTOR),
        basis=Basis.CONTRACT,
        retention="trainee",
        export=_export_account,
        erase=_erase_account,
    )
)
personal_data.register(
    DataKind(
        code="account_traces",
        label=N_("Sign-ins, browsers and devices"),
        purpose=N_("To protect accounts from others"),
        tables={
            "browser_session": ("browser",),
            "known_browser": ("browser",),
            "device": ("name",),
            "passkey": ("name",),
            "totp": ("secret_sealed",),
            "recovery_code": ("code_hash",),
            "password_reset": ("token_hash",),
        },
        whose=(Whose.TRAINEE, Whose.USER, Whose.INSTRUCTOR),
        basis=Basis.CONTRACT,
        retention="account_traces",
        export=_export_traces,
        erase=_erase_traces,
    )
)
personal_data.register(
    DataKind(
        code="contact_check",
        label=N_("Proofs of contacts"),
        purpose=N_("To make sure that a phone or e-mail address is the person's"),
        tables={"contact_check": ("contact_sealed",)},
        whose=(Whose.TRAINEE, Whose.USER, Whose.INSTRUCTOR),
        basis=Basis.CONTRACT,
        retention="contact_check",
        receivers=(Receiver.SMS_GATEWAY, Receiver.MAIL_PROVIDER),
        export=_export_checks,
        erase=_erase_checks,
    )
)
retention_rules.register(
    RetentionKind(
        "account_traces",
        N_("Sessions and password links that ended"),
        N_("ended"),
        due=_traces_due,
        erase=_erase_ended_traces,
    )
)
retention_rules.register(
    RetentionKind("known_browser", N_("Known browsers"), N_("last seen"), due=_browsers_due, erase=_erase_browsers)
)
retention_rules.register(
    RetentionKind("contact_check", N_("Proofs of contacts"), N_("ended"), due=_checks_due, erase=_erase_old_checks)
)
retention_rules.register(RetentionKind("audit", N_("Audit trail"), N_("recorded")))
