"""Links that a holder shares: each shows the holder's certificate to anybody who has the link, expires, and can be withdrawn.

A link follows the certificate for which it was made: after a correction or a renewal it shows the newest one and says so, so
that a former name is shown to nobody. The holder sees and withdraws it from the page of any certificate of the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import renewal
from certificates.models import Certificate, ShareLink
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError, NotFound

PERIODS = (7, 30, 90)  # days
MAX_LINKS = 20  # links of one chain of certificates that are active at the same time
GONE = 410


@dataclass(frozen=True, slots=True)
class Shared:
    """The contents of an opened link: the newest certificate of the chain, and what happened since the link was made.

    `corrected_on`: the day of the last correction since; `renewed_on`: the day of the last renewal since.
    """

    certificate: Certificate
    corrected_on: date | None = None
    renewed_on: date | None = None


def share(db: Session, certificate: Certificate, days: int) -> str:
    """Make a link that is active for so many days, and return its token, which is stored nowhere.

    Raises DomainError `share_days` for a period that is not in `PERIODS`, and `share_many` when too many links are
    active already.
    """
    if days not in PERIODS:
        raise DomainError("share_days", N_("Choose 7, 30 or 90 days."))
    db.refresh(certificate, with_for_update=True)
    if certificate.erased_content is not None:
        raise NotFound
    if len(active_links(db, certificate)) >= MAX_LINKS:
        raise DomainError("share_many", N_("This certificate already has many active links. Withdraw one first."))
    token, now = crypto.token(), clock.now()
    link = ShareLink(
        token_hash=crypto.token_hash(token),
        certificate_id=certificate.id,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    db.add(link)
    db.flush()
    audit.record(db, "certificate.share", certificate, after={"link": link.id, "days": days})
    return token


def active_links(db: Session, certificate: Certificate) -> Sequence[ShareLink]:
    """Return the links that are active now, of this certificate and of those before and after it, the newest first."""
    statement = select(ShareLink).where(
        ShareLink.certificate_id.in_(renewal.chain_ids(certificate.id)),
        ShareLink.withdrawn_at.is_(None),
        ShareLink.expires_at > clock.now(),
    )
    return db.scalars(statement.order_by(ShareLink.id.desc())).all()


def withdraw(db: Session, certificate: Certificate, link_id: int) -> None:
    """End a link of this certificate, or of one before or after it, now. Withdrawing it again changes nothing.

    Raises NotFound.
    """
    statement = select(ShareLink).where(
        ShareLink.id == link_id, ShareLink.certificate_id.in_(renewal.chain_ids(certificate.id))
    )
    link = db.scalars(statement.with_for_update()).one_or_none()
    if link is None:
        raise NotFound
    if link.withdrawn_at is None:
        link.withdrawn_at = clock.now()
        audit.record(db, "certificate.unshare", certificate, after={"link": link.id})
        db.flush()


def open_link(db: Session, token: str) -> Shared:
    """Return what a link shows. Two statements.

    Raises DomainError `share_ended` (410) for a link that expired, was withdrawn or never existed, and where the holder's
    data was erased: the answers are the same.
    """
    link = db.scalars(select(ShareLink).where(ShareLink.token_hash == crypto.token_hash(token))).one_or_none()
    if link is None or link.withdrawn_at is not None or link.expires_at <= clock.now():
        raise _ended()
    chain = renewal.chain(db, link.certificate_id)
    newest = chain[-1].certificate
    if newest.erased_content is not None:
        raise _ended()
    # A page that was open during a correction may make a link for the former certificate: the link follows, too.
    later = [step for step in chain if step.certificate.id > link.certificate_id]
    return Shared(
        newest,
        corrected_on=max((step.certificate.issued_on for step in later if step.corrected), default=None),
        renewed_on=max((step.certificate.issued_on for step in later if not step.corrected), default=None),
    )


def _ended() -> DomainError:
    return DomainError(
        "share_ended", N_("This link no longer leads to a certificate. Ask its holder for a new one."), status=GONE
    )
