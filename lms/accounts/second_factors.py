"""The second factor of an account: what is set up, and what adds, checks and removes it.

A factor is an authenticator app or a passkey. Recovery codes stand in for a factor and are none by themselves.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from limits import RateLimitItemPerDay, RateLimitItemPerMinute
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, known_browsers, notices, passkeys, recovery_codes, totp
from lms.accounts.models import KnownBrowser, Passkey, RoleGrant, Totp, User
from lms.accounts.notices import Notice
from lms.accounts.passkeys import PasskeyRefused, RelyingParty
from lms.accounts.throttle import TooManyTries
from lms.accounts.user_agents import browser_name
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.limits import seconds_to_wait
from lms.core.scope import Role

REMEMBERED = timedelta(days=30)
# Whoever guesses holds the password already. A session's own limit shuts out that session alone. The limit of all
# sessions of a user counts only six digits typed in browsers in which the owner never gave the second factor, so that a
# guesser shuts the owner out of no other browser, no passkey and no recovery code. 50 tries a day hit one of the three valid codes
# in a million once in 18 years.
PER_SESSION = RateLimitItemPerMinute(10, 15)
PER_BROWSER = RateLimitItemPerDay(30)
PER_USER = RateLimitItemPerDay(50)


class RecoveryCodeRefused(DomainError):
    """The recovery code that was given is wrong."""

    def __init__(self) -> None:
        super().__init__(
            "recovery_code_wrong",
            N_("This recovery code is wrong or was used already. Compare it with your paper, or take another one."),
            status=422,
            field="code",
        )


class FactorRefused(DomainError):
    """The code of the authenticator app that was given is wrong."""

    def __init__(self) -> None:
        super().__init__(
            "code_wrong",
            N_("This code is wrong, was used already, or is too old. Enter the code that the app shows now."),
            status=422,
            field="code",
        )


@dataclass(frozen=True)
class FactorState:
    """The second factors of a user, for the page on which the user manages them."""

    totp: Totp | None
    passkeys: list[Passkey]
    recovery_codes: int
    browsers: list[KnownBrowser]

    @property
    def number(self) -> int:
        """The number of factors."""
        return len(self.passkeys) + (self.totp is not None)


def is_demanded(grants: Iterable[RoleGrant]) -> bool:
    """Tell whether these roles see other people's data, so that a second factor is demanded where the setting says so."""
    return any(grant.role != Role.TRAINEE for grant in grants)


def is_set(db: Session, user_id: int) -> bool:
    """Tell whether a user has a factor."""
    has_app = exists().where(Totp.user_id == user_id)
    return bool(db.scalar(select(has_app | exists().where(Passkey.user_id == user_id))))


def state(db: Session, user_id: int) -> FactorState:
    """The factors, the unused recovery codes and the remembered browsers of a user."""
    return FactorState(
        db.get(Totp, user_id),
        passkeys.of_user(db, user_id),
        recovery_codes.left(db, user_id),
        known_browsers.remembered(db, user_id),
    )


def add_totp(db: Session, user: User, secret: str, code: str, *, whole: bool) -> None:
    """Set up an authenticator app, which proves by its present code that it has the secret.

    whole: the sign-in is whole. A half sign-in sets up the first factor alone: a password does not replace a factor.
    """
    _demand_may_add(db, user, whole=whole)
    step = totp.matching_step(secret, plain(code), clock.now())
    if step is None:
        raise FactorRefused
    totp.set_up(db, user, secret, step)
    _added(db, user, "totp")


def add_passkey(
    db: Session, user: User, token: str, site: RelyingParty, answer: Any, *, name: str, whole: bool
) -> None:
    """Add the passkey that the browser of a session made. whole: as in `add_totp`."""
    _demand_may_add(db, user, whole=whole)
    passkeys.add(db, user, token, site, answer, name=name)
    _added(db, user, "passkey", name=name)


def passkey_options(db: Session, user: User, token: str, site: RelyingParty, *, whole: bool) -> str:
    """The options with which the browser of a session makes a passkey, as JSON. whole: as in `add_totp`."""
    _demand_may_add(db, user, whole=whole)
    return passkeys.adding_options(db, user, token, site)


def rename_passkey(db: Session, user: User, passkey_id: int, name: str) -> None:
    """Give a passkey of a user another name."""
    row = passkeys.one(db, user.id, passkey_id)
    before = {"name": row.name}
    row.name = name
    audit.record_change(db, "second_factor.rename", user, before, {"name": name})


def remove_totp(db: Session, user: User, *, demanded: bool) -> None:
    """Remove the authenticator app. demanded: the user must keep a factor. Removing what is not there is no error."""
    _lock(db, user)
    row = db.get(Totp, user.id)
    if row is None:
        return
    _demand_another(db, user, demanded=demanded)
    db.delete(row)
    _removed(db, user, "totp")


def remove_passkey(db: Session, user: User, passkey_id: int, *, demanded: bool) -> None:
    """Remove a passkey of a user. demanded: as in `remove_totp`."""
    _lock(db, user)
    row = passkeys.one(db, user.id, passkey_id)
    _demand_another(db, user, demanded=demanded)
    db.delete(row)
    _removed(db, user, "passkey", name=row.name)


def make_recovery_codes(db: Session, user: User) -> list[str]:
    """Ten new recovery codes, to be shown once."""
    codes = recovery_codes.make(db, user)
    audit.record(db, "second_factor.codes", user, after=_origin(db))
    notices.tell(db, user, Notice.SECOND_FACTOR)
    return codes


