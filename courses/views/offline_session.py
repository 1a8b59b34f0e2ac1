"""What a session page needs to work without a network: a service worker, an empty page, and their scripts and styles.

Nothing here says anything of anybody: what the worker keeps, any visitor may fetch. The page is filled from what the device
keeps of the roster (masked names). Files are answered under a folder that is named by their contents, so that a browser never
mixes two versions.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from courses.views.attendance import REASONS
from lms.core.access import public
from lms.core.errors import NotFound
from lms.core.languages import LANGUAGES

blueprint = Blueprint("offline_session", __name__)

SCRIPTS = ("roster.js", "scan.js", "skills.js", "outbox.js", "outbox_store.js", "unsent.js")
FILES = (*SCRIPTS, "style.css", "icon.svg")
BOOTSTRAP = "bootstrap.min.css"
WORKER = "session-worker.js"
EXTENSION = "session_release"
LETTERS = 16
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Release:
    """The files that belong together, and the empty page in each language. `version`: a hash of them all."""

    version: str
    pages: dict[str, str]

    @property
    def folder(self) -> str:
        """Where these files are found."""
        return _folder(self.version)


@blueprint.get("/offline/<version>/<name>")
@public
def file(version: str, name: str) -> ResponseReturnValue:
    """One file of a version, which is then kept for good; a version that is gone is answered with what there is now."""
    release = _release()
    language = name.removesuffix(".html")
    if name == BOOTSTRAP:
        response = send_from_directory(current_app.blueprints["bootstrap"].static_folder or "", f"css/{BOOTSTRAP}")
    elif name in FILES:
        response = current_app.send_static_file(name)
    elif name.endswith(".html") and language in release.pages:
        response = Response(release.pages[language], mimetype="text/html")
    else:
        raise NotFound
    response.headers["Cache-Control"] = FOR_EVER if version == release.version else "no-cache"
    return response


@blueprint.get("/worker.js")
@public
def worker() -> ResponseReturnValue:
    """Here and not among the static files: a service worker rules only addresses beside its own."""
    release = _release()
    files = [*(f"{language}.html" for language in LANGUAGES), BOOTSTRAP, *FILES]
    told = {"version": release.version, "folder": release.folder, "files": files}
    text = f"const RELEASE = {json.dumps(told)};\n{(_static() / WORKER).read_text(encoding='utf-8')}"
    return Response(text, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


def folder() -> str:
    """Where the present version's files are found; for templates."""
    return _release().folder


def _release() -> Release:
    """Made when first asked for, once in a process: the files change only with an installation."""
    found: Release | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = _made()
    return found


def _made() -> Release:
    digest = hashlib.sha256()
    for name in (*FILES, WORKER):
        digest.update((_static() / name).read_bytes())
    # The pages name their own version, so it is taken from what they are without it.
    for language in LANGUAGES:
        digest.update(_page(language, "0").encode())
    version = digest.hexdigest()[:LETTERS]
    return Release(version, {language: _page(language, version) for language in LANGUAGES})


def _page(language: str, version: str) -> str:
    with force_locale(language):
        return render_template("attendance/shell.html", nobody=True, files=_folder(version), reasons=REASONS)


def _folder(version: str) -> str:
    return url_for("offline_session.file", version=version, name=BOOTSTRAP).removesuffix(BOOTSTRAP)


def _static() -> Path:
    return Path(current_app.static_folder or "")


blueprint.add_app_template_global(folder, "session_files")
