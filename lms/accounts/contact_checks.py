"""Contact checks: a code or a link is sent to a phone or an e-mail address, and its return proves the contact.

A package that needs a proof registers a `CheckPurpose`, which says what follows from it, and starts a check. The owner of the
contact types the code at `/prove/<ref>`, or confirms the link at `/prove/link/<token>`. To open a link proves nothing, because
mail scanners open links too. The limits are those of `lms.accounts.contact_limits`.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms.accounts import contact_limits
from lms.accounts.models import ContactCheck
from lms.core import audit, clock, crypto
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import mask_email, mask_phone
from lms.core.messages.models import Channel
from lms.core.messages.owing import SITE, Address, Purpose, Recipient, is_served, owe

CODE_LIVES = timedelta(minutes=10)
CODE_TRIES = 5

CODE = Purpose("code", N_("Verification code"), called=False, parameters=("code",), secret=True)
# For the owner of a contact that somebody else entered, who has no page open: `page` is the last part of its address.
CODE_PAGE = Purpose(
    "code_page", N_("Verification code with a page"), called=False, parameters=("code", "page"), secret=True
)


@dataclass(frozen=True)
class CheckPurpose:
    """A reason for which a contact is proven.

    explanation: a msgid, the sentence by which the pages say what follows from the proof. proven: called once, within the
    unit of work of the proof; it does what follows and returns the path of the page to go to, or None. lives: how long the
    link can be used and a new code be asked for. remote: somebody else than the contact's owner starts these checks, so that
    an SMS names the page where the code is typed.
    """

    code: str
    explanation: str
    proven: Callable[[Session, ContactCheck], str | None]
    lives: timedelta = timedelta(hours=1)
    remote: bool = False


@dataclass(frozen=True)
class Trial:
    """The result of a typed code. `onward`: the path of the page to go to after a proof, where there is one."""

    check: ContactCheck
    proven: bool
    tries_left: int
    onward: str | None = None


_purposes: dict[str, CheckPurpose] = {}


def register(purpose: CheckPurpose) -> CheckPurpose:
    """Register a purpose, so that a proof finds what follows. Returns the purpose."""
    _purposes[purpose.code] = purpose
    return purpose


def purpose_of(check: ContactCheck) -> CheckPurpose:
    """The purpose of a check."""
    return _purposes[check.purpose]


def masked(check: ContactCheck) -> str:
    """The contact of a check as pages show it: its owner recognises it."""
    return mask_phone(check.contact) if check.kind is ContactKind.PHONE else mask_email(check.contact)


def start(
    db: Session,
    purpose: CheckPurpose,
    subject: str,
    kind: ContactKind,
    contact: str,
    *,
    language: str,
    address: str | None = None,
) -> ContactCheck:
    """Send a code (and to an e-mail address a link) to a contact, and return the check. Its page is `page_of(check)`.

    subject: the row that the proof concerns, such as "trainee:17". contact: E.164 or an e-mail address. language: of the
    message. address: the IP address that asks, which is counted. The same check asked for twice within a minute is one. An
    earlier check of the same purpose, subject and kind ends. Raises DomainError (429) beyond a limit.
    """
    if not can_send(purpose, kind):
        raise DomainError(
            "no_channel",
            N_("No code can be sent to this contact here. Use another one, or ask the host organisation."),
            status=422,
            field=kind,
        )
    contact_limits.lock(db, contact)
    now = clock.now()
    same = (
        ContactCheck.purpose == purpose.code,
        ContactCheck.subject == subject,
        ContactCheck.kind == kind,
        ContactCheck.proven_at.is_(None),
        ContactCheck.expires_at > now,
    )
    latest = db.scalars(
        select(ContactCheck).where(*same, ContactCheck.contact_is(contact)).order_by(ContactCheck.id.desc()).limit(1)
    ).one_or_none()
    if latest is not None and now - latest.created_at < contact_limits.RESEND_AFTER and latest.tries < CODE_TRIES:
        return latest
    contact_limits.demand_sending(db, contact, address)
    db.execute(update(ContactCheck).where(*same).values(expires_at=now))
    check = ContactCheck(
        purpose=purpose.code,
        subject=subject,
        kind=kind,
        language=language,
        started_by=audit.actor(db),
        created_at=now,
        expires_at=now + max(purpose.lives, CODE_LIVES),
        tries=0,
    )
    check.contact = contact
    _send(db, check, purpose)
    return check


def can_send(purpose: CheckPurpose, kind: ContactKind) -> bool:
    """Tell whether this installation can send codes to contacts of a kind: without an SMS gateway there are none to phones."""
    channel = Channel.SMS if kind is ContactKind.PHONE else Channel.EMAIL
    return is_served(channel, CODE_PAGE if purpose.remote else CODE)


def send_again(db: Session, ref: str, *, address: str | None = None) -> ContactCheck:
    """Send a new code in a new check, which takes the place of this one. Raises DomainError within a minute."""
    check = get(db, ref)
    demand_open(check)
    wait = seconds_until_resend(check)
    if wait:
        raise contact_limits.too_soon(wait)
    fresh = start(
        db, purpose_of(check), check.subject, check.kind, check.contact, language=check.language, address=address
    )
    fresh.started_by = check.started_by
    return fresh


def seconds_until_resend(check: ContactCheck) -> int:
    """The seconds until a new code may be asked for; 0 when it may."""
    return max(0, int((check.created_at + contact_limits.RESEND_AFTER - clock.now()).total_seconds() + 0.999))


def ref_of(check: ContactCheck) -> str:
    """The part of an address that names a check: 128 random bits, which prove nothing without the code."""
    return check.ref.hex


def page_of(check: ContactCheck) -> str:
    """The path of the page where the code of a check is typed."""
    return f"/prove/{ref_of(check)}"


def get(db: Session, ref: str) -> ContactCheck:
    """The check that an address names. Raises NotFound."""
    check = db.scalars(select(ContactCheck).where(ContactCheck.ref == _uuid(ref))).one_or_none()
    if check is None or check.purpose not in _purposes:
        raise NotFound
    return check


def is_open(check: ContactCheck) -> bool:
    """Tell whether a check can still be proven, by its link or by a new code."""
    return check.proven_at is None and check.expires_at > clock.now()


def code_lives(check: ContactCheck) -> bool:
    """Tell whether the code of a check can still be typed."""
    return is_open(check) and check.tries < CODE_TRIES and check.created_at + CODE_LIVES > clock.now()


def demand_open(check: ContactCheck) -> None:
    """Raise DomainError for a check that was proven, replaced or has expired."""
    if not is_open(check):
        raise DomainError(
            "check_over",
            N_(
                "This confirmation was already used, was replaced by a newer one or has expired. Use the newest message."
            ),
            status=410,
        )


def confirm_code(db: Session, ref: str, code: str) -> Trial:
    """Compare a typed code, and prove the contact if the code is right.

    A wrong code is counted, so the caller commits the returned `Trial` in either case. Raises NotFound, and DomainError when
    the check or its code is over or the contact's tries of the day are used up.
    """
    contact = get(db, ref).contact
    contact_limits.lock(db, contact)
    check = _locked(db, ContactCheck.ref == _uuid(ref))
    demand_open(check)
    if not code_lives(check):
        raise DomainError(
            "code_over",
            N_("This code has expired or was mistyped five times. Ask for a new one."),
            status=422,
        )
    contact_limits.demand_tries(db, contact)
    typed = "".join(character for character in code if character.isdecimal())
    if not any(hmac.compare_digest(check.code_hash or b"", code_hash) for code_hash in _code_hashes(check, typed)):
        check.tries += 1
        db.flush()
        return Trial(check, proven=False, tries_left=CODE_TRIES - check.tries)
    return Trial(check, proven=True, tries_left=0, onward=_prove(db, check, ContactProof.CODE))


def of_link(db: Session, token: str) -> ContactCheck:
    """The open check to which a link belongs. Changes nothing. Raises DomainError for a link that is over or unknown."""
    check = db.scalars(select(ContactCheck).where(ContactCheck.link_hash == crypto.token_hash(token))).one_or_none()
    if check is None or check.purpose not in _purposes:
        raise NotFound
    demand_open(check)
    return check


def confirm_link(db: Session, token: str) -> Trial:
    """Prove the contact to which a link was sent. The caller does this on a POST alone, after the owner's tap."""
    of_link(db, token)
    check = _locked(db, ContactCheck.link_hash == crypto.token_hash(token))
    demand_open(check)
    return Trial(check, proven=True, tries_left=0, onward=_prove(db, check, ContactProof.LINK))


