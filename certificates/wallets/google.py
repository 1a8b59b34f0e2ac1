"""Passes for Google Wallet: a signed token in a link to Google, which saves the pass when its reader agrees.

The format is Google's "Save to Google Wallet" JWT with a generic pass, signed by the key of a service account (RS256). The
token holds what the pass says, so opening the link tells it to Google.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certificates.keys.jws import base64url
from certificates.wallets.contents import PassContents
from certificates.wallets.models import Wallet
from lms.config import Settings
from lms.core import clock
from lms.core.errors import N_, DomainError

SAVE_ADDRESS = "https://pay.google.com/gp/v/save/"
CLASS = "certificate"
COLOUR = "#b3161d"
LABELS = {"zh": "有效期至", "en": "Last valid day"}
ID_DIGITS = 20


@dataclass(frozen=True, slots=True)
class GoogleKeys:
    """The branch as an issuer of Google Wallet: its number, and the service account that signs for it."""

    issuer_id: str
    account: str
    key_id: str
    private_key: RSAPrivateKey

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Read the key file of the service account, JSON as Google hands it out.

        Raises DomainError `wallet_keys_wrong`, which says what is wrong.
        """
        try:
            content = json.loads(_content(settings.google_wallet_key_file))
            private_key = load_pem_private_key(content["private_key"].encode(), None)
            account, key_id = str(content["client_email"]), str(content["private_key_id"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _wrong(f"GOOGLE_WALLET_KEY_FILE: {type(error).__name__} {error}") from error
        if not isinstance(private_key, RSAPrivateKey) or settings.google_wallet_issuer_id is None:
            raise _wrong("GOOGLE_WALLET_KEY_FILE is of another kind")
        return cls(settings.google_wallet_issuer_id, account, key_id, private_key)


def is_set(settings: Settings) -> bool:
    """Tell whether there are passes for this wallet."""
    return settings.google_wallet_issuer_id is not None


def tokens(contents: PassContents, keys: GoogleKeys) -> bytes:
    """Return the token of a pass in each language, as JSON; the link is `SAVE_ADDRESS` and a token.

    Google calls 1,800 characters safe, so each token has one language, no picture, and no text that is not needed.
    """
    return json.dumps({language: _token(contents, keys, language) for language in LABELS}).encode()


def save_address(stored: bytes, language: str) -> str:
    """Return the link to Google of what `tokens` gave."""
    return SAVE_ADDRESS + str(json.loads(stored)[language])


def generic_object(contents: PassContents, keys: GoogleKeys, language: str) -> dict[str, Any]:
    """Return the pass as Google's GenericObject."""
    chinese = language == "zh"
    end: dict[str, Any] = {}
    if contents.valid_until is not None:
        end["textModulesData"] = [{"header": LABELS[language], "body": contents.valid_until.isoformat()}]
        end["validTimeInterval"] = {"end": {"date": f"{contents.valid_until}T23:59:59"}}
    name = f"{contents.holder} {contents.second_name}" if contents.second_name else contents.holder
    return {
        # Google keeps the pass that it has of an id, so what says something else has another one.
        "id": f"{keys.issuer_id}.{contents.digest(Wallet.GOOGLE).hex()[:ID_DIGITS]}",
        "classId": _class_id(keys),
        "cardTitle": _text(contents.organisation_zh if chinese else contents.organisation_en, language),
        "subheader": _text(contents.course_zh if chinese else contents.course_en, language),
        "header": _text(name, language),
        "hexBackgroundColor": COLOUR,
        "barcode": {"type": "QR_CODE", "value": contents.address, "alternateText": contents.number},
        **end,
        **({} if contents.in_force else {"state": "INACTIVE"}),  # without a state it is active
    }


def _token(contents: PassContents, keys: GoogleKeys, language: str) -> str:
    claims = {
        "iss": keys.account,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(clock.now().timestamp()),
        "payload": {
            "genericClasses": [{"id": _class_id(keys)}],
            "genericObjects": [generic_object(contents, keys, language)],
        },
    }
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': keys.key_id})}.{_part(claims)}"
    signature = keys.private_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64url(signature)}"


def _class_id(keys: GoogleKeys) -> str:
    return f"{keys.issuer_id}.{CLASS}"


def _text(value: str, language: str) -> dict[str, Any]:
    return {"defaultValue": {"language": language, "value": value}}


def _part(value: Mapping[str, Any]) -> str:
    return base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _content(path: Path | None) -> bytes:
    if path is None:
        raise ValueError("a file is not set")
    return path.read_bytes()


def _wrong(why: str) -> DomainError:
    return DomainError("wallet_keys_wrong", N_("No pass for Google Wallet can be signed: %(why)s."), why=why)
