"""Keys of enrolment forms: a form that is sent again, by a double tap or after Back, gets the answer of the first time.

A form carries a random key. Its hash is taken with everything that was sent, so a key with other contents finds nothing:
whoever enrols a second child with the same page, or knows the key alone, is a new enrolment. A key is forgotten after
`LASTS`, and with the data of its person.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentKey, EnrolmentState
from lms.core import clock

LASTS = timedelta(hours=24)


def find(db: Session, form_hash: bytes | None) -> Enrolment | None:
    """The enrolment with which a form was answered; None for a new form, and where the enrolment was cancelled since."""
    if form_hash is None:
        return None
    return db.scalars(
        select(Enrolment)
        .join(EnrolmentKey, EnrolmentKey.enrolment_id == Enrolment.id)
        .where(
            EnrolmentKey.form_hash == form_hash,
            EnrolmentKey.created_at > clock.now() - LASTS,
            Enrolment.state != EnrolmentState.CANCELLED,
        )
    ).one_or_none()


def claim(db: Session, form_hash: bytes | None) -> Enrolment | None:
    """Answer a form once: the enrolment of the first time, or None when this transaction has to answer it.

    Waits while another transaction answers the same form. After None the caller calls `remember`, or rolls back.
    """
    if form_hash is None:
        return None
    db.execute(
        insert(EnrolmentKey).values(form_hash=form_hash, created_at=clock.now()).on_conflict_do_nothing()
    )  # waits for whoever has inserted the same hash
    db.execute(select(EnrolmentKey.id).where(EnrolmentKey.form_hash == form_hash).with_for_update())
    return find(db, form_hash)


def remember(db: Session, form_hash: bytes | None, enrolment: Enrolment) -> None:
    """Remember with which enrolment a claimed form was answered."""
    if form_hash is None:
        return
    answered = {"enrolment_id": enrolment.id, "created_at": clock.now()}
    db.execute(
        insert(EnrolmentKey)
        .values(form_hash=form_hash, **answered)
        .on_conflict_do_update(index_elements=[EnrolmentKey.form_hash], set_=answered)
    )
