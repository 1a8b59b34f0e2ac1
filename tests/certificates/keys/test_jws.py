"""Documents signed with a status key."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.keys import jws, key_files

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {"status-1": key_files.public_bytes(KEY)}


def test_a_signed_document_is_read() -> None:
    document = jws.signed({"a": "甲"}, "test+jwt", "did:web:example.org#status-1", KEY.sign)
    assert jws.read(document, PUBLIC) == jws.Signed("status-1", {"a": "甲"})
    assert json.loads(jws.unbase64(document.split(".")[0]))["typ"] == "test+jwt"


@pytest.mark.parametrize("kid", ["did:web:example.org#status-2", "did:web:example.org#badge-1", "status-9"])
def test_a_key_that_is_not_ours_or_for_something_else_is_refused(kid: str) -> None:
    document = jws.signed({}, "test+jwt", kid, KEY.sign)
    with pytest.raises(ValueError, match="status key"):
        jws.read(document, PUBLIC | {"badge-1": PUBLIC["status-1"]})


@pytest.mark.parametrize("text", ["", "a.b.c", "..", "e30.e30.", "e30.W10.AAAA", "é.é.é"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever of it is wrong
        jws.read(text, PUBLIC)


def test_an_altered_document_is_refused() -> None:
    head, _body, signature = jws.signed({"a": 1}, "test+jwt", "x#status-1", KEY.sign).split(".")
    with pytest.raises(ValueError, match="status key"):
        jws.read(".".join([head, jws.base64url(b'{"a":2}'), signature]), PUBLIC)
