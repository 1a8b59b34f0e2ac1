"""Codes of an authenticator app (TOTP, RFC 6238): 6 digits, a new code each 30 seconds, from a secret that both sides hold."""

import base64
import hmac
from datetime import datetime
from typing import Final

import pyotp
from qrcode import constants
from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode
from sqlalchemy.orm import Session

from lms.accounts.models import TOTP_SECRET, Totp, User
from lms.core import clock, crypto

DIGITS: Final = 6
STEP_SECONDS: Final = 30
# The clocks of phones differ from the server's: the code before and the code after are accepted too.
TOLERANCE: Final = 1
_MASK = 6
_PENDING = "totp.pending"


def new_secret() -> str:
    """A random secret of 160 bits in base 32, as authenticator apps take it."""
    return pyotp.random_base32()


def seal_pending(user: User, secret: str) -> str:
    """A secret that is not set up yet, encrypted for its user, as the form of the set-up carries it."""
    return crypto.cipher().seal(_PENDING, user.ref, secret.encode()).hex()


def open_pending(user: User, sealed: str) -> str | None:
    """The secret that `seal_pending` encrypted; None for any other text, and for another user's."""
    try:
        return crypto.cipher().open(_PENDING, user.ref, bytes.fromhex(sealed)).decode()
    except Exception:  # the library refuses an altered text with errors of several kinds
        return None


def app_address(secret: str, account: str, issuer: str) -> str:
    """The address (`otpauth://`) that an authenticator app opens or scans. account, issuer: what the app shows."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def picture(address: str) -> str:
    """The QR code of an address, as the address of an SVG picture that holds it (`data:`)."""
    code = QRCode(error_correction=constants.ERROR_CORRECT_M, image_factory=SvgPathImage, mask_pattern=_MASK)
    code.add_data(address)
    code.make(fit=True)
    content: bytes = code.make_image().to_string()
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """The number of the 30 seconds for which the secret gives this code, near a moment; None if there is none."""
    generator = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    present = int(moment.timestamp()) // STEP_SECONDS
    steps = range(present - TOLERANCE, present + TOLERANCE + 1)
    matching = [step for step in steps if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode())]
    return matching[-1] if matching else None


def set_up(db: Session, user: User, secret: str, step: int) -> Totp:
    """Store a secret, of which the app has shown the code of a step. It takes the place of an earlier one."""
    row = db.get(Totp, user.id) or Totp(user_id=user.id)
    row.secret_sealed = crypto.cipher().encrypt(TOTP_SECRET, user.ref, secret)
    row.last_step, row.created_at, row.used_at = step, clock.now(), None
    db.add(row)
    db.flush()
    return row


def accept(db: Session, user: User, code: str) -> bool:
    """Accept a code of the user's app, once. False for a wrong code, and for one of a step already accepted or before it."""
    row = db.get(Totp, user.id, with_for_update=True, populate_existing=True)
    if row is None:
        return False
    now = clock.now()
    step = matching_step(crypto.cipher().decrypt(TOTP_SECRET, user.ref, row.secret_sealed), code, now)
    if step is None or step <= row.last_step:
        return False
    row.last_step, row.used_at = step, now
    db.flush()
    return True
