"""The decoder of QR codes that browsers without one of their own load: zxing-wasm, ZXing-C++ as WebAssembly (MIT, Apache 2).

Its files come from npm at set-up (`package.json`, `lms/embedded/npm_packages.sh`). Where they are missing, pages offer
photos of codes instead. Its folder is named by a hash of the files, so that a browser stores them once, whatever else changes.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

FILES: Final[Mapping[str, str]] = {
    "zxing_reader.js": "iife/reader/index.js",
    "zxing_reader.wasm": "reader/zxing_reader.wasm",
}
# The script in which the decoder runs, and its policy. A worker has the policy of its own script, so that WebAssembly is
# compiled there and nowhere else: no page allows it.
WORKER: Final = "decoding-worker.js"
WORKER_POLICY: Final = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'"
_DIST: Final = Path(__file__).resolve().parent.parent.parent / "node_modules" / "zxing-wasm" / "dist"
_VERSION_LENGTH: Final = 16


@dataclass(frozen=True)
class CodeDecoder:
    """The files by name, compressed with gzip. version: the start of a hash of their contents."""

    version: str
    compressed: Mapping[str, bytes]


@lru_cache(maxsize=1)
def installed() -> CodeDecoder | None:
    """The decoder that was installed with this system, or None. It is read once for each process."""
    return read(_DIST)


def read(folder: Path) -> CodeDecoder | None:
    """Read the decoder from the folder of the package; None where a file is missing."""
    try:
        contents = {name: (folder / path).read_bytes() for name, path in FILES.items()}
    except OSError:
        return None
    digest = hashlib.sha256()
    for content in contents.values():
        digest.update(content)
    # The date of compression is left out, so that each process has the same bytes.
    compressed = {name: gzip.compress(content, mtime=0) for name, content in contents.items()}
    return CodeDecoder(digest.hexdigest()[:_VERSION_LENGTH], compressed)
