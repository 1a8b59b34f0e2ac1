"""Responses compressed with gzip: pages, scripts and styles are a seventh of their size on a bad network.

A page shows what its reader typed beside what others must not learn, so its compressed length could tell about the rest to whoever
sees the traffic and makes the reader's browser open addresses (BREACH). The name in the header of the gzip format, which nobody
reads, has a random length, so that a length tells little.
"""

import secrets
import zlib
from functools import lru_cache

from flask import Response, request

LEAST_BYTES = 3000  # a shorter one takes two packets; the page of a scanned certificate is one of them
LEAST_FILE_BYTES = 1000  # of files, which are compressed once
MOST_BYTES = 4_000_000  # a longer one is a document, and holds up the thread for too long
TYPES = frozenset(
    {
        "text/html", "text/css", "text/javascript", "text/plain", "text/csv", "image/svg+xml", "application/json",
        "application/manifest+json",
    }
)  # fmt: skip
LEVEL = 3  # of a roster of 270 kB: 11 kB in 0.5 ms; level 6 gives 10 kB in 1.5 ms
FILES_LEVEL = 9  # each file is compressed once for each process
FILES_KEPT = 256
MOST_PADDING = 100
_RAW = -15  # without the header and the end of the zlib format; those of gzip are written here


def compress(response: Response, *, is_static: bool) -> None:
    """Compress what a GET request is answered with, if its client takes that and it is worth it.

    is_static: the content is a file that is the same for everybody, which is compressed once, and without padding.
    """
    # The length first: it is known at once, and the page of a scanned certificate is short.
    length = response.content_length
    least = LEAST_FILE_BYTES if is_static else LEAST_BYTES
    if length is None or not least <= length <= MOST_BYTES:
        return
    if (
        request.method != "GET"
        or response.status_code != 200
        or response.mimetype not in TYPES
        or "Content-Encoding" in response.headers
        or not request.accept_encodings["gzip"]
        or (response.is_streamed and not is_static)
    ):
        return
    response.direct_passthrough = False
    content = response.get_data()
    response.set_data(_file(content) if is_static else gzip(content, LEVEL, secrets.randbelow(MOST_PADDING)))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")


def gzip(content: bytes, level: int, padding: int = 0) -> bytes:
    """Compress in the gzip format, without a moment. padding: the length of a file name in its header."""
    flags, name = (b"\x08", b"a" * padding + b"\0") if padding else (b"\0", b"")
    compressor = zlib.compressobj(level, zlib.DEFLATED, _RAW)
    body = compressor.compress(content) + compressor.flush()
    end = zlib.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08" + flags + b"\0\0\0\0\0\xff" + name + body + end


@lru_cache(maxsize=FILES_KEPT)
def _file(content: bytes) -> bytes:
    return gzip(content, FILES_LEVEL)
