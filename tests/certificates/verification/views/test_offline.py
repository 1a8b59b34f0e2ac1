"""The page of offline verification, its files and its worker: the same for everybody, one version at a time, in both languages."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.models import Certificate
from certificates.verification import status_lists, type_table
from lms.core import code_decoder


def release(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/verify/offline-worker.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/v"
    assert answer.headers["Cache-Control"] == "no-cache"
    told = re.match(r"const RELEASE = (.*);\n", answer.text)
    assert told
    return json.loads(told.group(1))  # type: ignore[no-any-return]


def test_the_worker_names_files_and_data_that_are_all_there(
    client: FlaskClient, db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    before = release(client)
    assert before["data"] == ["/.well-known/jwks.json", type_table.PATH]
    issue("张三丰")
    status_lists.sign_due(db, branch)
    type_table.sign_due(db, branch)
    db.commit()
    told = release(client)
    assert told["data"] == [*before["data"], "/status/revocation/0", "/status/superseded/0"]
    assert told["version"] != before["version"]
    bundle = client.get(f"{told['folder']}{told['bundle']}", buffered=True)
    assert "immutable" in bundle.headers["Cache-Control"]
    files = bundle.get_json()
    assert {"page.zh.html", "page.en.html", "offline.js", "decoding-worker.js", "verify.css"} <= set(files)
    for name, kept in files.items():
        answer = client.get(f"{told['folder']}{name}", buffered=True)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert ("wasm-unsafe-eval" in answer.headers["Content-Security-Policy"]) == (name == "decoding-worker.js")
        assert answer.text == kept["text"]
        assert kept["headers"] == {header: answer.headers[header] for header in kept["headers"]}
    for address in told["data"]:
        assert client.get(address).status_code == 200, address
    assert set(told["decoder"]["files"]) == set(code_decoder.FILES)
    assert client.get(f"{told['decoder']['folder']}zxing_reader.wasm", buffered=True).status_code == 200
    older = client.get("/verify/offline/older/offline.js", buffered=True)
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-cache")
    assert client.get(f"{told['folder']}session-worker.js").status_code == 404


@pytest.mark.parametrize(("language", "html", "words"), [("zh", "zh-Hans", "离线核验"), ("en", "en", "Verify offline")])
def test_the_page_is_in_the_language_that_was_asked_for_and_needs_only_its_own_files(
    client: FlaskClient, language: str, html: str, words: str
) -> None:
    told = release(client)
    page = client.get(f"/verify/offline?lang={language}")
    assert page.text == client.get(f"{told['folder']}page.{language}.html", buffered=True).text
    assert f'<html lang="{html}">' in page.text
    assert words in page.text
    named = set(re.findall(r'(?:src|href)="([^"?]+\.(?:js|css|svg))"', page.text))
    assert named == {f"{told['folder']}{name}" for name in ("offline.js", "verify.css", "icon.svg")}
    other = "en" if language == "zh" else "zh"
    assert f'href="?lang={other}"' in page.text
    assert client.get("/verify/offline").text == page.text  # the cookie remembers it


def test_the_page_of_a_scanned_code_is_small_and_whole_without_its_script(
    client: FlaskClient, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰")
    code = int.from_bytes(certificate.payload)
    answer = client.get(f"/v/{code:0198d}", buffered=True)
    assert len(answer.data) < 20_000
    assert certificate.number in answer.text
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script type="module" src="/static/verify_page.js">']
