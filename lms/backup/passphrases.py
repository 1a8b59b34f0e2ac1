"""A short text encrypted with a passphrase, as an age file in ASCII armour (https://age-encryption.org/v1).

pyrage does this too, but it measures the machine to choose the work factor: on a busy one it chose 2^22, which takes
20 s and 4 GB. Here the factor is fixed at 2^18, as the program `age` has it: a second and 256 MB. pyrage opens it.
"""

import base64
import hashlib
import hmac
import os
import textwrap

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ARMOUR_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----\n"
ARMOUR_END = b"-----END AGE ENCRYPTED FILE-----\n"
WORK_FACTOR = 18  # the binary logarithm of scrypt's N
CHUNK_BYTES = 64 * 1024  # a longer content would need several chunks
_BLOCK_SIZE = 8  # scrypt's r
_MEMORY = 2 * 128 * _BLOCK_SIZE * 2**WORK_FACTOR
_LINE = 64
_FIRST_AND_LAST = bytes(11) + b"\x01"  # the nonce of a chunk: its number, and 1 for the last


def seal(content: bytes, passphrase: str) -> bytes:
    """Encrypt at most `CHUNK_BYTES` with a passphrase."""
    if len(content) > CHUNK_BYTES:
        raise ValueError("the content is longer than one chunk")
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    wrap_key = hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=2**WORK_FACTOR,
        r=_BLOCK_SIZE,
        p=1,
        maxmem=_MEMORY,
        dklen=32,
    )
    wrapped = ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, None)
    header = f"age-encryption.org/v1\n-> scrypt {_base64(salt)} {WORK_FACTOR}\n{_base64(wrapped)}\n---".encode()
    mac = hmac.digest(_derive(file_key, None, b"header"), header, hashlib.sha256)
    payload = ChaCha20Poly1305(_derive(file_key, nonce, b"payload")).encrypt(_FIRST_AND_LAST, content, None)
    return _armoured(header + f" {_base64(mac)}\n".encode() + nonce + payload)


def _derive(key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).rstrip(b"=").decode()


def _armoured(content: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(content).decode(), _LINE)
    return ARMOUR_BEGIN + "".join(f"{line}\n" for line in lines).encode() + ARMOUR_END
