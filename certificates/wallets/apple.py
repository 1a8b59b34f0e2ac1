"""Passes for Apple Wallet: a PKPASS, which is a ZIP with the description, its pictures, their digests and a signature.

The format is Apple's "Building a Pass" and "Pass" of Wallet Passes: `pass.json` describes the pass, `manifest.json` has the
SHA-1 of each other file, and `signature` is a detached PKCS #7 signature of the manifest, by the certificate of the pass type,
with Apple's intermediate certificate (WWDR) beside it. The pass type and the team stand in the subject of that certificate.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from certificates.wallets.contents import PassContents
from lms.config import ROOT, Settings
from lms.core import app_icon, clock
from lms.core.errors import N_, DomainError

MEDIA_TYPE = "application/vnd.apple.pkpass"
ICON = ROOT / "lms" / "static" / "icon.svg"
ICON_SIDE = 29  # points; a point is 1, 2 or 3 pixels
LOGO_SIDE = 50
_ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)

# Texts of the pass: English → Chinese. A phone in neither language shows the English.
_LABELS = {
    "First-aid certificate": "救护培训证书",
    "Holder": "姓名",
    "Course": "课程",
    "Last valid day": "有效期至",
    "does not expire": "长期有效",
    "Certificate number": "证书编号",
    "Issued by": "发证单位",
    "Issued on": "发证日期",
    "Renews certificate": "续期自证书",
    "Verification": "验证",
    "Anybody can scan the code to see the present state. A pass is not updated by itself.": (
        "任何人都可扫码查看证书的当前状态；卡片本身不会自动更新。"
    ),
}


@dataclass(frozen=True, slots=True)
class AppleKeys:
    """The certificate of the pass type with its private key, and Apple's intermediate certificate."""

    certificate: x509.Certificate
    private_key: RSAPrivateKey | EllipticCurvePrivateKey
    intermediate: x509.Certificate

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Read the files that the settings name, PEM or DER.

        Raises DomainError `wallet_keys_wrong`, which says what is wrong, when a file cannot be read, the key is not that of
        the certificate, or the certificate is not one of a pass type or is not valid now.
        """
        try:
            certificate = _certificate(settings.apple_pass_certificate_file)
            private_key = _private_key(settings.apple_pass_key_file)
            intermediate = _certificate(settings.apple_pass_wwdr_file)
        except (OSError, ValueError, TypeError) as error:
            raise _wrong(str(error)) from error
        if private_key.public_key() != certificate.public_key():
            raise _wrong("APPLE_PASS_KEY_FILE is not the key of APPLE_PASS_CERTIFICATE_FILE")
        if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
            raise _wrong("APPLE_PASS_CERTIFICATE_FILE is not valid today")
        if certificate.issuer != intermediate.subject:
            raise _wrong("APPLE_PASS_WWDR_FILE did not issue APPLE_PASS_CERTIFICATE_FILE")
        keys = cls(certificate, private_key, intermediate)
        if not keys.pass_type or not keys.team:
            raise _wrong("APPLE_PASS_CERTIFICATE_FILE names no pass type (UID) or team (OU)")
        return keys

    @property
    def pass_type(self) -> str:
        """The pass type identifier, as in pass.org.example.certificate."""
        return _attribute(self.certificate, NameOID.USER_ID)

    @property
    def team(self) -> str:
        """The team identifier of the branch at Apple."""
        return _attribute(self.certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)


def is_set(settings: Settings) -> bool:
    """Tell whether there are passes for this wallet."""
    return settings.apple_pass_certificate_file is not None


def pkpass(contents: PassContents, keys: AppleKeys, zone: ZoneInfo) -> bytes:
    """Return the file of a pass."""
    files = {"pass.json": _json(description(contents, keys, zone))}
    for name, side in (("icon", ICON_SIDE), ("logo", LOGO_SIDE)):
        for scale, suffix in ((1, ""), (2, "@2x"), (3, "@3x")):
            files[f"{name}{suffix}.png"] = app_icon.png(ICON, side * scale)
    chinese = _chinese(contents)
    files["en.lproj/pass.strings"] = _strings({english: english for english in chinese})
    files["zh-Hans.lproj/pass.strings"] = _strings(chinese)
    # SHA-1 is what the format demands; the signature over the manifest is by SHA-256.
    digests = {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    files["manifest.json"] = _json(digests)
    files["signature"] = _signature(files["manifest.json"], keys)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_MOMENT), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def description(contents: PassContents, keys: AppleKeys, zone: ZoneInfo) -> dict[str, Any]:
    """Return `pass.json`."""
    last_day: dict[str, Any] = {"key": "until", "label": "Last valid day", "value": "does not expire"}
    body: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": keys.pass_type,
        "teamIdentifier": keys.team,
        "serialNumber": contents.key,
        "organizationName": contents.organisation_en,
        "description": "First-aid certificate",
        "logoText": "First-aid certificate",
        "foregroundColor": "rgb(255, 255, 255)",
        "labelColor": "rgb(255, 230, 230)",
        "backgroundColor": "rgb(179, 22, 29)",
        "barcodes": [
            {
                "format": "PKBarcodeFormatQR",
                "message": contents.address,
                "messageEncoding": "iso-8859-1",
                "altText": contents.number,
            }
        ],
    }
    if contents.valid_until is not None:
        last_day |= _day(contents.valid_until, zone)
        body["expirationDate"] = _start(contents.valid_until + timedelta(days=1), zone).isoformat()
    if not contents.in_force:
        body["voided"] = True
    body["generic"] = {
        "primaryFields": [{"key": "holder", "label": "Holder", "value": _holder(contents)}],
        "secondaryFields": [{"key": "course", "label": "Course", "value": contents.course_en}],
        "auxiliaryFields": [last_day, {"key": "number", "label": "Certificate number", "value": contents.number}],
        "backFields": [
            {"key": "unit", "label": "Issued by", "value": contents.unit_en},
            {"key": "issued", "label": "Issued on", **_day(contents.issued_on, zone)},
            *([{"key": "renews", "label": "Renews certificate", "value": contents.renews}] if contents.renews else []),
            {"key": "verify", "label": "Verification", "value": tuple(_LABELS)[-1]},
        ],
    }
    return body


def _holder(contents: PassContents) -> str:
    return f"{contents.holder} {contents.second_name}" if contents.second_name else contents.holder


def _chinese(contents: PassContents) -> dict[str, str]:
    """The Chinese for each text of the pass that is in English."""
    return _LABELS | {
        contents.course_en: contents.course_zh,
        contents.unit_en: contents.unit_zh,
        contents.organisation_en: contents.organisation_zh,
    }


def _strings(texts: Mapping[str, str]) -> bytes:
    lines = (
        f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(text, ensure_ascii=False)};"
        for key, text in texts.items()
    )
    return ("\n".join(lines) + "\n").encode()


def _signature(manifest: bytes, keys: AppleKeys) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(keys.certificate, keys.private_key, hashes.SHA256()).add_certificate(keys.intermediate)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return builder.sign(serialization.Encoding.DER, options)


def _day(day: date, zone: ZoneInfo) -> dict[str, Any]:
    """A day as a field shows it: the same day wherever the phone is."""
    return {"value": _start(day, zone).isoformat(), "dateStyle": "PKDateStyleLong", "ignoresTimeZone": True}


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    return next((str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)), "")


def _certificate(path: Path | None) -> x509.Certificate:
    content = _content(path)
    return (
        x509.load_pem_x509_certificate(content) if b"-----BEGIN" in content else x509.load_der_x509_certificate(content)
    )


def _private_key(path: Path | None) -> RSAPrivateKey | EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(_content(path), None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError("APPLE_PASS_KEY_FILE is of another kind")  # noqa: TRY004  # what the file holds, not what was passed
    return key


def _content(path: Path | None) -> bytes:
    if path is None:
        raise ValueError("a file is not set")
    return path.read_bytes()


def _wrong(why: str) -> DomainError:
    return DomainError("wallet_keys_wrong", N_("No pass for Apple Wallet can be signed: %(why)s."), why=why)
