"""Sealed at rest: a dump of the database holds nothing that lets its reader in, and no contact or ID number."""

import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, create_engine
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import sealed_columns
from lms.core.db import Base
from lms.core.sealed_columns import SealedColumn
from lms.embedded.postgres import program_folder
from tests import sealed_world

# Binary columns that are no ciphertext and no blind index, and why each may stand as it is.
NO_CIPHERTEXT = {
    "browser_session.token_hash": "hash", "known_browser.token_hash": "hash", "device.token_hash": "hash",
    "password_reset.token_hash": "hash", "instructor_invitation.token_hash": "hash", "share_link.token_hash": "hash",
    "list_check.token_hash": "hash",
    "check_in_claim.token_hash": "hash", "check_in_claim.browser_hash": "hash", "passkey_challenge.token_hash": "hash",
    "enrolment.ticket_hash": "hash", "enrolment_key.form_hash": "hash of a random key with what was sent",
    "training_request.form_hash": "hash of a random key with what was sent",
    "class_message.form_hash": "hash of a random key with what was sent",
    "certificate_picture.content": "a seal or logo that every certificate shows",
    "contact_check.link_hash": "hash", "recovery_code.code_hash": "slow hash",
    "contact_check.code_hash": "keyed hash of a code that lives ten minutes; compared under every key",
    "passkey.credential_id": "public", "passkey.public_key": "public", "passkey_challenge.challenge": "public, used once",
    "signing_key.public_key": "public", "issuer_key.public_key": "public",
    "certificate.payload": "what the QR code of the paper holds",
    "certificate.erased_content": "hash",
    "wallet_pass.digest": "hash",
    "wallet_pass.content": "what its holder downloads: the facts of the certificate, which stand beside it, and a signature",
    "ledger_entry.payload_hash": "hash", "ledger_entry.previous_hash": "hash", "ledger_entry.hash": "hash",
    "record_block.leaves": "hash",
    "record_block.previous_digest": "hash",
    "record_block.digest": "hash",
    "opening_source.file": "a published statistic, which administrators and auditors may open",
}  # fmt: skip


def sealed_columns_and_indexes() -> set[str]:
    places = [sealed for places in sealed_columns.by_table().values() for sealed in places]
    columns = [place for place in places if isinstance(place, SealedColumn)]
    return {f"{place.table}.{name}" for place in columns for name in (place.column, place.index) if name}


@pytest.mark.usefixtures("app")
def test_each_binary_column_is_sealed_or_named_here() -> None:
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary - sealed_columns_and_indexes() == set(NO_CIPHERTEXT)
    assert sealed_columns_and_indexes() <= binary


def test_a_dump_holds_no_secret_and_no_contact(
    app: Flask, settings: Settings, fresh_database: str, tmp_path: Path
) -> None:
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        world = sealed_world.build(db, settings)
        ticket = world.enrolment.ticket
    engine.dispose()
    address = fresh_database.replace("postgresql+psycopg://", "postgresql://")
    file = tmp_path / "dump.sql"
    command = [program_folder() / "pg_dump", "--data-only", "--file", file, address]
    subprocess.run(command, check=True, stderr=subprocess.PIPE)  # it warns of circular foreign keys
    dump = file.read_text(encoding="utf-8")
    binary = b"\n".join(bytes.fromhex(digits) for digits in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", dump))
    known = {
        ticket,
        "Wang.City@example.org",
        "given@example.org",
        sealed_world.ID_NUMBER,
        sealed_world.LEGACY_ID_NUMBER,
    }
    assert world.secrets >= known | set(world.recovery_codes)
    assert len(world.secrets) > 50
    found = sorted(secret for secret in world.secrets if _stands_in(secret, dump) or secret.encode() in binary)
    assert found == []
    assert not re.search(r"(?<![0-9A-Za-z-])1[3-9]\d{9}(?![0-9A-Za-z-])", dump)
    assert set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+", dump)) == set()


def _stands_in(secret: str, dump: str) -> bool:
    """Short codes may be a part of other digits; everything else must not stand anywhere."""
    return bool(re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", dump)) if len(secret) < 8 else secret in dump
