"""Links that a holder shares: each shows one certificate to anybody who has the link, expires, and can be withdrawn."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from certificates.models import Certificate, ShareLink
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError, NotFound

PERIODS = (7, 30, 90)  # days
MAX_LINKS = 20  # links of one certificate that are active at the same time
GONE = 410


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
    """Return the links of a certificate that are active now, the newest first."""
    statement = select(ShareLink).where(
        ShareLink.certificate_id == certificate.id,
        ShareLink.withdrawn_at.is_(None),
        ShareLink.expires_at > clock.now(),
    )
    return db.scalars(statement.order_by(ShareLink.id.desc())).all()


def withdraw(db: Session, certificate: Certificate, link_id: int) -> None:
    """End a link of this certificate now. Withdrawing it again changes nothing. Raises NotFound."""
    statement = select(ShareLink).where(ShareLink.id == link_id, ShareLink.certificate_id == certificate.id)
    link = db.scalars(statement.with_for_update()).one_or_none()
    if link is None:
        raise NotFound
    if link.withdrawn_at is None:
        link.withdrawn_at = clock.now()
        audit.record(db, "certificate.unshare", certificate, after={"link": link.id})
        db.flush()


def certificate_of(db: Session, token: str) -> Certificate:
    """Return the certificate of a link.

    Raises DomainError `share_ended` (410) for a link that expired, was withdrawn or never existed: the answers are the
    same.
    """
    statement = (
        select(ShareLink)
        .where(ShareLink.token_hash == crypto.token_hash(token))
        .options(joinedload(ShareLink.certificate))
    )
    link = db.scalars(statement).one_or_none()
    if link is None or link.withdrawn_at is not None or link.expires_at <= clock.now():
        raise DomainError(
            "share_ended",
            N_("This link no longer leads to a certificate. Ask its holder for a new one."),
            status=GONE,
        )
    return link.certificate
