"""What a session page needs to work without a network: a service worker, an empty page, and their scripts and styles.

Nothing here says anything of anybody: what the worker keeps, any visitor may fetch. The page is filled from what the device
keeps of the roster (masked names). Files are answered under a folder that is named by their contents, so that a browser never
mixes two versions.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from courses.attendance.views.attendance import REASONS
from lms.core.access import public
from lms.core.errors import NotFound
from lms.core.languages import LANGUAGES

blueprint = Blueprint("offline_session", __name__)

SCRIPTS = ("roster.js", "scan.js", "skills.js", "unsent.js", "outbox.js", "rosters.js", "device.js", "outbox_store.js")
FILES = (*SCRIPTS, "style.css", "icon.svg")
TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
BOOTSTRAP = "bootstrap.min.css"
WORKER = "session-worker.js"
EXTENSION = "session_release"
LETTERS = 16
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Release:
    """The files that belong together, by name, as they were when this process first looked; an update changes them on the disk
    before the process is started anew. `version`: a hash of them all.
    """

    version: str
    files: Mapping[str, bytes]

    @property
    def folder(self) -> str:
        """Where these files are found."""
        return _folder(self.version)


@blueprint.get("/offline/<version>/<name>")
@public
def file(version: str, name: str) -> ResponseReturnValue:
    """One file of a version, which is then kept for good; a version that is gone is answered with what there is now."""
    release = _release()
    if name not in release.files or name == WORKER:
        raise NotFound
    response = Response(release.files[name], mimetype=TYPES[name.rpartition(".")[2]])
    response.headers["Cache-Control"] = FOR_EVER if version == release.version else "no-cache"
    return response


@blueprint.get("/worker.js")
@public
def worker() -> ResponseReturnValue:
    """Here and not among the static files: a service worker rules only addresses beside its own."""
    release = _release()
    names = [name for name in release.files if name != WORKER]
    told = {"version": release.version, "folder": release.folder, "files": names}
    text = f"const RELEASE = {json.dumps(told)};\n{release.files[WORKER].decode()}"
    return Response(text, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


def folder() -> str:
    """Where the present version's files are found; for templates."""
    return _release().folder


def _release() -> Release:
    found: Release | None = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = _made()
    return found


def _made() -> Release:
    static = Path(current_app.static_folder or "")
    files = {name: (static / name).read_bytes() for name in (*FILES, WORKER)}
    bootstrap = Path(current_app.blueprints["bootstrap"].static_folder or "")
    files[BOOTSTRAP] = (bootstrap / "css" / BOOTSTRAP).read_bytes()
    # The pages name their own version, so it is taken from what they are without it.
    digest = hashlib.sha256()
    for content in (*files.values(), *(_page(language, "0") for language in LANGUAGES)):
        digest.update(content)
    version = digest.hexdigest()[:LETTERS]
    return Release(version, files | {f"{language}.html": _page(language, version) for language in LANGUAGES})


def _page(language: str, version: str) -> bytes:
    with force_locale(language):
        page = render_template("attendance/shell.html", nobody=True, files=_folder(version), reasons=REASONS)
    return page.encode()


def _folder(version: str) -> str:
    return url_for("offline_session.file", version=version, name=BOOTSTRAP).removesuffix(BOOTSTRAP)


blueprint.add_app_template_global(folder, "session_files")