def pending(db: Session, purpose: CheckPurpose, subject: str) -> list[ContactCheck]:
    """The open checks of a subject, by kind."""
    return list(
        db.scalars(
            select(ContactCheck)
            .where(
                ContactCheck.purpose == purpose.code,
                ContactCheck.subject == subject,
                ContactCheck.proven_at.is_(None),
                ContactCheck.expires_at > clock.now(),
            )
            .order_by(ContactCheck.kind)
        )
    )


def withdraw(db: Session, purpose: CheckPurpose, subject: str, kind: ContactKind | None = None) -> None:
    """End the open checks of a subject, of one kind or all."""
    statement = update(ContactCheck).where(
        ContactCheck.purpose == purpose.code, ContactCheck.subject == subject, ContactCheck.proven_at.is_(None)
    )
    if kind is not None:
        statement = statement.where(ContactCheck.kind == kind)
    db.execute(statement.where(ContactCheck.expires_at > clock.now()).values(expires_at=clock.now()))


def newest_proven(
    db: Session, purpose: CheckPurpose, subject: str | None, *, refs: Iterable[str], since: datetime
) -> ContactCheck | None:
    """The newest check of a subject, among the named ones, that was proven since a moment; None if there is none.

    subject: None for any subject of the purpose.
    """
    statement = select(ContactCheck).where(
        ContactCheck.ref.in_([_uuid(ref) for ref in refs]),
        ContactCheck.purpose == purpose.code,
        ContactCheck.proven_at >= since,
    )
    if subject is not None:
        statement = statement.where(ContactCheck.subject == subject)
    return db.scalars(statement.order_by(ContactCheck.proven_at.desc()).limit(1)).one_or_none()


