"""A request as it arrives: its head, then its body, collected without a thread until both are whole.

Where the head ends and how long the body is, is told by gunicorn's own parser, so that no two readers of a request can
differ about it.
"""

import tempfile
import time
from typing import IO, Any

from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import (
    InvalidChunkSize,
    InvalidHeader,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

HEAD_BYTES = 64 * 1024
MEMORY_BYTES = 256 * 1024  # of a body; a longer one goes to a file without a name
BYTES_PER_SECOND = 512  # a body or a reader of an answer that is slower is cut; the worst of mobile networks is faster
CHUNK_LINE_BYTES = 8190
_HEAD_END = b"\r\n\r\n"


class Source(Unreader):  # type: ignore[misc]
    """The source from which parser and application read a request: bytes that are here already, then the end."""

    def __init__(self) -> None:
        super().__init__()
        self.head = b""
        self.body: IO[bytes] | None = None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; none at the end."""
        if self.head:
            head, self.head = self.head, b""
            return head
        return self.body.read(size_hint or 1 << 16) if self.body is not None else b""


class ChunkScanner:
    """Finds the end of a chunked body (RFC 9112, section 7.1) that comes in pieces. Its syntax is checked by gunicorn."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._skip = 0
        self._trailers = False

    def feed(self, piece: bytes) -> int | None:
        """Return how many bytes of the piece belong to the body where it ends in the piece, else None.

        Raises ValueError for a body that is none.
        """
        at = 0
        while at < len(piece):
            if self._skip:
                step = min(self._skip, len(piece) - at)
                self._skip -= step
                at += step
                continue
            end = piece.find(b"\n", at)
            self._line += piece[at : len(piece) if end < 0 else end + 1]
            if len(self._line) > CHUNK_LINE_BYTES:
                raise ValueError("a line of a chunked body is too long")
            if end < 0:
                return None
            at = end + 1
            line = bytes(self._line).strip()
            self._line.clear()
            if self._trailers:
                if not line:
                    return at
            else:
                size = int(line.partition(b";")[0], 16)
                if size < 0:
                    raise ValueError("a chunk of negative size")
                self._trailers = size == 0
                self._skip = size + 2 if size else 0
        return None


class Pace:
    """Judges whether bytes come fast enough: in each period of some seconds so many as a slow network carries."""

    def __init__(self, now: float) -> None:
        self._since, self._bytes = now, 0

    def is_too_slow(self, now: float, total: int, seconds: float) -> bool:
        """Tell whether a period of `seconds` is over that brought too little. total: all bytes until now."""
        if now - self._since < seconds:
            return False
        if total - self._bytes < (now - self._since) * BYTES_PER_SECOND:
            return True
        self._since, self._bytes = now, total
        return False


class IncomingRequest:
    """A request of a connection while it arrives.

        After `feed` has returned True, `request` is what gunicorn's parser made of it, or `fault` is the error to answer with.
    `unread` says that the rest of the body was left on the connection; `rest` are the bytes of the next request. A chunked
    body that is `too_large` does not reach the application, which could not tell it from a whole one.
    """

    def __init__(self, cfg: Config, client: Any, number: int, largest_body: int) -> None:
        self.request: Any = None
        self.fault: Exception | None = None
        self.unread = False
        self.too_large = False
        self.rest = b""
        self.continues = False  # whether the client waits for "100 Continue"
        self.received = 0
        self._began = time.monotonic()
        self._pace = Pace(self._began)
        self._cfg, self._client, self._number = cfg, client, number
        self._largest = largest_body
        self._head = bytearray()
        self._source = Source()
        self._missing: int | None = None
        self._scanner: ChunkScanner | None = None

    def feed(self, data: bytes) -> bool:
        """Take what has arrived; whether there is enough to answer."""
        self.received += len(data)
        if self.request is not None:
            return self._take_body(data)
        searched = max(0, len(self._head) - 3)
        self._head += data
        if self._head.find(_HEAD_END, searched) >= 0 or self._is_faulty():
            return self._parse()
        return False

    def is_late(self, now: float, seconds: float) -> bool:
        """Tell whether the head takes longer than `seconds`, or the body is slower than a phone on a bad network."""
        if self.request is None:
            return now - self._began > seconds
        return self._pace.is_too_slow(now, self.received, seconds)

    def decode(self) -> None:
        """Take the chunks of a body apart, in the thread that answers. Raises the fault that gunicorn finds in them.

        Else the application would find it, and answer 500.
        """
        if self._scanner is None:
            return
        decoded: IO[bytes] = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed with the request
        try:
            while piece := self.request.body.read(1 << 16):
                decoded.write(piece)
        except BaseException as error:
            decoded.close()
            if isinstance(error, OSError):  # the chunks end too early
                raise InvalidChunkSize(b"") from error
            raise
        decoded.seek(0)
        self.close()
        self._source.body = self.request.body = decoded

    def close(self) -> None:
        """Forget the body."""
        if self._source.body is not None:
            self._source.body.close()

    def _is_faulty(self) -> bool:
        """Tell whether a head that has not ended is refused already: too long, or with lines that end in a bare line feed."""
        head = self._head
        if len(head) > HEAD_BYTES:
            self.fault = LimitRequestHeaders("the headers are too long")
        elif len(head) > self._cfg.limit_request_line + 2 and head.find(b"\r\n", 2) < 0:
            self.fault = LimitRequestLine(len(head), self._cfg.limit_request_line)
        return self.fault is not None or head.count(b"\n") != head.count(b"\r\n")

    def _parse(self) -> bool:
        self._source.head = bytes(self._head)
        self._head.clear()
        try:
            if self.fault is None:
                self.request = Request(self._cfg, self._source, self._client, self._number)
        except UnsupportedTransferCoding:
            self.fault = InvalidHeader("TRANSFER-ENCODING")  # gunicorn would answer 501, as if the fault were ours
        except (ParseException, StopIteration, OSError) as error:
            self.fault = error
        if self.fault is not None:
            self.unread = True
            return True
        return self._begin_body()

    def _begin_body(self) -> bool:
        """Find out how long the body is; whether all of it is here."""
        left = self._source.take_buffered()
        reader = self.request.body.reader
        if isinstance(reader, LengthReader):
            self._missing = reader.length
        elif isinstance(reader, ChunkedReader):
            self._scanner = ChunkScanner()
        else:  # without a length there is no body
            self._missing = 0
        if self._missing is not None and self._missing > self._largest:
            self.unread = True  # the application refuses it by its length
            return True
        self.continues = self.request._expected_100_continue and not left
        self.request._expected_100_continue = False
        if self._missing == 0:
            self.rest = left
            return True
        self._source.body = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed with the request
        return self._take_body(left)

    def _take_body(self, data: bytes) -> bool:
        body = self._source.body
        if body is None:
            return True
        whole: int | None = None
        if self._scanner is not None:
            try:
                whole = self._scanner.feed(data)
            except ValueError:  # `decode` says what is wrong
                self.unread, whole = True, len(data)
            if body.tell() + len(data) > self._largest + HEAD_BYTES:
                self.unread, self.too_large = True, True
                return True
        elif self._missing is not None and len(data) >= self._missing:
            whole = self._missing
        body.write(data[:whole])
        if whole is None:
            if self._missing is not None:
                self._missing -= len(data)
            return False
        self.rest = data[whole:]
        body.seek(0)
        return True
