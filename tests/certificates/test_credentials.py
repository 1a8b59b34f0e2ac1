"""The badge as programs that are not ours read it: a JSON-LD processor with the published contexts, and openbadgeslib."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from openbadgeslib.ob3.contexts import document_loader
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from pyld import jsonld

from certificates import credentials
from certificates.credentials import BadgeSubject
from lms.config import ROOT
from tests.certificates.test_rendering import SAMPLE

HOST = "https://lms.example.org"
DID = "did:web:lms.example.org"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
METHOD = credentials.verification_method(DID, PUBLIC)
MOMENT = datetime(2026, 3, 6, 1, 2, 3, tzinfo=UTC)


def schema(name: str) -> Draft201909Validator:
    """As 1EdTech published it; `tests/schemas.sh` keeps it there."""
    schema_file = ROOT / f".venv/share/open-badges-schemas/ob_v3p0_{name}_schema.json"
    return Draft201909Validator(
        json.loads(schema_file.read_bytes()), format_checker=Draft201909Validator.FORMAT_CHECKER
    )


SCHEMA = schema("achievementcredential")
NOW_VALID = replace(SAMPLE, valid_until=date(2099, 3, 4))


def subject(**facts: Any) -> BadgeSubject:
    return BadgeSubject(replace(NOW_VALID, **facts), 300_000, 6, HOST, ZoneInfo("Asia/Shanghai"))


def web(url: str) -> bytes:
    """The internet of these tests: the issuer's own did:web document."""
    assert url == f"{HOST}/.well-known/did.json"
    return json.dumps(credentials.did_document(HOST, [PUBLIC], {})).encode()


def published(node: dict[str, Any]) -> bytes:
    """The canonical RDF of a document as a JSON-LD processor finds it with the published contexts."""
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": document_loader()}
    text: str = jsonld.normalize({"@context": list(credentials.CONTEXTS)} | node, options)
    return text.encode()


ODD = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


@given(holder=ODD, course=ODD, forever=st.booleans())
@settings(max_examples=40)
def test_what_is_signed_is_what_the_published_contexts_mean(holder: str, course: str, forever: bool) -> None:
    body = credentials.credential(
        subject(holder=holder, course_zh=course, valid_until=None if forever else date(2029, 3, 4))
    )
    assert credentials.canonical(body) == published(body)


def test_the_proof_covers_its_own_options_and_verifies_step_by_step() -> None:
    """The suite's algorithm, written again from its specification with the general processor."""
    secured = credentials.with_proof(credentials.credential(subject()), METHOD, KEY.sign, MOMENT)
    (proof,) = secured.pop("proof")
    signature = decoded(proof.pop("proofValue"))
    hashed = hashlib.sha256(published(proof)).digest() + hashlib.sha256(published(secured)).digest()
    KEY.public_key().verify(signature, hashed)
    assert proof["created"] == "2026-03-06T01:02:03Z"
    assert proof["verificationMethod"] == METHOD


def decoded(text: str) -> bytes:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in text.removeprefix("z"):
        number = number * 58 + alphabet.index(letter)
    return number.to_bytes(64, "big")


def test_a_term_whose_meaning_is_not_known_is_never_left_unsigned() -> None:
    body = credentials.credential(subject())
    with pytest.raises(KeyError):
        credentials.canonical(body | {"evidence": "photo"})
    with pytest.raises(ValueError, match="second node"):
        credentials.canonical(body | {"issuer": {"type": ["Profile"]}})


def test_openbadgeslib_verifies_the_badge_and_the_token_by_did_web() -> None:
    body = credentials.credential(subject())
    secured = credentials.with_proof(body, METHOD, KEY.sign, MOMENT)
    verification = OB3LdpVerifier.for_issuer_did(DID).verify(secured, download=web)
    assert verification.issuer.id == DID
    token = credentials.as_jwt(body, METHOD, KEY.sign)
    read = OB3Verifier.for_issuer_did(DID, download=web).verify(token)
    assert read.issuer.id == DID


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["credentialSubject"]["identifier"][0].update(identityHash="李四"),
        lambda body: body["credentialSubject"]["achievement"].update(name="师资"),
        lambda body: body.update(validUntil="2199-01-01T00:00:00+08:00"),
        lambda body: body["credentialStatus"].update(statusListIndex="1"),
        lambda body: body.pop("credentialStatus"),
        lambda body: body["proof"][0].update(created="2027-01-01T00:00:00Z"),
    ],
)
def test_openbadgeslib_refuses_any_change(change: Any) -> None:
    secured = json.loads(
        json.dumps(credentials.with_proof(credentials.credential(subject()), METHOD, KEY.sign, MOMENT))
    )
    change(secured)
    with pytest.raises(OB3VerificationError):
        OB3LdpVerifier.for_issuer_did(DID).verify(secured, download=web)


