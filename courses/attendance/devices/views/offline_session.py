"""The files with which pages open without a network: a service worker, empty pages, scripts, styles and icons.

None of these files holds personal data, so any visitor may fetch them. The pages are filled from the rosters that the device
stores (masked names). The files of one release lie in a folder whose name is a hash of their contents, so that a browser
never mixes files of two releases. The decoder of QR codes, which is far larger than the rest, has a folder of its own: it
is fetched once, and not again with each release.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from courses.attendance.views.attendance import REASONS
from lms.core import app_icon, code_decoder
from lms.core.access import public
from lms.core.errors import NotFound
from lms.core.headers import cacheable
from lms.core.languages import HTML_LANGUAGE, LANGUAGES

blueprint = Blueprint("offline_session", __name__)

# The pages that open without a network: the template of each, by the name that the worker calls it. The worker answers with
# `network` for each page that is not among them.
PAGES = {
    "today": "today/shell.html",
    "roster": "attendance/shell.html",
    "headcount": "sessions/headcount_shell.html",
    "close": "sessions/close_shell.html",
    "results": "assessment/shell.html",
    "network": "offline/network.html",
}
# Each script of these pages, and each script that one of them imports: a device without a network has these files alone.
SCRIPTS = (
    "camera.js",
    "close_page.js",
    "close_shell.js",
    "closing_people.js",
    "coalesce.js",
    "code_reader.js",
    "day_fetch.js",
    "day_sessions.js",
    "device.js",
    "device_clock.js",
    "dialogs.js",
    "everyone.js",
    "foreseeing.js",
    "frames.js",
    "headcount_shell.js",
    "ids.js",
    "keep_pages.js",
    "kept_day.js",
    "locks.js",
    "looking.js",
    "names.js",
    "network_forms.js",
    "outbox.js",
    "outbox_connection.js",
    "outbox_former.js",
    "outbox_paths.js",
    "outbox_sender.js",
    "outbox_status.js",
    "outbox_store.js",
    "own_check_in.js",
    "presence.js",
    "results.js",
    "results_grid.js",
    "results_keys.js",
    "results_marks.js",
    "results_shell.js",
    "results_view.js",
    "roster.js",
    "roster_answers.js",
    "roster_events.js",
    "roster_fetch.js",
    "roster_filter.js",
    "roster_focus.js",
    "roster_heading.js",
    "roster_menu.js",
    "roster_messages.js",
    "roster_page.js",
    "roster_rows.js",
    "roster_search.js",
    "roster_state.js",
    "roster_taps.js",
    "roster_updates.js",
    "rosters.js",
    "scan.js",
    "scan_signals.js",
    "search_key.js",
    "second_tap.js",
    "seen_codes.js",
    "sending.js",
    "session_acts.js",
    "skills.js",
    "storage_places.js",
    "texts.js",
    "ticket_photo.js",
    "tickets.js",
    "times.js",
    "today.js",
    "today_cards.js",
    "unsent.js",
    "unsent_file.js",
)
DECODING_WORKER = "decoding-worker.js"
FILES = (*SCRIPTS, DECODING_WORKER, "style.css", "session.css", "results.css", "icon.svg")
TYPES = {
    "css": "text/css", "html": "text/html", "js": "text/javascript", "png": "image/png", "svg": "image/svg+xml",
    "wasm": "application/wasm", "webmanifest": "application/manifest+json",
}  # fmt: skip
# A worker has the policy of its own script, so that WebAssembly is compiled there and nowhere else: no page allows it.
DECODING_POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'"
BOOTSTRAP = "bootstrap.min.css"
WORKER = "session-worker.js"
EXTENSION = "session_release"
VERSION_LENGTH = 16
ENTRY = re.compile(rb'<script type="module" src="[^"]*/([^"/]+)"')
IMPORT = re.compile(rb'(?:from|import) "\./([^"]+)"')
# The icons of the installed page by name: pixels, and whether a phone may cut them to its own shape.
ICONS = {"icon-192.png": (192, False), "icon-512.png": (512, False), "icon-maskable-512.png": (512, True)}
BRAND, PAPER = "#b3161d", "#f6f7f9"  # as in style.css
CACHED_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class OfflineRelease:
    """The files that belong together, by name. `version`: the start of a hash of their contents.

    They are read once for each process, because an update changes the files on the disk before it restarts the process.
    """

    version: str
    files: Mapping[str, bytes]

    @cached_property
    def scripts(self) -> Mapping[str, Sequence[str]]:
        """The scripts of each page, and those that they import, directly or through another one."""
        imports = {name: IMPORT.findall(self.files[name]) for name in SCRIPTS}
        closures: dict[str, Sequence[str]] = {}
        for page in PAGES:
            names = [found.decode() for found in ENTRY.findall(self.files[f"{page}.zh.html"])]
            for name in names:  # the list grows while it is read
                names.extend(found.decode() for found in imports[name] if found.decode() not in names)
            closures[page] = sorted(names)
        return closures

    @property
    def folder(self) -> str:
        """The path of the folder, with the slash at its end."""
        return _folder(self.version)


@blueprint.get("/offline/<version>/<name>")
@public
@cacheable
def file(version: str, name: str) -> ResponseReturnValue:
    """Serve one file of a release, which browsers cache for good; for another version, the present file without caching."""
    if name in code_decoder.FILES:
        return _decoder_file(version, name)
    release = _release()
    if name not in release.files or name == WORKER:
        raise NotFound
    response = Response(release.files[name], mimetype=_type_of(name))
    response.headers["Cache-Control"] = CACHED_FOR_GOOD if version == release.version else "no-cache"
    if name == DECODING_WORKER:
        response.headers["Content-Security-Policy"] = DECODING_POLICY
    return response


def _decoder_file(version: str, name: str) -> Response:
    decoder = code_decoder.installed()
    if decoder is None:
        raise NotFound
    response = Response(decoder.compressed[name], mimetype=_type_of(name))
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings["gzip"]:
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(gzip.decompress(decoder.compressed[name]))
    response.headers["Cache-Control"] = CACHED_FOR_GOOD if version == decoder.version else "no-cache"
    return response


def _type_of(name: str) -> str:
    return TYPES[name.rpartition(".")[2]]


@blueprint.get("/worker.js")
@public
@cacheable
def worker() -> ResponseReturnValue:
    """Serve the service worker, and allow it to rule the whole site. It is never one of the files that browsers cache."""
    release = _release()
    names = [name for name in release.files if name != WORKER]
    decoder = {"folder": decoder_folder(), "files": list(code_decoder.FILES)} if decoder_folder() else None
    facts = {"version": release.version, "folder": release.folder, "files": names, "decoder": decoder}
    text = f"const RELEASE = {json.dumps(facts)};\n{release.files[WORKER].decode()}"
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
    return Response(text, mimetype="text/javascript", headers=headers)


def folder() -> str:
    """Return the folder of the present release; templates call it as `session_files`."""
    return _release().folder


def decoder_folder() -> str:
    """Return the folder of the decoder of QR codes, empty where it is not installed; templates call it as `decoder_files`."""
    decoder = code_decoder.installed()
    return _folder(decoder.version) if decoder else ""


def scripts(page: str) -> Sequence[str]:
    """Return the names of a page's scripts, and of those that they import; its template has a browser fetch them at once."""
    return _release().scripts[page]