def check_code(db: Session, user: User, token: str, code: str, known: KnownBrowser | None) -> None:
    """Accept a code of the authenticator app or a recovery code. Raises DomainError, TooManyTries after too many.

    token: of the session. known: the browser, if it is known for the user. After a refusal the caller commits: the
    audit trail keeps it.
    """
    code = plain(code)
    is_recovery_code = len(code) == recovery_codes.LENGTH
    count_try(user, token, known, guessable=not is_recovery_code)
    if not (recovery_codes.accept if is_recovery_code else totp.accept)(db, user, code):
        record_refusal(db, user, "recovery_code" if is_recovery_code else "totp")
        raise RecoveryCodeRefused if is_recovery_code else FactorRefused
    if is_recovery_code:
        remaining = recovery_codes.left(db, user.id)
        audit.record(db, "second_factor.recovery", user, after=_origin(db) | {"codes_left": remaining})
    else:
        audit.record(db, "second_factor.given", user, after=_origin(db) | {"factor": "totp"})


def check_passkey(db: Session, user: User, token: str, site: RelyingParty, answer: Any) -> None:
    """Accept the answer of a passkey. Raises PasskeyRefused or TooManyTries. After a refusal the caller commits."""
    count_try(user, token, None, guessable=False)
    try:
        row = passkeys.use(db, user, token, site, answer)
    except PasskeyRefused as refusal:
        record_refusal(db, user, "passkey", cause=refusal.cause)
        raise
    audit.record(db, "second_factor.given", user, after=_origin(db) | {"factor": "passkey", "name": row.name})


def record_refusal(db: Session, user: User, factor: str, **more: str) -> None:
    """Note in the audit trail that a second factor was refused."""
    audit.record(db, "second_factor.refused", user, after=_origin(db) | {"factor": factor} | more)


def reset(db: Session, user: User, reason: str) -> None:
    """Remove every factor of somebody who lost them, end the sessions and tell the owner.

    At the next sign-in the password alone lets the owner set up a new factor, where one is demanded.
    """
    if audit.actor(db) == user.id:
        raise DomainError(
            "own_account",
            N_("You cannot reset your own second factor. Ask another administrator, or use a recovery code."),
        )
    _lock(db, user)
    for table in (Totp, Passkey):
        db.execute(delete(table).where(table.user_id == user.id))
    recovery_codes.forget(db, user.id)
    browser_sessions.end_all(db, user.id)
    known_browsers.forget_second_factors(db, user.id)
    audit.record(db, "second_factor.reset", user, reason=reason)
    notices.tell(db, user, Notice.SECOND_FACTOR_REMOVED)


def remembered_until() -> datetime:
    """Until when a browser that is remembered now is not asked for the second factor."""
    return clock.now() + REMEMBERED


def plain(code: str) -> str:
    """A code as it is compared: without spaces and hyphens, in lower case, with ASCII digits."""
    return "".join(unicodedata.normalize("NFKC", code).casefold().replace("-", "").split())


def count_try(user: User, token: str, known: KnownBrowser | None, *, guessable: bool) -> None:
    """Count a try before it is looked at. guessable: six digits, and not a signature or a long code."""
    seconds = seconds_to_wait(PER_SESSION, "second_factor", "session", crypto.token_hash(token).hex())
    if seconds:
        raise TooManyTries(seconds)
    if not guessable:
        return
    item, kind, key = PER_USER, "user", user.id
    if known is not None and known.second_factor_at is not None:
        item, kind, key = PER_BROWSER, "browser", known.id
    if seconds_to_wait(item, "second_factor", kind, str(key)):
        raise DomainError(
            "codes_many",
            N_(
                "Too many codes were tried today. Use a passkey or a recovery code, or a browser in which you signed in"
                " before."
            ),
            status=429,
            field="code",
        )


def _demand_may_add(db: Session, user: User, *, whole: bool) -> None:
    _lock(db, user)
    if not whole and is_set(db, user.id):
        raise DomainError(
            "factor_set_already",
            N_("This account has a second factor already. Give it first; afterwards you can add another one."),
            status=403,
        )


def _demand_another(db: Session, user: User, *, demanded: bool) -> None:
    if demanded and state(db, user.id).number == 1:
        raise DomainError(
            "last_factor", N_("Your role demands a second factor. Add another one before you remove this one.")
        )


def _added(db: Session, user: User, factor: str, **more: str) -> None:
    audit.record(db, "second_factor.add", user, after=_origin(db) | {"factor": factor} | more)
    notices.tell(db, user, Notice.SECOND_FACTOR)


def _removed(db: Session, user: User, factor: str, **more: str) -> None:
    db.flush()
    if not is_set(db, user.id):
        recovery_codes.forget(db, user.id)
    known_browsers.forget_second_factors(db, user.id)
    audit.record(db, "second_factor.remove", user, before={"factor": factor} | more, after=_origin(db))
    notices.tell(db, user, Notice.SECOND_FACTOR_REMOVED)


def _origin(db: Session) -> dict[str, str]:
    """The address and the browser of this request, for the audit trail."""
    origin = audit.origin(db)
    return {"address": origin.address, "browser": browser_name(origin.agent)} if origin.address else {}


def _lock(db: Session, user: User) -> None:
    """Let two simultaneous changes of one user's factors follow one another."""
    db.execute(select(User.id).where(User.id == user.id).with_for_update())