def test_openbadgeslib_refuses_an_expired_one_and_a_changed_token() -> None:
    body = credentials.credential(subject(valid_until=date(2026, 3, 7)))
    secured = credentials.with_proof(body, METHOD, KEY.sign, MOMENT)
    with pytest.raises(OB3VerificationError, match="expired"):
        OB3LdpVerifier.for_issuer_did(DID).verify(secured, download=web)
    head, payload, signature = credentials.as_jwt(credentials.credential(subject()), METHOD, KEY.sign).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["credentialSubject"]["identifier"][0]["identityHash"] = "李四"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(OB3VerificationError):
        OB3Verifier.for_issuer_did(DID, download=web).verify(f"{head}.{forged}.{signature}")


def test_it_says_what_the_paper_says_in_both_languages_and_points_at_the_status_lists() -> None:
    body = credentials.credential(subject())
    text = json.dumps(body, ensure_ascii=False)
    for fact in ("张小三", "BJ-FR-2026-0000123-C", SAMPLE.course_zh, SAMPLE.course_en, "16 学时", "16 class hours"):
        assert fact in text
    assert body["validFrom"] == "2026-03-05T00:00:00+08:00"
    assert body["validUntil"] == "2099-03-04T23:59:59+08:00"
    narrative = body["credentialSubject"]["achievement"]["criteria"]["narrative"]
    assert "考核均合格" in narrative
    assert "assessments" in narrative
    status = body["credentialStatus"]
    assert status["type"] == "BitstringStatusListEntry"
    assert status["statusPurpose"] == "revocation"
    assert status["statusListCredential"] == f"{HOST}/status/revocation/2"
    assert status["statusListIndex"] == str(300_000 - 2 * 131_072)


def claims_of(jwt: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
    return claims


def forms(**facts: Any) -> list[dict[str, Any]]:
    """A badge with its proof in it, and as the claims of a token."""
    body = credentials.credential(subject(**facts))
    return [
        credentials.with_proof(body, METHOD, KEY.sign, MOMENT),
        claims_of(credentials.as_jwt(body, METHOD, KEY.sign)),
    ]


@pytest.mark.parametrize("facts", [{}, {"valid_until": None}, {"holder": "䶮㛃", "course_en": "首席急救员"}])
def test_the_schema_of_1edtech_accepts_it(facts: dict[str, Any]) -> None:
    for form in forms(**facts):
        assert [error.message for error in SCHEMA.iter_errors(form)] == []


@pytest.mark.parametrize("left_out", ["issuer", "validFrom", "credentialSubject", "type", "@context", "id"])
def test_the_schema_of_1edtech_refuses_a_badge_without(left_out: str) -> None:
    for form in forms():
        del form[left_out]
        assert not SCHEMA.is_valid(form)


def test_the_schema_of_1edtech_accepts_the_issuer() -> None:
    profile = credentials.profile(HOST, "北京市红十字会", "Beijing Red Cross")
    assert [error.message for error in schema("profile").iter_errors(profile)] == []
    assert not schema("profile").is_valid({**profile, "url": 1})


def test_the_schema_of_1edtech_refuses_an_achievement_without_criteria() -> None:
    (form, _) = forms()
    del form["credentialSubject"]["achievement"]["criteria"]
    assert not SCHEMA.is_valid(form)


def test_the_issuer_is_named_by_host_and_port() -> None:
    assert credentials.did_of("https://lms.example.org") == DID
    assert credentials.did_of("http://127.0.0.1:8000") == "did:web:127.0.0.1%3A8000"
    assert METHOD.startswith(f"{DID}#z6Mk")
    document = credentials.did_document(HOST, [PUBLIC], {"status-1": bytes(32)})
    assert document["assertionMethod"] == [METHOD, f"{DID}#status-1"]