def _release() -> OfflineRelease:
    release: OfflineRelease | None = current_app.extensions.get(EXTENSION)
    if release is None:
        release = current_app.extensions[EXTENSION] = _read_release()
    return release


def _read_release() -> OfflineRelease:
    static = Path(current_app.static_folder or "")
    files = {name: (static / name).read_bytes() for name in (*FILES, WORKER)}
    files |= {
        name: app_icon.png(static / "icon.svg", size, maskable=maskable) for name, (size, maskable) in ICONS.items()
    }
    bootstrap = Path(current_app.blueprints["bootstrap"].static_folder or "")
    files[BOOTSTRAP] = (bootstrap / "css" / BOOTSTRAP).read_bytes()
    # The pages contain the version, so the hash is taken of the pages with a "0" in its place.
    digest = hashlib.sha256()
    for content in (*files.values(), *dict(_pages("0")).values()):
        digest.update(content)
    version = digest.hexdigest()[:VERSION_LENGTH]
    return OfflineRelease(version, files | dict(_pages(version)))


def _pages(version: str) -> Iterator[tuple[str, bytes]]:
    """Render each page in each language; each with the name of its file."""
    for (name, template), language in product(PAGES.items(), LANGUAGES):
        with force_locale(language):
            page = render_template(template, nobody=True, files=_folder(version), reasons=REASONS)
        yield f"{name}.{language}.html", page.encode()
    for language in LANGUAGES:
        with force_locale(language):
            yield f"{language}.webmanifest", json.dumps(_manifest(language, version), ensure_ascii=False).encode()


def _manifest(language: str, version: str) -> dict[str, Any]:
    """Describe the page that a phone installs (W3C Web Application Manifest). It opens "Today", and rules the whole site."""
    settings = current_app.config["SETTINGS"]
    organisation = settings.organisation_name_en if language == "en" else settings.organisation_name_zh
    return {
        "id": "/today/",
        "name": f"{organisation} {_('First-aid training')}",
        "short_name": _("First aid"),
        "lang": HTML_LANGUAGE[language],
        "start_url": url_for("today.page"),
        "scope": "/",
        "display": "standalone",
        "theme_color": BRAND,
        "background_color": PAPER,
        "icons": [
            {
                "src": _folder(version) + name,
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": "maskable" if maskable else "any",
            }
            for name, (size, maskable) in ICONS.items()
        ],
    }


def _folder(version: str) -> str:
    return url_for("offline_session.file", version=version, name=BOOTSTRAP).removesuffix(BOOTSTRAP)


blueprint.add_app_template_global(folder, "session_files")
blueprint.add_app_template_global(decoder_folder, "decoder_files")
blueprint.add_app_template_global(scripts, "session_scripts")
