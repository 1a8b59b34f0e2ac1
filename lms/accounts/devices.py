"""Paired devices: browsers that send check-ins with a token of their own, which outlives the sign-in.

A phone that was offline may send days later, when its session has ended and the cookies' key has changed. The table holds
the hash of the token. Revoking the device ends the token at once.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from lms.accounts.models import Device, RoleGrant, User
from lms.core import audit, clock, crypto
from lms.core.autocommit import Reads
from lms.core.errors import NotFound
from lms.core.pipeline import PreparedStatement
from lms.core.scope import ATTENDANCE_TAKERS, Role

TOKEN_BYTES = 32
TOKEN_LENGTH = 43  # characters of 32 bytes in base64 without padding
SEEN_EVERY = timedelta(minutes=5)
NAME_LENGTH = 100


@dataclass
class RoleHeld:
    """A role of the device's user, and the district or organisation in which it holds."""

    role: Role
    district_id: int | None
    organisation_id: int | None


@dataclass(frozen=True)
class Caller:
    """The device of a request and its user. `grants`: the user's roles that may take attendance; never empty."""

    device_id: int
    user_id: int
    seen_at: datetime
    user_name: str
    language: str
    grants: Sequence[RoleHeld]


_FIND = PreparedStatement(
    select(
        Device.id,
        Device.user_id,
        Device.seen_at,
        User.name,
        User.language,
        func.array_agg(cast(RoleGrant.role, Text)),
        func.array_agg(RoleGrant.district_id),
        func.array_agg(RoleGrant.organisation_id),
    )
    .select_from(Device)
    .join(User, User.id == Device.user_id)
    .join(RoleGrant, RoleGrant.user_id == User.id)
    .where(
        Device.token_hash == bindparam("token_hash", type_=LargeBinary),
        Device.revoked_at.is_(None),
        User.disabled_at.is_(None),
    )
    .group_by(Device.id, User.id),
    "token_hash",
)


def pair(db: Session, user: User, name: str) -> tuple[Device, str]:
    """Pair a browser. Returns the device and its token, which cannot be read again later."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    device = Device(
        user_id=user.id,
        name=" ".join(name.split())[:NAME_LENGTH],
        token_hash=crypto.token_hash(token),
        paired_at=now,
        seen_at=now,
    )
    db.add(device)
    db.flush()
    audit.record(db, "device.pair", device, after={"name": device.name})
    return device, token


def of_token(db: Reads, token: str) -> Caller | None:
    """The caller with this token; None if the device was revoked, or its user is disabled or may not take attendance any more."""
    if len(token) != TOKEN_LENGTH:
        return None
    row = _FIND.first(db, token_hash=crypto.token_hash(token))
    if row is None:
        return None
    *facts, roles, districts, organisations = row
    grants = [
        RoleHeld(Role(role), district_id, organisation_id)
        for role, district_id, organisation_id in zip(roles, districts, organisations, strict=True)
        if role in ATTENDANCE_TAKERS
    ]
    device_id, user_id, seen_at, name, language = facts
    return Caller(device_id, user_id, seen_at, name, language, grants) if grants else None


def note_seen(db: Session, caller: Caller) -> None:
    """Record roughly when a device was last seen.

    Writing the time at each request would cost as much as the request's own queries.
    """
    now = clock.now()
    if now - caller.seen_at > SEEN_EVERY:
        db.execute(update(Device).where(Device.id == caller.device_id).values(seen_at=now))


def of_user(db: Session, user_id: int) -> Sequence[Device]:
    """A user's devices that are not revoked, the one last seen first."""
    return db.scalars(
        select(Device)
        .where(Device.user_id == user_id, Device.revoked_at.is_(None))
        .order_by(Device.seen_at.desc(), Device.id.desc())
    ).all()


def one(db: Session, user_id: int, device_id: int) -> Device:
    """A device of this user, by its id. Raises NotFound."""
    device = db.scalars(select(Device).where(Device.id == device_id, Device.user_id == user_id)).one_or_none()
    if device is None:
        raise NotFound
    return device


def revoke(db: Session, device: Device) -> None:
    """End the device's token: its next request is refused. Revoking twice changes nothing."""
    if device.revoked_at is not None:
        return
    device.revoked_at = clock.now()
    audit.record(db, "device.revoke", device, before={"name": device.name})


def revoke_all(db: Session, user_id: int) -> int:
    """End the tokens of all devices of a user, and give their number."""
    statement = update(Device).where(Device.user_id == user_id, Device.revoked_at.is_(None))
    return int(db.execute(statement.values(revoked_at=clock.now())).rowcount)  # type: ignore[attr-defined]
