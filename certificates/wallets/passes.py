"""Passes of certificates for the wallets of phones: owed when the holder asks, signed by the worker, then served as stored.

Only the worker may read the branch's keys, so the web never signs. A pass that no longer says what the certificate says (it was
revoked, or the second writing of the name changed), or was signed more than a day ago, is owed again.
"""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates import renewal
from certificates.branch import Branch
from certificates.events import WalletPassOwed
from certificates.models import Certificate
from certificates.wallets import apple, contents, google
from certificates.wallets.contents import PassContents
from certificates.wallets.models import Wallet, WalletPass
from lms.config import Settings
from lms.core import clock, events
from lms.core.errors import DomainError, NotFound

log = structlog.get_logger(__name__)

CHUNK = 20
LIVES = timedelta(days=1)  # then it is signed anew, by the certificate that the branch has then
MAX_WAIT = 4.0  # seconds; a download waits so long for the worker
_POLL_INTERVAL = 0.1

Sign = Callable[[PassContents], bytes]


def offered(settings: Settings) -> frozenset[Wallet]:
    """Return the wallets whose settings are there."""
    is_set = {Wallet.APPLE: apple.is_set(settings), Wallet.GOOGLE: google.is_set(settings)}
    return frozenset(wallet for wallet, there in is_set.items() if there)


def owe(db: Session, certificate: Certificate, wallet: Wallet, settings: Settings) -> bool:
    """Record that the pass of a certificate is owed; False when it was already, and still says what the certificate says.

    The caller commits, then the worker signs. Raises NotFound for a wallet that is not offered, and for a certificate whose
    holder was erased.
    """
    if wallet not in offered(settings) or certificate.erased_content is not None:
        raise NotFound
    digest = contents_of(db, certificate, Branch.of(settings)).digest(wallet)
    of_wallet = (WalletPass.certificate_id == certificate.id, WalletPass.wallet == wallet)
    stale = or_(WalletPass.digest != digest, WalletPass.made_at < clock.now() - LIVES)
    db.execute(delete(WalletPass).where(*of_wallet, stale))
    added = db.scalar(
        insert(WalletPass)
        .values(certificate_id=certificate.id, wallet=wallet, digest=digest, owed_at=clock.now())
        .on_conflict_do_nothing()
        .returning(WalletPass.certificate_id)
    )
    if added is None:
        return False
    events.publish(db, WalletPassOwed())
    return True


def signed(db: Session, certificate: Certificate, wallet: Wallet, *, max_wait: float = 0.0) -> bytes | None:
    """Return the pass once the worker has signed it; None when that takes longer than `max_wait` seconds."""
    statement = select(WalletPass.content).where(
        WalletPass.certificate_id == certificate.id, WalletPass.wallet == wallet, WalletPass.made_at.is_not(None)
    )
    until = monotonic() + max_wait
    while (content := db.scalar(statement)) is None and monotonic() < until:
        sleep(_POLL_INTERVAL)
    return content


def sign_owed(db: Session, settings: Settings) -> int:
    """Sign at most one chunk of owed passes that no other worker holds, and return their number. For the worker alone.

    The passes of a wallet whose keys are wrong stay owed, and the log says why.
    """
    signers = _signers(settings)
    rows = db.execute(
        select(WalletPass, Certificate)
        .join(Certificate, Certificate.id == WalletPass.certificate_id)
        .where(WalletPass.made_at.is_(None), WalletPass.wallet.in_(signers))
        .order_by(WalletPass.owed_at)
        .limit(CHUNK)
        .with_for_update(of=WalletPass, skip_locked=True)
    ).all()
    for wallet_pass, certificate in rows:
        says = contents_of(db, certificate, Branch.of(settings))
        wallet_pass.digest = says.digest(wallet_pass.wallet)
        wallet_pass.content = signers[wallet_pass.wallet](says)
        wallet_pass.made_at = clock.now()
    db.flush()
    if rows:
        log.info("wallet_passes_signed", count=len(rows))
    return len(rows)


def contents_of(db: Session, certificate: Certificate, branch: Branch) -> PassContents:
    """Return what the pass of a certificate says now."""
    links = renewal.chain(db, certificate.id)
    number = links[0].certificate.number
    return contents.of_certificate(certificate, number, branch, renews=renewal.renewed_number(db, certificate, links))


def _signers(settings: Settings) -> dict[Wallet, Sign]:
    makers: dict[Wallet, Callable[[Settings], Sign]] = {Wallet.APPLE: _apple, Wallet.GOOGLE: _google}
    signers = {}
    for wallet in offered(settings):
        try:
            signers[wallet] = makers[wallet](settings)
        except DomainError as error:
            log.critical("wallet_passes_wait_for_key", path=wallet.value, code=error.code, error=str(error))
    return signers


def _apple(settings: Settings) -> Sign:
    keys = apple.AppleKeys.load(settings)
    return lambda says: apple.pkpass(says, keys, settings.zone)


def _google(settings: Settings) -> Sign:
    keys = google.GoogleKeys.load(settings)
    return lambda says: google.tokens(says, keys)
