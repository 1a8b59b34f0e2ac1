"""A pass for Apple Wallet, opened and verified by programs that are not ours: zipfile, hashlib and OpenSSL."""

import hashlib
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.wallets import apple, passes
from certificates.wallets.apple import AppleKeys
from certificates.wallets.contents import PassContents
from lms.config import Settings
from lms.core import clock
from lms.core.errors import DomainError
from tests.certificates.wallets import keys
from tests.certificates.wallets.keys import PASS_TYPE, TEAM, WalletFiles

ZONE = ZoneInfo("Asia/Shanghai")
LEGIBLE = re.compile(r'^"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)";$')


@pytest.fixture
def contents(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> PassContents:
    return passes.contents_of(db, issue("张三丰"), branch)


def opened(pkpass: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pkpass)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def openssl(folder: Path, files: dict[str, bytes], root: Path) -> subprocess.CompletedProcess[str]:
    """Let OpenSSL verify the detached signature of the manifest, trusting the root alone."""
    for name in ("manifest.json", "signature"):
        (folder / name).write_bytes(files[name])
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "signature",
        "-content",
        "manifest.json",
    ]
    return subprocess.run(
        [*command, "-CAfile", str(root), "-purpose", "any", "-out", "verified"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_pass_is_whole_and_signed(wallet_files: WalletFiles, contents: PassContents, tmp_path: Path) -> None:
    files = opened(apple.pkpass(contents, AppleKeys.load(wallet_files.settings), ZONE))
    manifest = json.loads(files["manifest.json"])
    listed = set(files) - {"manifest.json", "signature"}
    assert manifest == {name: hashlib.sha1(files[name]).hexdigest() for name in listed}  # as Apple demands
    assert {"pass.json", "icon.png", "icon@2x.png", "icon@3x.png", "logo.png"} <= listed
    sides = [Image.open(io.BytesIO(files[f"icon{scale}.png"])).size for scale in ("", "@2x", "@3x")]
    assert sides == [(29, 29), (58, 58), (87, 87)]
    verified = openssl(tmp_path, files, wallet_files.root)
    assert verified.returncode == 0, verified.stderr
    assert (tmp_path / "verified").read_bytes() == files["manifest.json"]

    changed = files | {"manifest.json": files["manifest.json"].replace(b"pass.json", b"pass.jsom")}
    assert openssl(tmp_path, changed, wallet_files.root).returncode != 0
    stranger = keys.make(wallet_files.settings, tmp_path / "stranger")
    assert openssl(tmp_path, files, stranger.root).returncode != 0


def test_the_description_is_as_apple_documents_it(wallet_files: WalletFiles, contents: PassContents) -> None:
    loaded = AppleKeys.load(wallet_files.settings)
    files = opened(apple.pkpass(contents, loaded, ZONE))
    body = json.loads(files["pass.json"])
    assert (body["formatVersion"], body["passTypeIdentifier"], body["teamIdentifier"]) == (1, PASS_TYPE, TEAM)
    assert (body["serialNumber"], body["organizationName"]) == (contents.number, contents.organisation_en)
    [barcode] = body["barcodes"]
    assert (barcode["format"], barcode["messageEncoding"]) == ("PKBarcodeFormatQR", "iso-8859-1")
    assert barcode["message"] == contents.address
    assert contents.valid_until is not None
    end = datetime.fromisoformat(body["expirationDate"])
    assert (clock.day_of(end, ZONE) - contents.valid_until).days == 1, "the last valid day is valid to its end"
    assert "voided" not in body
    fields = [field for group in body["generic"].values() for field in group]
    assert len({field["key"] for field in fields}) == len(fields)
    assert all(re.fullmatch(r"rgb\(\d+, \d+, \d+\)", body[name]) for name in ("backgroundColor", "foregroundColor"))

    texts = {}
    for language in ("en", "zh-Hans"):
        lines = files[f"{language}.lproj/pass.strings"].decode().splitlines()
        texts[language] = {match[1]: match[2] for line in lines if (match := LEGIBLE.match(line))}
        assert len(texts[language]) == len(lines)
    assert texts["zh-Hans"][contents.course_en] == contents.course_zh
    assert {field["label"] for field in fields} | {body["description"]} <= set(texts["en"]) == set(texts["zh-Hans"])

    gone = apple.description(
        replace(contents, in_force=False, valid_until=None, second_name="Zhang Sanfeng"), loaded, ZONE
    )
    assert gone["voided"] is True
    assert "expirationDate" not in gone
    renewed = apple.description(replace(contents, renews="BJ-1"), loaded, ZONE)["generic"]["backFields"]
    assert [field["value"] for field in renewed if field["key"] == "renews"] == ["BJ-1"]
    assert "renews" not in [field["key"] for field in gone["generic"]["backFields"]]
    assert gone["generic"]["primaryFields"][0]["value"] == "张三丰 Zhang Sanfeng"


def test_wrong_keys_are_named_and_sign_nothing(settings: Settings, wallet_files: WalletFiles, tmp_path: Path) -> None:
    expired = keys.make(settings, tmp_path / "expired", days=-1).settings
    other = keys.make(settings, tmp_path / "other").settings
    good = wallet_files.settings
    wrong = (
        (expired, "not valid today"),
        (good.model_copy(update={"apple_pass_key_file": other.apple_pass_key_file}), "is not the key"),
        (good.model_copy(update={"apple_pass_wwdr_file": wallet_files.root}), "did not issue"),
        (good.model_copy(update={"apple_pass_key_file": tmp_path / "nothing"}), "No such file"),
        (good.model_copy(update={"apple_pass_certificate_file": other.apple_pass_key_file}), "PEM|certificate"),
        (
            good.model_copy(
                update={
                    "apple_pass_certificate_file": good.apple_pass_wwdr_file,
                    "apple_pass_wwdr_file": wallet_files.root,
                }
            ),
            "is not the key",
        ),
    )
    for case, why in wrong:
        with pytest.raises(DomainError, match=why) as refused:
            AppleKeys.load(case)
        assert refused.value.code == "wallet_keys_wrong"


def test_the_code_is_the_one_of_the_paper(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> None:
    certificate = issue("李四")
    address = passes.contents_of(db, certificate, branch).address
    assert address == f"{branch.public_url}/v/{digits_of(certificate.payload)}"
