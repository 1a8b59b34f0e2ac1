"""Open Badges 3.0: a certificate as a Verifiable Credential, which other programs read and verify without our server.

A Data Integrity proof of the suite `eddsa-rdfc-2022` does not sign the JSON but the RDF that the JSON means, in
canonical order. A general JSON-LD processor would derive the RDF from the published contexts. Our credential has one
shape, so `_TERMS` gives the meaning of each of its terms. A term that is not in the table is refused, so it is never
left unsigned. All nodes but one have an address, and a single blank node is always named `_:c14n0`: so the canonical
form is the sorted list of statements. Tests compare it with a JSON-LD processor that uses the published contexts, and
with verifiers that are not ours.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from certificates.rendering import CertificateDocument

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    # `credentialSchema` has a type that only this context defines.
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
SUITE = "eddsa-rdfc-2022"
LIST_BITS = 17  # a status list holds 2^17 certificates

Sign = Callable[[bytes], bytes]
Json = dict[str, Any]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"  # the multicodec prefix of an Ed25519 public key


def did_of(public_url: str) -> str:
    """Return the issuer's identifier: `did:web:` and the host; the colon before a port is written as %3A."""
    return f"did:web:{quote(urlsplit(public_url).netloc, safe='.-')}"


def multibase(raw: bytes) -> str:
    """Return the bytes in base58 with Bitcoin's alphabet, after the prefix z."""
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return "z" + _ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def multikey(public_key: bytes) -> str:
    """Return an Ed25519 public key (32 bytes) as a Multikey, z6Mk…"""
    return multibase(_ED25519 + public_key)


def verification_method(did: str, public_key: bytes) -> str:
    """Return the verification method of a key: did:web:HOST#z6Mk…"""
    return f"{did}#{multikey(public_key)}"


def did_document(public_url: str, badge_keys: Sequence[bytes], status_keys: Mapping[str, bytes]) -> Json:
    """Return the `did:web` document with every key whose signatures we trust; keys of status lists go by their names."""
    did = did_of(public_url)
    named = {verification_method(did, key): key for key in badge_keys} | {
        f"{did}#{kid}": key for kid, key in status_keys.items()
    }
    methods = [
        {"id": name, "type": "Multikey", "controller": did, "publicKeyMultibase": multikey(key)}
        for name, key in named.items()
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def profile(public_url: str, name_zh: str, name_en: str) -> Json:
    """Return the issuer as a badge names it."""
    return {"id": did_of(public_url), "type": ["Profile"], "name": f"{name_zh} {name_en}", "url": public_url}


@dataclass(frozen=True, slots=True)
class BadgeSubject:
    """The contents of a badge beside the texts of the certificate. `serial` is the position in the status lists."""

    document: CertificateDocument
    serial: int
    certificate_type: int
    public_url: str
    zone: ZoneInfo


def credential(subject: BadgeSubject) -> Json:
    """Return the credential without a proof. Its id is the address of the page that verifies the certificate."""
    subject = replace(subject, document=_without_controls(subject.document))
    document, public_url = subject.document, subject.public_url
    address = document.address_prefix + document.digits
    body: Json = {
        "@context": list(CONTEXTS),
        "id": address,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": " ".join(document.certified),
        "issuer": profile(public_url, document.organisation_zh, document.organisation_en),
        "validFrom": datetime.combine(document.issued_on, time(), subject.zone).isoformat(),
    }
    if document.valid_until is not None:
        end = datetime.combine(document.valid_until + timedelta(days=1), time(), subject.zone) - timedelta(seconds=1)
        body["validUntil"] = end.isoformat()
    body["credentialSubject"] = {
        "id": f"{address}#holder",
        "type": ["AchievementSubject"],
        # The name as printed, readable: the holder decides who gets the badge. Never an ID number, nor its hash.
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": document.holder,
                "identityType": "name",
            }
        ],
        "licenseNumber": document.number,
        "achievement": achievement(subject),
    }
    body["credentialSchema"] = [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}]
    # One status: Open Badges 3.0 and its schema allow no list. The page at the credential's id shows a replacement.
    body["credentialStatus"] = _status(subject, "revocation")
    return body


