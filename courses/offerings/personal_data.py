"""Personal data of the contact persons of organisations: of requested trainings, and on public pages."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from courses.models.offerings import Offering
from courses.models.training_requests import TrainingRequest
from lms.core import personal_data, retention_rules
from lms.core.errors import N_
from lms.core.personal_data import Basis, DataKind, Receiver, Whose
from lms.core.retention_rules import RetentionKind

BATCH = 500


def _decided(before: datetime) -> ColumnElement[bool]:
    return TrainingRequest.decided_at <= before


def _requests_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(TrainingRequest).where(_decided(before))) or 0


def _erase_requests(db: Session, before: datetime) -> Iterator[int]:
    ids = select(TrainingRequest.id).where(_decided(before))
    yield from _in_batches(db, ids, lambda batch: delete(TrainingRequest).where(TrainingRequest.id.in_(batch)))


def _ended(before: datetime) -> ColumnElement[bool]:
    """The condition that an offering with a contact was closed or cancelled before a moment."""
    ended = func.coalesce(Offering.closed_at, Offering.cancelled_at) <= before
    return ended & Offering.contact_phone.is_not(None)


def _contacts_due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(Offering).where(_ended(before))) or 0


def _erase_contacts(db: Session, before: datetime) -> Iterator[int]:
    empty = {"contact_name": None, "contact_phone": None}
    ids = select(Offering.id).where(_ended(before))
    yield from _in_batches(db, ids, lambda batch: update(Offering).where(Offering.id.in_(batch)).values(empty))


def _in_batches(db: Session, ids: Any, statement: Any) -> Iterator[int]:
    """Run a statement on the rows of a SELECT, some at a time. Rows that others hold are left for the next night."""
    while batch := list(db.scalars(ids.limit(BATCH).with_for_update(skip_locked=True))):
        db.execute(statement(batch).execution_options(synchronize_session=False))
        yield len(batch)


personal_data.register(
    DataKind(
        code="training_request",
        label=N_("Requested trainings"),
        purpose=N_("To answer an organisation that asks for a training, and to plan the training"),
        tables={"training_request": ("content",)},
        whose=(Whose.CONTACT_PERSON,),
        basis=Basis.CONSENT,
        retention="training_request",
        receivers=(Receiver.SMS_GATEWAY, Receiver.MAIL_PROVIDER),
    )
)
personal_data.register(
    DataKind(
        code="class_contact",
        label=N_("Contact persons of trainings"),
        purpose=N_("To tell the public whom to call about a training, at a number at work"),
        tables={
            "offering": ("contact_name", "contact_phone"),
            "organisation": ("contact_name", "contact_phone"),
        },
        whose=(Whose.CONTACT_PERSON,),
        basis=Basis.CONSENT,
        retention="class_contact",
        receivers=(Receiver.PUBLIC_PAGE,),
    )
)
for retention_kind in (
    RetentionKind(
        "training_request", N_("Requested trainings"), N_("decided"), due=_requests_due, erase=_erase_requests
    ),
    RetentionKind(
        "class_contact", N_("Contact persons of trainings"), N_("the training was closed or cancelled"),
        due=_contacts_due, erase=_erase_contacts,
    ),
):  # fmt: skip
    retention_rules.register(retention_kind)
