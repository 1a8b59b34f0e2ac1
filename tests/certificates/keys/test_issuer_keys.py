"""The keys of badges and status lists change, and what the old ones signed is judged as it must be."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from sqlalchemy.orm import Session

from certificates import badges, credentials
from certificates.branch import Branch
from certificates.keys import issuer_keys
from certificates.keys.issuer_keys import Purpose
from certificates.keys.key_files import private_key_path
from certificates.models import Certificate, IssuerKey
from certificates.verification import offline, status_lists
from lms.core import clock
from lms.core.errors import DomainError

Issue = Callable[..., Certificate]
Run = Callable[..., str]


@pytest.fixture
def run(app: Flask, branch: Branch, db: Session, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `flask keys …` with the branch's keys folder; what it says."""
    db.commit()
    monkeypatch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update={"keys_dir": branch.keys_dir}))

    def ran(*arguments: str, code: int = 0) -> str:
        result = app.test_cli_runner().invoke(args=["keys", *arguments])
        assert result.exit_code == code, result.output
        db.expire_all()
        return result.output

    return ran


def badge_of(db: Session, branch: Branch, certificate: Certificate) -> str:
    badges.owe(db, certificate)
    badges.sign_owed(db, branch)
    signed_badge = badges.signed_badge(db, certificate)
    db.commit()
    assert signed_badge is not None
    return signed_badge.credential


def test_a_rotated_badge_key_stays_in_the_did_document(
    db: Session, branch: Branch, issue: Issue, run: Run, client: FlaskClient
) -> None:
    old = badge_of(db, branch, issue("张三丰"))
    assert "badge-2 is active" in run("rotate", "--for", "badge")
    new = badge_of(db, branch, issue("李四"))
    methods = [method_in(text) for text in (old, new)]
    assert methods[0] != methods[1]
    published = client.get("/.well-known/did.json").json
    assert published is not None
    assert set(methods) <= set(published["assertionMethod"])
    assert badges.signed_badge(db, issue("王五")) is None
    listed = run("list")
    assert "badge-1  retired" in listed
    assert "badge-2  active" in listed
    for text, kid in ((old, "badge-1"), (new, "badge-2")):
        key = db.get_one(IssuerKey, kid)
        assert OB3LdpVerifier(pem(key.public_key)).verify(text)


def test_a_rotated_status_key_still_verifies_the_lists_that_were_fetched(
    db: Session, branch: Branch, issue: Issue, run: Run, client: FlaskClient
) -> None:
    issue("张三丰")
    status_lists.sign_due(db, branch)
    db.commit()
    fetched = client.get("/status/revocation/0").text
    assert "status-2 is active" in run("rotate", "--for", "status")
    status_lists.sign_due(db, branch, anew=True)
    db.commit()
    keys = offline.read_keys(client.get("/.well-known/jwks.json").text).others
    assert set(keys) == {"status-1", "status-2"}
    for document in (fetched, client.get("/status/revocation/0").text):
        assert status_lists.read(document, keys).number == 0


def test_a_compromised_status_key_is_believed_no_more_and_lists_are_signed_anew_at_once(
    db: Session, branch: Branch, issue: Issue, run: Run, client: FlaskClient
) -> None:
    issue("张三丰")
    status_lists.sign_due(db, branch)
    db.commit()
    fetched = client.get("/status/revocation/0").text
    output = run("compromise", "status-1", "--at", (clock.now() - timedelta(hours=1)).isoformat())
    assert "2 status lists were signed anew" in output
    published = client.get("/.well-known/jwks.json").text
    assert next(key for key in json.loads(published)["keys"] if key["kid"] == "status-1")["state"] == "compromised"
    keys = offline.read_keys(published).others
    assert status_lists.read(client.get("/status/revocation/0").text, keys).number == 0
    with pytest.raises(DomainError, match="not a status list"):
        status_lists.read(fetched, keys)


def test_a_compromised_badge_key_leaves_the_did_document_and_its_badges_are_made_anew(
    db: Session, branch: Branch, issue: Issue, run: Run, client: FlaskClient
) -> None:
    certificate = issue("张三丰")
    old = badge_of(db, branch, certificate)
    output = run("compromise", "badge-1", "--at", (clock.now() - timedelta(hours=1)).isoformat())
    assert "1 badges are owed anew" in output
    assert badges.signed_badge(db, certificate) is None
    assert badges.sign_owed(db, branch) == 1
    db.commit()
    signed_badge = badges.signed_badge(db, certificate)
    assert signed_badge is not None
    published = client.get("/.well-known/did.json").json
    assert published is not None
    assert method_in(old) not in published["assertionMethod"]
    assert method_in(signed_badge.credential) in published["assertionMethod"]
    assert "badge-1  compromised" in run("list")


def test_a_retired_key_leaves_all_owed_until_another_is_made(
    db: Session, branch: Branch, issue: Issue, run: Run
) -> None:
    certificate = issue("张三丰")
    assert "no active key for badge" in run("retire", "--for", "badge", code=1)
    badge_of(db, branch, certificate)
    assert "badge-1 is retired" in run("retire", "--for", "badge")
    badges.owe(db, issue("李四"))
    with pytest.raises(DomainError) as refused:
        badges.sign_owed(db, branch)
    assert refused.value.code == "signing_key_none_of"
    db.commit()
    assert "badge-2 is active" in run("create", "--for", "badge")
    assert "already an active signing key" in run("create", "--for", "badge", code=1)
    assert badges.sign_owed(db, branch) == 1
    assert private_key_path(branch.keys_dir, "badge-2").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_is_refused(run: Run) -> None:
    assert "no signing key badge-9" in run("compromise", "badge-9", "--at", "2020-01-01", code=1)
    assert "write it as in" in run("compromise", "seal-1", "--at", "2020-01-01", code=2)
    run("create", "--for", "badge")
    assert "cannot be in the future" in run("compromise", "badge-1", "--at", "2999-01-01", code=1)


def test_said_again_only_the_earlier_moment_counts(db: Session, branch: Branch) -> None:
    issuer_keys.for_signing(db, branch.keys_dir, Purpose.BADGE)
    early, late = clock.now() - timedelta(days=2), clock.now() - timedelta(days=1)
    _key, successor, _owed = issuer_keys.compromise(db, branch.keys_dir, "badge-1", early)
    assert successor is not None
    key, successor, _owed = issuer_keys.compromise(db, branch.keys_dir, "badge-1", late)
    assert (key.compromised_at, successor) == (early, None)


def method_in(credential: str) -> str:
    [proof] = json.loads(credential)["proof"]
    method: str = proof["verificationMethod"]
    return method


def pem(public_key: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    assert credentials.multikey(public_key).startswith("z6Mk")
    return Ed25519PublicKey.from_public_bytes(public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
