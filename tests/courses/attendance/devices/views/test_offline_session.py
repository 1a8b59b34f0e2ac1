"""The worker, the empty page and their files: the same for everybody, naming nobody, one version at a time."""

import json
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from lms.accounts.models import User
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


def test_every_script_of_the_page_and_what_it_imports_is_among_them(client: FlaskClient) -> None:
    told = release(client)
    files = told["files"]
    assert isinstance(files, list)
    page = client.get(f"{told['folder']}zh.html", buffered=True).text
    wanted = set(re.findall(r'(?:src|href)="([^"?]+\.(?:js|css|svg))"', page))
    assert wanted == {f"{told['folder']}{one}" for one in ("roster.js", "scan.js", "skills.js", "unsent.js",
                                                           "bootstrap.min.css", "style.css", "icon.svg")}  # fmt: skip
    scripts = {address.removeprefix(str(told["folder"])) for address in wanted if address.endswith(".js")}
    pending = set(scripts)
    while pending:
        script = client.get(f"{told['folder']}{pending.pop()}", buffered=True)
        assert script.status_code == 200
        imported = set(re.findall(r'(?:from|import) "\./([^"]+)"', script.text)) - scripts
        scripts |= imported
        pending |= imported
    # All of them, and none that no page needs any more.
    assert {name for name in files if name.endswith(".js")} == scripts


@pytest.mark.parametrize(("language", "words"), [("zh", "名册"), ("en", "Roster")])
def test_the_empty_page_is_the_same_for_signed_in_users(
    client: FlaskClient, make: Make, sign_in: SignIn, language: str, words: str
) -> None:
    user = make.user(Role.INSTRUCTOR)
    address = f"{release(client)['folder']}{language}.html"
    mine = sign_in(user).get(address, buffered=True).text
    assert mine == client.get(address, buffered=True).text
    assert words in mine
    assert user.name not in mine
    assert "csrf_token" not in mine


def test_a_former_version_gets_the_present_file_uncached(client: FlaskClient) -> None:
    answer = client.get("/sessions/offline/older/roster.js", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/sessions/offline/older/settings.js").status_code == 404
    assert client.get("/sessions/offline/older/").status_code == 404
