"""The worker, the empty page and their files: the same for everybody, naming nobody, one version at a time."""

import gzip
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from courses.attendance.devices.views import offline_session
from lms.accounts.models import User
from lms.core import code_decoder
from lms.core.headers import CONTENT_SECURITY_POLICY
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def release(client: FlaskClient) -> dict[str, object]:
    answer = client.get("/sessions/worker.js")
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    told = re.match(r"const RELEASE = (.*);\n", answer.text)
    assert told
    return json.loads(told.group(1))  # type: ignore[no-any-return]


def test_the_worker_names_files_that_are_all_there_and_kept_for_good(client: FlaskClient) -> None:
    told = release(client)
    files = told["files"]
    assert isinstance(files, list)
    for name in files:
        answer = client.get(f"{told['folder']}{name}", buffered=True)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


def test_every_script_of_the_pages_and_what_it_imports_is_among_them(client: FlaskClient) -> None:
    told = release(client)
    files, folder = told["files"], str(told["folder"])
    assert isinstance(files, list)
    scripts: set[str] = set()
    for name in offline_session.PAGES:
        page = client.get(f"{folder}{name}.zh.html", buffered=True).text
        named = set(re.findall(r'(?:src|href)="([^"?]+\.(?:js|css|svg))"', page))
        named = {address.removeprefix(folder) for address in named}
        entries = {file for file in named if file.endswith(".js")}
        own = {"results.css"} if name == "results" else set()
        assert named - entries == {"bootstrap.min.css", "style.css", "session.css", "icon.svg"} | own
        assert "unsent.js" in entries
        scripts |= entries
    pending = set(scripts)
    while pending:
        script = client.get(f"{folder}{pending.pop()}", buffered=True)
        assert script.status_code == 200
        imported = set(re.findall(r'(?:from|import) "\./([^"]+)"', script.text)) - scripts
        scripts |= imported
        pending |= imported
    # All of them, and none that no page needs any more.
    assert {name for name in files if name.endswith(".js")} == scripts | {offline_session.DECODING_WORKER}


def test_the_worker_may_rule_the_whole_site_and_knows_each_page(client: FlaskClient) -> None:
    answer = client.get("/sessions/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    told = release(client)["files"]
    assert isinstance(told, list)
    for name in offline_session.PAGES:
        assert {f"{name}.zh.html", f"{name}.en.html"} <= set(told)
        assert f'"{name}"' in answer.text.split("\n", 1)[1]


@pytest.mark.parametrize(("language", "words"), [("zh", "签到名单"), ("en", "Roster")])
def test_the_empty_page_is_the_same_for_signed_in_users(
    client: FlaskClient, make: Make, sign_in: SignIn, language: str, words: str
) -> None:
    user = make.user(Role.INSTRUCTOR)
    address = f"{release(client)['folder']}roster.{language}.html"
    mine = sign_in(user).get(address, buffered=True).text
    assert mine == client.get(address, buffered=True).text
    assert words in mine
    assert user.name not in mine
    assert "csrf_token" not in mine


@pytest.mark.parametrize(("language", "short"), [("zh", "应急救护"), ("en", "First aid")])
def test_a_phone_can_install_the_page(
    client: FlaskClient, make: Make, sign_in: SignIn, language: str, short: str
) -> None:
    browser = sign_in(make.user(Role.INSTRUCTOR))
    page = browser.get(f"/account/?lang={language}").text
    address = re.search(r'<link rel="manifest" href="([^"]+)"', page)
    assert address
    answer = client.get(address.group(1), buffered=True)
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert manifest["short_name"] == short
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/today/", "/", "standalone")
    assert [(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]] == [
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    ]  # fmt: skip
    for icon in manifest["icons"]:
        picture = client.get(icon["src"], buffered=True)
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
    assert "manifest" not in client.get("/training/").text


def test_a_former_version_gets_the_present_file_uncached(client: FlaskClient) -> None:
    answer = client.get("/sessions/offline/older/roster.js", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/sessions/offline/older/settings.js").status_code == 404
    assert client.get("/sessions/offline/older/").status_code == 404


def test_the_decoder_lies_apart_from_the_release_and_is_kept_for_good(client: FlaskClient) -> None:
    told = release(client)
    decoder = told["decoder"]
    assert isinstance(decoder, dict)
    assert decoder["folder"] != told["folder"]
    assert f'data-decoder="{decoder["folder"]}"' in client.get(f"{told['folder']}roster.zh.html", buffered=True).text
    assert set(decoder["files"]) == set(code_decoder.FILES)
    for name in decoder["files"]:
        address = f"{decoder['folder']}{name}"
        plain = client.get(address, buffered=True)
        packed = client.get(address, buffered=True, headers={"Accept-Encoding": "br, gzip"})
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer.headers["Vary"]
            assert "immutable" in answer.headers["Cache-Control"]
        older = client.get(f"/sessions/offline/older/{name}", buffered=True)
        assert older.headers["Cache-Control"] == "no-cache"
    assert client.get(f"{decoder['folder']}zxing_reader.wasm").mimetype == "application/wasm"


def test_web_assembly_is_allowed_in_the_worker_that_decodes_and_nowhere_else(client: FlaskClient) -> None:
    told = release(client)
    files = told["files"]
    assert isinstance(files, list)
    for name in files:
        policy = client.get(f"{told['folder']}{name}", buffered=True).headers["Content-Security-Policy"]
        if name == offline_session.DECODING_WORKER:
            assert "script-src 'self' 'wasm-unsafe-eval';" in policy
            assert "'unsafe-eval'" not in policy
        else:
            assert policy == CONTENT_SECURITY_POLICY


def test_where_no_decoder_is_installed_the_page_offers_none(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_decoder, "installed", lambda: None)
    monkeypatch.delitem(app.extensions, offline_session.EXTENSION, raising=False)
    told = release(client)
    assert told["decoder"] is None
    assert 'data-decoder=""' in client.get(f"{told['folder']}roster.zh.html", buffered=True).text
    assert client.get("/sessions/offline/0/zxing_reader.js").status_code == 404
    del app.extensions[offline_session.EXTENSION]