def _prove(db: Session, check: ContactCheck, proof: ContactProof) -> str | None:
    check.proven_at, check.proof = clock.now(), proof
    db.flush()
    audit.record(
        db,
        "contact.prove",
        check.subject,
        after={"kind": check.kind.value, "contact": masked(check), "proof": proof.value, "purpose": check.purpose},
    )
    return purpose_of(check).proven(db, check)


def _send(db: Session, check: ContactCheck, purpose: CheckPurpose) -> None:
    code = f"{secrets.randbelow(10**6):06d}"
    check.code_hash = _code_hashes(check, code)[0]
    channel, link = Channel.SMS, None
    if check.kind is ContactKind.EMAIL:
        token = crypto.token()
        check.link_hash = crypto.token_hash(token)
        channel, link = Channel.EMAIL, f"{SITE}/prove/link/{token}"
    db.add(check)
    db.flush()
    parameters = {"code": code, "page": ref_of(check)} if purpose.remote else {"code": code}
    with force_locale(check.language):
        owe(
            db,
            CODE_PAGE if purpose.remote else CODE,
            Recipient(None, "", (Address(channel, check.contact),), check.language),
            subject=_("Confirm this address"),
            text=_text(check, purpose, code, link),
            parameters=parameters,
            lives=purpose.lives if link else CODE_LIVES,
        )


def _text(check: ContactCheck, purpose: CheckPurpose, code: str, link: str | None) -> str:
    """The text of an e-mail; of an SMS only where it is written to a file, because gateways have templates of their own."""
    if link is None:
        if purpose.remote:
            return str(
                _(
                    "Your code is %(code)s. Enter it within ten minutes at %(page)s",
                    code=code,
                    page=f"{SITE}{page_of(check)}",
                )
            )
        return str(_("Your code is %(code)s. Enter it within ten minutes. Tell it to nobody.", code=code))
    return str(
        _(
            "%(explanation)s\n\nOpen this address and confirm with the button there:\n\n%(link)s\n\nOr, within ten"
            " minutes, enter the code %(code)s on the page that asks for it. Tell the code to nobody.\n\nIf you did not"
            " ask for this, do nothing: nothing changes.\n",
            explanation=_(purpose.explanation),
            link=link,
            code=code,
        )
    )


def _code_hashes(check: ContactCheck, code: str) -> list[bytes]:
    """Keyed hashes of a code, bound to its check: a million codes are soon tried where the key is known, and only there.

    One for each field key, the newest first, so that a code that was sent before FIELD_KEY was replaced is accepted after it.
    """
    return crypto.cipher().blind_indexes("contact_check.code", f"{check.ref}\0{code}")


def _locked(db: Session, condition: object) -> ContactCheck:
    statement = select(ContactCheck).where(condition).with_for_update()  # type: ignore[arg-type]
    return db.scalars(statement.execution_options(populate_existing=True)).one()


def _uuid(ref: str) -> UUID:
    try:
        return UUID(hex=ref)
    except ValueError:
        raise NotFound from None
