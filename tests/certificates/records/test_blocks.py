"""The signed statement of a block."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.keys import jws, key_files
from certificates.records import blocks
from certificates.records.blocks import Claims
from certificates.records.canonical import Boundary

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {"status-1": key_files.public_bytes(KEY)}
CLAIMS = Claims(
    table="audit_entry", number=2, begin=Boundary(4, "9"), end=Boundary(8), columns=("transaction_number", "id"), count=3,
    digest=bytes(32), previous=bytes(range(32)), leaves=blocks.hash_of(b"x"),
    sealed_at=datetime(2026, 3, 1, 12, 0, 0, 5, UTC), kid="status-1",
)  # fmt: skip


def test_a_statement_is_read_as_it_was_signed() -> None:
    assert blocks.read(blocks.document(CLAIMS, "https://example.org", KEY.sign), PUBLIC) == CLAIMS


def test_a_statement_holds_no_row() -> None:
    document = blocks.document(CLAIMS, "https://example.org", KEY.sign)
    assert set(jws.read(document, PUBLIC).claims) == {
        "iss", "iat", "table", "number", "from", "to", "columns", "count", "digest", "previous", "leaves", "sealedAt",
    }  # fmt: skip


def test_a_statement_of_another_key_is_refused() -> None:
    document = blocks.document(replace(CLAIMS, kid="status-2"), "https://example.org", KEY.sign)
    with pytest.raises(ValueError, match="status key"):
        blocks.read(document, PUBLIC)


def test_another_document_of_the_key_is_no_statement() -> None:
    with pytest.raises(ValueError, match="statement"):
        blocks.read(jws.signed({"table": "audit_entry"}, "vc+jwt", "x#status-1", KEY.sign), PUBLIC)
