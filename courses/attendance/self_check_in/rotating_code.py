"""The rotating code on an instructor's screen, by which a trainee shows that they are in the room now.

A code is the HMAC of its step. A step is ten seconds, counted from the epoch by the server's clock alone. The codes of the
current step and of the one before are accepted, so an accepted code was first shown less than 20 seconds ago.
"""

import base64
import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta

STEP = timedelta(seconds=10)
ACCEPTED_STEPS = 2
KEY_BYTES = 32
CODE_BYTES = 12  # 96 bits: a million guesses find none, and the address still fits a small QR code
CODE_LENGTH = CODE_BYTES * 4 // 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_key() -> bytes:
    """Make a random key for one session."""
    return os.urandom(KEY_BYTES)


def step_of(moment: datetime) -> int:
    """The step in which a moment lies; a step contains its first instant and not its end. Exact, because no float is used."""
    return (moment - _EPOCH) // STEP


def begins(step: int) -> datetime:
    """The first instant of a step."""
    return _EPOCH + step * STEP


def code(key: bytes, session_id: int, step: int) -> str:
    """The code of a session in a step: 16 characters of the URL-safe base64 alphabet."""
    message = f"check-in\0{session_id}\0{step}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)[:CODE_BYTES]).decode()


def accepts(key: bytes, session_id: int, sent: str, now: datetime) -> bool:
    """Return whether the sent code is that of the current step or the one before. Each comparison takes constant time."""
    sent_bytes, step = sent.encode(errors="replace"), step_of(now)
    matches = [
        hmac.compare_digest(code(key, session_id, step - back).encode(), sent_bytes) for back in range(ACCEPTED_STEPS)
    ]
    return any(matches)
