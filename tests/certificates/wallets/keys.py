"""Keys as a branch gets them of Apple and Google, made by an authority of the test."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from lms.config import Settings
from lms.core import clock

PASS_TYPE, TEAM, ISSUER = "pass.org.example.certificate", "A1B2C3D4E5", "3388000000012345678"
ACCOUNT, KEY_ID = "wallet-signer@branch-123456.iam.gserviceaccount.com", "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class WalletFiles:
    """The files and the settings that name them; `root` is the authority whom a verifier trusts."""

    settings: Settings
    root: Path
    google_key: rsa.RSAPublicKey


def _name(common: str, **attributes: str) -> x509.Name:
    names = [x509.NameAttribute(getattr(NameOID, oid), value) for oid, value in attributes.items()]
    return x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    signer: rsa.RSAPrivateKey,
    *,
    authority: bool,
    days: int,
) -> bytes:
    now = clock.now()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=400))
    builder = builder.not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make(settings: Settings, folder: Path, *, days: int = 365) -> WalletFiles:
    """Write the files. days: for how long the pass certificate holds."""
    root_key, middle_key, pass_key, google_key = (rsa.generate_private_key(65537, 2048) for _ in range(4))
    root, middle = _name("Test Root CA"), _name("Test WWDR G4")
    subject = _name(f"Pass Type ID: {PASS_TYPE}", USER_ID=PASS_TYPE, ORGANIZATIONAL_UNIT_NAME=TEAM)
    files = {
        "root.pem": _certificate(root, root_key, root, root_key, authority=True, days=3650),
        "wwdr.pem": _certificate(middle, middle_key, root, root_key, authority=True, days=3650),
        "pass.pem": _certificate(subject, pass_key, middle, middle_key, authority=False, days=days),
        "pass.key": _pem(pass_key),
        "google.json": json.dumps(
            {
                "type": "service_account",
                "private_key_id": KEY_ID,
                "private_key": _pem(google_key).decode(),
                "client_email": ACCOUNT,
            }
        ).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    named = {
        "apple_pass_certificate_file": folder / "pass.pem",
        "apple_pass_key_file": folder / "pass.key",
        "apple_pass_wwdr_file": folder / "wwdr.pem",
        "google_wallet_issuer_id": ISSUER,
        "google_wallet_key_file": folder / "google.json",
    }
    return WalletFiles(settings.model_copy(update=named), folder / "root.pem", google_key.public_key())
