"""A file that was encrypted with a passphrase is an age file that other programs open, always with the same work."""

import base64

import pyrage
import pytest

from lms.backup import passphrases

PASSPHRASE = "正确的 horse battery staple"


def test_age_opens_it_with_the_passphrase_alone() -> None:
    content = b"AGE-SECRET-KEY-1 and more" * 9
    sealed = passphrases.seal(content, PASSPHRASE)
    assert pyrage.passphrase.decrypt(sealed, PASSPHRASE) == content
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(sealed, f"{PASSPHRASE} ")
    binary = base64.b64decode(b"".join(sealed.splitlines()[1:-1]))
    assert binary.splitlines()[1].endswith(b" 18")


def test_more_than_a_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than one chunk"):
        passphrases.seal(bytes(passphrases.CHUNK_BYTES + 1), PASSPHRASE)
