"""Published keys: names, windows and the JSON Web Key Set."""

import base64
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from certificates.keys.public_keys import PublicKey, jwks, qr_kid
from certificates.models import KeyState


@pytest.mark.parametrize("number", [-1, 256])
def test_a_qr_key_number_is_one_byte(number: int) -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        qr_kid(number)


def test_the_published_set() -> None:
    moment = datetime(2027, 1, 1, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    old = PublicKey(1, "qr-1", bytes(32), date(2026, 1, 1), date(2026, 12, 31), KeyState.COMPROMISED, moment)
    new = PublicKey(2, "qr-2", bytes(range(32)), date(2027, 1, 1), date(2027, 12, 31), KeyState.ACTIVE)
    first, second = json.loads(json.dumps(jwks([new, old])))["keys"]
    assert (first["kid"], first["state"]) == ("qr-1", "compromised")
    assert first["compromised_at"] == "2026-12-31T23:30:00Z"
    assert datetime.fromisoformat(first["compromised_at"]) == moment.astimezone(UTC)
    assert second == {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": "qr-2",
        "x": base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("="),
        "not_before": "2027-01-01",
        "not_after": "2027-12-31",
        "state": "active",
    }


def test_a_window_includes_both_of_its_days() -> None:
    key = PublicKey(1, "qr-1", bytes(32), date(2026, 1, 1), date(2026, 12, 31), KeyState.ACTIVE)
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [key.covers(day) for day in days] == [False, True, True, False]
