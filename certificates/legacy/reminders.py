"""Reminders of legacy certificates that belong to people: as `certificates.reminders`, by proven contacts of the record.

The key of the message records that a certificate was reminded at a distance, so no table of its own is needed.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, and_, cast, exists, literal, or_, select
from sqlalchemy.orm import Session, contains_eager

from certificates import reminders
from certificates.legacy import holding
from certificates.legacy.models import LegacyCertificate
from certificates.reminders import Ending
from courses.enrolment import recipients
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.messages.models import Message

BATCH = 200


def due(
    db: Session, distances: Sequence[int], *, today: date, limit: int | None = None, lock: bool = False
) -> list[tuple[LegacyCertificate, int]]:
    """Return the certificates to be reminded of on a day with their distance, soonest end first, as `reminders.due` does."""
    spans = list(pairwise((*sorted(set(distances), reverse=True), -1)))
    if not spans:
        return []
    statement = (
        select(LegacyCertificate)
        .join(LegacyCertificate.trainee)
        .outerjoin(User, User.id == Trainee.user_id)
        .options(contains_eager(LegacyCertificate.trainee))
        .where(
            LegacyCertificate.revoked_at.is_(None),
            LegacyCertificate.superseded_by_id.is_(None),
            LegacyCertificate.erased_at.is_(None),
            Trainee.erased_at.is_(None),
            recipients.has_proven_address(),
            or_(*(_within(today, farther, nearer, distances) for farther, nearer in spans)),
            ~holding.has_later_certificate(),
        )
        .order_by(LegacyCertificate.valid_until, LegacyCertificate.id)
        .limit(limit)
    )
    if lock:
        statement = statement.with_for_update(of=LegacyCertificate, skip_locked=True)
    return [(row, _distance(row, spans, today)) for row in db.scalars(statement)]


def remind(db: Session, distances: Sequence[int], *, zone: ZoneInfo, limit: int = BATCH) -> int:
    """Owe at most `limit` due reminders and return their number. The caller commits and calls again until it is 0."""
    today = clock.today(zone)
    rows = due(db, distances, today=today, limit=limit, lock=True)
    types = {row.certificate_type for row, _distance in rows if row.certificate_type is not None}
    offerings = reminders.refreshers(db, types) if types else {}
    for row, distance in rows:
        trainee = row.trainee
        if trainee is None or row.valid_until is None:
            raise AssertionError("the statement joins the trainee, and compares the last day")
        near = reminders.nearest(offerings.get(row.certificate_type or 0, ()), trainee.district_id or 0)
        ending = Ending(
            row.name,
            row.number,
            row.course,
            row.course,
            row.valid_until,
            (row.valid_until - today).days,
            "/my-certificate",
        )
        recipient = replace(recipients.of_record(db, trainee), name=row.name)
        reminders.owe_mail(db, ending, recipient, near, zone, key=_key(row.id, distance))
    db.flush()
    return len(rows)


def owed(db: Session, legacy_ids: Collection[int], distances: Sequence[int]) -> dict[int, list[tuple[int, datetime]]]:
    """Return the reminders of certificates at some distances: by id the distance and the moment, the farthest first.

    One statement; none without certificates or distances.
    """
    keys = {_key(legacy_id, distance): (legacy_id, distance) for legacy_id in legacy_ids for distance in distances}
    by_certificate: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    if keys:
        rows = db.execute(
            select(Message.key, Message.created_at).where(Message.key.in_(keys)).order_by(Message.created_at)
        )
        for key, created_at in rows:
            legacy_id, distance = keys[str(key)]
            by_certificate[legacy_id].append((distance, created_at))
    return by_certificate


def _key(legacy_id: int, distance: int) -> str:
    return f"reminder:legacy:{legacy_id}:{distance}"


def _within(today: date, farther: int, nearer: int, distances: Sequence[int]) -> ColumnElement[bool]:
    """The condition that a certificate is at this distance, and was not reminded at it or at a nearer one."""
    own = literal("reminder:legacy:") + cast(LegacyCertificate.id, String)
    reminded = exists().where(Message.key.in_([own + f":{distance}" for distance in distances if distance <= farther]))
    return and_(
        LegacyCertificate.valid_until > today + timedelta(days=nearer),
        LegacyCertificate.valid_until <= today + timedelta(days=farther),
        LegacyCertificate.issued_on <= LegacyCertificate.valid_until - timedelta(days=farther),
        ~reminded,
    )


def _distance(row: LegacyCertificate, spans: Sequence[tuple[int, int]], today: date) -> int:
    left = (row.valid_until - today).days if row.valid_until is not None else 0
    return next(farther for farther, nearer in spans if nearer < left <= farther)
