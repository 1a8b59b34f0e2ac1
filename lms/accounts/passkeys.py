"""Passkeys (WebAuthn): key pairs that a phone, a computer or a security key makes for this site alone.

The server sends a random challenge, the device signs it, and the signature is checked with the public key. A challenge
belongs to one browser session and to one purpose, is answered once, and holds for five minutes.
"""

import ipaddress
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from lms.accounts.models import Passkey, PasskeyChallenge, User
from lms.core import clock, crypto
from lms.core.errors import N_, DomainError, NotFound

LASTS = timedelta(minutes=5)
MOST: Final = 20  # passkeys of one user
NAME_LENGTH: Final = 100
ADD, USE = "add", "use"
_LOCAL = "localhost"  # browsers take it for safe without https


@dataclass(frozen=True)
class RelyingParty:
    """This site, as passkeys know it: the domain to which they are bound, and the origin of its pages."""

    id: str
    origin: str
    name: str


def relying_party(public_url: str, name: str) -> RelyingParty | None:
    """The site of an address. None where browsers offer no passkeys: at an IP address, and without https."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        is_local = host == _LOCAL or host.endswith(f".{_LOCAL}")
        if host and (parts.scheme == "https" or is_local):
            return RelyingParty(host, f"{parts.scheme}://{parts.netloc}", name)
    return None


class PasskeyRefused(DomainError):
    """The answer of the browser proves nothing. `cause`: a word for the audit trail."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "passkey_refused",
            N_("This passkey was not accepted. Try again, or use another way."),
            status=422,
        )
        self.cause = cause


def of_user(db: Session, user_id: int) -> list[Passkey]:
    """The passkeys of a user, in the order in which they were made."""
    return list(db.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def one(db: Session, user_id: int, passkey_id: int) -> Passkey:
    """A passkey of a user. Raises NotFound, also for another user's."""
    row = db.scalars(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def adding_options(db: Session, user: User, token: str, site: RelyingParty) -> str:
    """The options with which a browser makes a passkey, as JSON. `token`: of the browser's session."""
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_id=user.ref.bytes,
        user_name=user.email or user.phone or user.name,
        user_display_name=user.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_descriptors(db, user),
    )
    _keep(db, token, ADD, options.challenge)
    return webauthn.options_to_json(options)


def add(db: Session, user: User, token: str, site: RelyingParty, answer: Any, *, name: str) -> Passkey:
    """Store the passkey that a browser made. Raises PasskeyRefused for an answer to no challenge of this session."""
    challenge = _take(db, token, ADD)
    made = _registration(answer, challenge, site)
    if (db.scalar(select(func.count()).where(Passkey.user_id == user.id)) or 0) >= MOST:
        raise DomainError("passkeys_many", N_("This account has as many passkeys as it can have. Remove one first."))
    row = Passkey(
        user_id=user.id,
        name=name[:NAME_LENGTH],
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
    )
    db.add(row)
    db.flush()
    return row


def using_options(db: Session, user: User, token: str, site: RelyingParty) -> str:
    """The options with which a browser uses one of the user's passkeys, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        allow_credentials=_descriptors(db, user),
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    _keep(db, token, USE, options.challenge)
    return webauthn.options_to_json(options)


def use(db: Session, user: User, token: str, site: RelyingParty, answer: Any) -> Passkey:
    """Check the answer of a browser that used a passkey of this user. Raises PasskeyRefused.

    The number of uses that the device tells must have grown, where it tells one: a copied key tells an old number.
    """
    challenge = _take(db, token, USE)
    row = db.scalars(
        select(Passkey)
        .where(Passkey.user_id == user.id, Passkey.credential_id == _credential_id(answer))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise PasskeyRefused("passkey_unknown")
    used = _authentication(answer, challenge, site, row)
    row.sign_count, row.used_at = used.new_sign_count, clock.now()
    db.flush()
    return row


def _descriptors(db: Session, user: User) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=row.credential_id) for row in of_user(db, user.id)]


def _keep(db: Session, token: str, purpose: str, challenge: bytes) -> None:
    values = {"purpose": purpose, "challenge": challenge, "expires_at": clock.now() + LASTS}
    db.execute(
        insert(PasskeyChallenge)
        .values(token_hash=crypto.token_hash(token), **values)
        .on_conflict_do_update(index_elements=["token_hash"], set_=values)
    )


def _take(db: Session, token: str, purpose: str) -> bytes:
    """The challenge of a session, which is used up by this."""
    statement = (
        delete(PasskeyChallenge)
        .where(PasskeyChallenge.token_hash == crypto.token_hash(token))
        .returning(PasskeyChallenge.purpose, PasskeyChallenge.challenge, PasskeyChallenge.expires_at)
    )
    row = db.execute(statement).one_or_none()
    if row is None or row.purpose != purpose:
        raise PasskeyRefused("passkey_no_challenge")
    if row.expires_at <= clock.now():
        raise PasskeyRefused("passkey_late")
    challenge: bytes = row.challenge
    return challenge


def _credential_id(answer: Any) -> bytes:
    identifier = answer.get("rawId") if isinstance(answer, dict) else None
    if not isinstance(identifier, str):
        raise PasskeyRefused("passkey_malformed")
    try:
        return base64url_to_bytes(identifier)
    except ValueError as error:
        raise PasskeyRefused("passkey_malformed") from error


def _registration(answer: Any, challenge: bytes, site: RelyingParty) -> VerifiedRegistration:
    try:
        return webauthn.verify_registration_response(
            credential=json.dumps(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
        )
    except Exception as error:  # bytes from outside: the library's parsers raise errors of many kinds
        raise PasskeyRefused("passkey_unproven") from error


def _authentication(answer: Any, challenge: bytes, site: RelyingParty, row: Passkey) -> VerifiedAuthentication:
    try:
        return webauthn.verify_authentication_response(
            credential=json.dumps(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
        )
    except Exception as error:  # as above
        raise PasskeyRefused("passkey_unproven") from error