def _without_controls(document: CertificateDocument) -> CertificateDocument:
    """Replace control characters by spaces: canonicalisers write them in different ways, and no name contains one."""
    texts: Json = {field.name: getattr(document, field.name) for field in fields(document)}
    texts = {name: text.translate(_NO_CONTROLS) for name, text in texts.items() if isinstance(text, str)}
    return replace(document, **texts)


def achievement(subject: BadgeSubject) -> Json:
    """Return the achievement and its criteria, in both languages."""
    document = subject.document
    address = f"{subject.public_url}/badges/achievements/{subject.certificate_type}"
    hours = f"{document.certified_hours.normalize():f}"
    return {
        "id": address,
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": " ".join(document.certified),
        "description": (f"{document.programme_zh}，{hours} 学时。 {document.programme_en}, {hours} class hours."),
        "criteria": {"id": f"{address}#criteria", "narrative": criteria(*document.certified, hours)},
        "image": {
            "id": f"{subject.public_url}/badges/{document.digits}.png",
            "type": "Image",
            "caption": f"{document.programme_zh} {document.programme_en} {document.issued_on.year}",
        },
    }


def criteria(course_zh: str, course_en: str, hours: str) -> str:
    """Return the text of the criteria, in both languages."""
    return (
        f"完成“{course_zh}”全部 {hours} 学时的学习，出勤符合要求，课程规定的理论和技能考核均合格。\n\n"
        f"Completed all {hours} class hours of “{course_en}”, attended as required, and passed the theory and skills "
        "assessments that the course demands."
    )


def _status(subject: BadgeSubject, purpose: str) -> Json:
    number, place = subject.serial >> LIST_BITS, subject.serial & ((1 << LIST_BITS) - 1)
    listed = f"{subject.public_url}/status/{purpose}/{number}"
    return {
        "id": f"{listed}#{place}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(place),
        "statusListCredential": listed,
    }


