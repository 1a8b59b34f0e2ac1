"""Badges are owed, signed once by whoever has the key, and kept; the issuer's keys are published."""

import json
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.ob3.verifier import OB3Verifier
from PIL import Image
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from certificates import badges, credentials, revocation
from certificates.branch import Branch
from certificates.events import BadgeOwed
from certificates.keys import issuer_keys, key_files
from certificates.keys.issuer_keys import Purpose
from certificates.models import Badge, Certificate, IssuerKey
from lms.core.errors import DomainError

Issue = Callable[..., Certificate]


def public_pem(db: Session) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    row = issuer_keys.public_keys(db)[-1]
    return Ed25519PublicKey.from_public_bytes(row.public_key).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def test_a_badge_is_owed_once_signed_once_and_kept(db: Session, branch: Branch, issue: Issue) -> None:
    certificate = issue("张三丰")
    assert badges.owe(db, certificate)
    assert not badges.owe(db, certificate)
    assert db.info["events"] == [BadgeOwed()]
    assert badges.signed_badge(db, certificate) is None
    assert badges.sign_owed(db, branch) == 1
    assert badges.sign_owed(db, branch) == 0
    signed_badge = badges.signed_badge(db, certificate)
    assert signed_badge is not None
    assert not badges.owe(db, certificate)
    assert badges.signed_badge(db, certificate) == signed_badge
    assert OB3LdpVerifier(public_pem(db)).verify(signed_badge.credential)
    assert OB3Verifier(public_pem(db)).verify(signed_badge.token)
    assert "张三丰" in signed_badge.credential


def test_a_revoked_certificate_gets_no_badge(db: Session, issue: Issue) -> None:
    certificate = issue()
    revocation.revoke(db, certificate, "发错人")
    with pytest.raises(DomainError) as refused:
        badges.owe(db, certificate)
    assert refused.value.code == "badge_not_made"


def test_without_the_key_all_stays_owed(db: Session, branch: Branch, issue: Issue) -> None:
    first, second = issue("张三"), issue("李四")
    badges.owe(db, first)
    assert badges.sign_owed(db, branch) == 1
    badges.owe(db, second)
    file = key_files.private_key_path(branch.keys_dir, "badge-1")
    moved = file.rename(file.with_suffix(".away"))
    with pytest.raises(DomainError) as refused:
        badges.sign_owed(db, branch)
    assert refused.value.code == "signing_key_missing"
    moved.rename(file)
    assert badges.sign_owed(db, branch) == 1


def test_another_key_in_the_file_is_noticed(db: Session, branch: Branch, tmp_path: Path) -> None:
    issuer_keys.for_signing(db, branch.keys_dir, Purpose.BADGE)
    key_files.create(tmp_path / "other", "badge-1")
    with pytest.raises(DomainError) as refused:
        issuer_keys.for_signing(db, tmp_path / "other", Purpose.BADGE)
    assert refused.value.code == "signing_key_mismatch"


def test_workers_that_need_the_first_key_at_once_make_one(fresh_database: str, tmp_path: Path) -> None:
    engine = create_engine(fresh_database)

    def need(_worker: int) -> str:
        with Session(engine) as db:
            row, private = issuer_keys.for_signing(db, tmp_path, Purpose.BADGE)
            assert key_files.public_bytes(private) == row.public_key
            db.commit()
            return row.kid

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(need, range(12))) == {"badge-1"}
    with Session(engine) as db:
        assert db.scalar(select(func.count()).select_from(IssuerKey)) == 1
    engine.dispose()


def test_a_row_locked_by_one_worker_is_left_to_it(
    db: Session, branch: Branch, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(badges, "CHUNK", 2)
    for name in ("张三", "李四", "王五"):
        badges.owe(db, issue(name))
    assert [badges.sign_owed(db, branch) for _ in range(3)] == [2, 1, 0]
    signed_badge = db.scalars(select(Badge.token)).all()
    assert len(set(signed_badge)) == 3


def test_the_picture_carries_the_badge_and_stays_a_picture(db: Session, branch: Branch, issue: Issue) -> None:
    certificate = issue("䶮㛃𠅤")
    badges.owe(db, certificate)
    badges.sign_owed(db, branch)
    signed_badge = badges.signed_badge(db, certificate)
    assert signed_badge is not None
    plain = badges.image(certificate, branch)
    for content in (signed_badge.credential, signed_badge.token):
        png = badges.bake(plain, content)
        assert OB3Verifier.extract_token_from_png(png) == content
        assert chunks(png)[:2] == [b"IHDR", b"iTXt"]
        assert Image.open(BytesIO(png)).tobytes() == Image.open(BytesIO(plain)).tobytes()


def chunks(png: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + body)
        found.append(kind)
        at += 12 + length
    return found


def test_the_did_web_document_names_each_key(db: Session, branch: Branch, issue: Issue) -> None:
    badges.owe(db, issue())
    badges.sign_owed(db, branch)
    secured = json.loads(db.scalars(select(Badge.credential)).one() or "")
    document = badges.did_document(db, branch)
    assert secured["proof"][0]["verificationMethod"] in document["assertionMethod"]
    assert secured["issuer"]["id"] == document["id"] == "did:web:127.0.0.1%3A8000"


def test_a_badge_has_no_id_number_nor_anything_made_of_it(db: Session, branch: Branch, issue: Issue) -> None:
    from courses.models.trainees import IdType

    certificate = issue()
    certificate.enrolment.trainee.set_id_number(IdType.RESIDENT, "11010519491231002X")
    db.flush()
    before = credentials.credential(badges.badge_subject(certificate, branch))
    certificate.enrolment.trainee.set_id_number(None, None)
    assert credentials.credential(badges.badge_subject(certificate, branch)) == before
    assert replace(badges.badge_subject(certificate, branch)).document.holder in json.dumps(before, ensure_ascii=False)
