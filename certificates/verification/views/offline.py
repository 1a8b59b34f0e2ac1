"""The page that verifies in the browser without a network, and the service worker that keeps it there.

The worker rules each address that begins with `/v`, so that a code that is scanned without a network (`/v/<digits>`) is
answered by this page. The page is the same for everybody, and the files that belong together have a folder whose name is a
hash of their contents, so that a browser never mixes files of two releases.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from certificates.states import STATE_LABELS
from certificates.verification import status_lists, type_table
from certificates.verification.status_lists import StatusPurpose
from certificates.verification.views.verification import private
from courses.attendance.devices.views.offline_session import DECODING_POLICY, DECODING_WORKER, TYPES, decoder_folder
from lms.core import code_decoder
from lms.core.access import public
from lms.core.errors import NotFound
from lms.core.headers import CONTENT_SECURITY_POLICY, cacheable
from lms.core.languages import LANGUAGES, language
from lms.core.limits import limiter
from lms.core.request_db import autocommit_reads

blueprint = Blueprint("offline", __name__)

PAGES = "60/minute"
SCOPE = "/v"
KEYS = "/.well-known/jwks.json"
# Each script of the page, and each script that one of them imports.
SCRIPTS = (
    "camera.js", "certificate_types.js", "code_reader.js", "frames.js", "keep_offline.js", "names.js", "offline.js",
    "offline_data.js", "offline_scan.js", "offline_verification.js", "reading.js", "times.js",
)  # fmt: skip
FILES = (*SCRIPTS, DECODING_WORKER, "verify.css", "icon.svg")
BUNDLE = "bundle.json"
EXTENSION = "verification_releases"
VERSION_LENGTH = 16
CACHED_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class OfflineRelease:
    """The files that belong together, by name. version: the start of a hash of their contents. lists: of each purpose."""

    version: str
    lists: int
    files: Mapping[str, bytes]

    @cached_property
    def bundle(self) -> str:
        """All files with their headers as one document, because whoever scans one code should not ask for each of them."""
        return json.dumps(
            {name: {"headers": _headers(name), "text": text.decode()} for name, text in self.files.items()},
            ensure_ascii=False,
        )


@blueprint.get("/verify/offline")
@public
@limiter.limit(PAGES)
def page() -> ResponseReturnValue:
    """Show the page, which contains nothing about the visitor."""
    return private(Response(_release().files[f"page.{language()}.html"], mimetype="text/html"))


@blueprint.get("/verify/offline/<version>/<name>")
@public
@cacheable
def file(version: str, name: str) -> ResponseReturnValue:
    """Serve one file of a release, which browsers cache for good; for another version, the present file without caching."""
    release = _release()
    if name == BUNDLE:
        response = Response(release.bundle, mimetype="application/json")
    elif name in release.files:
        response = Response(release.files[name])
        response.headers.update(_headers(name))
    else:
        raise NotFound
    response.headers["Cache-Control"] = CACHED_FOR_GOOD if version == release.version else "no-cache"
    return response


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Type": f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8",
        "Content-Security-Policy": DECODING_POLICY if name == DECODING_WORKER else CONTENT_SECURITY_POLICY,
    }


@blueprint.get("/verify/offline-worker.js")
@public
@limiter.limit(PAGES)
@cacheable
def worker() -> Response:
    """Serve the service worker, and allow it to rule the addresses of scanned codes."""
    release = _release()
    data = [KEYS, type_table.PATH] + [
        url_for("status.signed_list", purpose=purpose.value, number=number)
        for number in range(release.lists)
        for purpose in StatusPurpose
    ]
    decoder = {"folder": decoder_folder(), "files": list(code_decoder.FILES)} if decoder_folder() else None
    facts = {
        "version": release.version,
        "folder": _folder(release.version),
        "bundle": BUNDLE,
        "data": data,
        "decoder": decoder,
    }
    text = (Path(current_app.static_folder or "") / "offline-worker.js").read_text(encoding="utf-8")
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": SCOPE}
    return Response(f"const RELEASE = {json.dumps(facts)};\n{text}", mimetype="text/javascript", headers=headers)


def _release() -> OfflineRelease:
    """The files of this process: read once for each number of status lists, which grows with the certificates."""
    releases: dict[int, OfflineRelease] = current_app.extensions.setdefault(EXTENSION, {})
    lists = status_lists.count(autocommit_reads())
    if lists not in releases:
        releases[lists] = _read_release(lists)
    return releases[lists]


def _read_release(lists: int) -> OfflineRelease:
    static = Path(current_app.static_folder or "")
    files = {name: (static / name).read_bytes() for name in FILES}
    # The pages contain the version, so the hash is taken of the pages with a "0" in its place.
    digest = hashlib.sha256()
    for content in (*files.values(), *dict(_pages("0", lists)).values()):
        digest.update(content)
    version = digest.hexdigest()[:VERSION_LENGTH]
    return OfflineRelease(version, lists, files | dict(_pages(version, lists)))


def _pages(version: str, lists: int) -> Iterator[tuple[str, bytes]]:
    zone = current_app.config["SETTINGS"].time_zone
    for each in LANGUAGES:
        with force_locale(each):
            html = render_template(
                "verification/offline.html", files=_folder(version), lists=lists, zone=zone, state_label=STATE_LABELS
            )
        yield f"page.{each}.html", html.encode()


def _folder(version: str) -> str:
    return url_for("offline.file", version=version, name="icon.svg").removesuffix("icon.svg")