def with_proof(body: Json, method: str, sign: Sign, made_at: datetime) -> Json:
    """Return the credential with its Data Integrity proof."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    hashed = hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(body)).digest()
    return body | {"proof": [options | {"proofValue": multibase(sign(hashed))}]}


def as_jwt(body: Json, method: str, sign: Sign) -> str:
    """Return the credential as a VC-JWT (Open Badges 3.0, section 8.2.4): its payload is the credential and the
    registered claims.
    """
    header = {"alg": "EdDSA", "typ": "JWT", "kid": method}
    claims = {
        "iss": body["issuer"]["id"],
        "sub": body["credentialSubject"]["id"],
        "jti": body["id"],
        "nbf": int(datetime.fromisoformat(body["validFrom"]).timestamp()),
    }
    if "validUntil" in body:
        claims["exp"] = int(datetime.fromisoformat(body["validUntil"]).timestamp())
    text = f"{_jwt_part(header)}.{_jwt_part(body | claims)}"
    return f"{text}.{base64.urlsafe_b64encode(sign(text.encode())).rstrip(b'=').decode()}"


def _jwt_part(value: Mapping[str, Any]) -> str:
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_W3 = "https://www.w3.org/2018/credentials#"
_STATUS = "https://www.w3.org/ns/credentials/status#"
_BADGE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
_SECURITY = "https://w3id.org/security#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_BADGE_XSD = "https://www.w3.org/2001/XMLSchema#"  # the badges' context writes https, so it is another address
_NODE = ""  # the value is another node, or its IRI
_TEXT = f"{_XSD}string"

# Term → the IRI of its meaning, and the kind of its value: a node, or a literal of a datatype.
_TERMS: dict[str, tuple[str, str]] = {
    "name": ("https://schema.org/name", _TEXT),
    "description": ("https://schema.org/description", _TEXT),
    "url": ("https://schema.org/url", f"{_BADGE_XSD}anyURI"),
    "caption": ("https://schema.org/caption", _TEXT),
    "issuer": (f"{_W3}issuer", _NODE),
    "validFrom": (f"{_W3}validFrom", f"{_XSD}dateTime"),
    "validUntil": (f"{_W3}validUntil", f"{_XSD}dateTime"),
    "credentialSubject": (f"{_W3}credentialSubject", _NODE),
    "credentialSchema": (f"{_W3}credentialSchema", _NODE),
    "credentialStatus": (f"{_W3}credentialStatus", _NODE),
    "statusPurpose": (f"{_STATUS}statusPurpose", _TEXT),
    "statusListIndex": (f"{_STATUS}statusListIndex", _TEXT),
    "statusListCredential": (f"{_STATUS}statusListCredential", _NODE),
    "identifier": (f"{_BADGE}identifier", _NODE),
    "hashed": (f"{_BADGE}hashed", f"{_BADGE_XSD}boolean"),
    "identityHash": (f"{_BADGE}identityHash", _TEXT),
    "identityType": (f"{_BADGE}identityType", _TEXT),
    "licenseNumber": (f"{_BADGE}licenseNumber", _TEXT),
    "achievement": (f"{_BADGE}achievement", _NODE),
    "achievementType": (f"{_BADGE}achievementType", _TEXT),
    "criteria": (f"{_BADGE}Criteria", _NODE),
    "narrative": (f"{_BADGE}narrative", _TEXT),
    "image": (f"{_BADGE}image", _NODE),
    "cryptosuite": (f"{_SECURITY}cryptosuite", f"{_SECURITY}cryptosuiteString"),
    "created": ("http://purl.org/dc/terms/created", f"{_XSD}dateTime"),
    "verificationMethod": (f"{_SECURITY}verificationMethod", _NODE),
    "proofPurpose": (f"{_SECURITY}proofPurpose", _NODE),
}
_TYPES = {
    "VerifiableCredential": f"{_W3}VerifiableCredential",
    "OpenBadgeCredential": f"{_BADGE}OpenBadgeCredential",
    "Profile": f"{_BADGE}Profile",
    "AchievementSubject": f"{_BADGE}AchievementSubject",
    "Achievement": f"{_BADGE}Achievement",
    "IdentityObject": f"{_BADGE}IdentityObject",
    "Image": f"{_BADGE}Image",
    "BitstringStatusListEntry": f"{_STATUS}BitstringStatusListEntry",
    "1EdTechJsonSchemaValidator2019": (
        "https://purl.imsglobal.org/spec/vccs/v1p0/context.json#1EdTechJsonSchemaValidator2019"
    ),
    "DataIntegrityProof": f"{_SECURITY}DataIntegrityProof",
    "assertionMethod": f"{_SECURITY}assertionMethod",
}
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    "\x7f": "\\u007F",
}
_ESCAPES |= {chr(code): f"\\u{code:04X}" for code in range(32) if chr(code) not in _ESCAPES}
_ESCAPED = str.maketrans(_ESCAPES)
_NO_CONTROLS = dict.fromkeys([*range(32), *range(0x7F, 0xA0)], " ")


def canonical(node: Mapping[str, Any]) -> bytes:
    """Return the RDF of a credential or of a proof's options, in the canonical form of RDFC-1.0.

    Raises KeyError for a term that is not in `_TERMS`, ValueError for more than one node without an address.
    """
    blank_nodes: list[str] = []
    statements = sorted(set(_statements(node, blank_nodes)))
    return "".join(statements).encode()


def _statements(node: Mapping[str, Any], blank_nodes: list[str]) -> Iterator[str]:
    yield from _of_node(_subject(node, blank_nodes), node, blank_nodes)


def _subject(node: Mapping[str, Any], blank_nodes: list[str]) -> str:
    if "id" in node:
        return f"<{node['id']}>"
    if blank_nodes:
        raise ValueError("a second node without an address: its name would depend on the others")
    blank_nodes.append("_:c14n0")
    return blank_nodes[0]


def _of_node(subject: str, node: Mapping[str, Any], blank_nodes: list[str]) -> Iterator[str]:
    for kind in _as_list(node.get("type", [])):
        yield f"{subject} <{_TYPE}> <{_TYPES[kind]}> .\n"
    for term, values in node.items():
        if term in {"@context", "id", "type"}:
            continue
        meaning, kind = _TERMS[term]
        for value in _as_list(values):
            if isinstance(value, Mapping):
                other = _subject(value, blank_nodes)
                yield f"{subject} <{meaning}> {other} .\n"
                yield from _of_node(other, value, blank_nodes)
            else:
                yield f"{subject} <{meaning}> {_object(value, kind)} .\n"


def _object(value: Any, kind: str) -> str:
    if kind == _NODE:
        return f"<{_TYPES.get(value, value)}>"
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    literal = f'"{text.translate(_ESCAPED)}"'
    return literal if kind == _TEXT else f"{literal}^^<{kind}>"


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
