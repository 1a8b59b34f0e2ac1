"""The socket of a connection as the threads see it: what its reader does not take at once is kept, and no thread waits."""

import select
import socket
import tempfile
import time
from contextlib import suppress
from typing import IO, Any

from lms.embedded.receiving import Pace

MEMORY_BYTES = 1 << 20  # of an answer; a longer one goes to a file without a name
KEPT_BYTES = 64 << 20  # beyond, the thread that makes the answer waits for its reader
_PIECE = 1 << 18


class AnswerSocket:
    """A socket that never blocks: it sends what it can and keeps the rest, which `flush` sends later."""

    def __init__(self, connected: socket.socket, patience: float) -> None:
        """patience: seconds that an answer too long to be kept waits for its reader."""
        connected.setblocking(False)
        self._socket = connected
        self._patience = patience
        self._file: IO[bytes] | None = None
        self._start = self._end = 0
        self._sent = 0
        self._pace = Pace(0)

    @property
    def kept(self) -> int:
        """The number of bytes that are not sent yet."""
        return self._end - self._start

    def sendall(self, data: bytes) -> None:
        """Send, or keep. Raises OSError where the reader is gone."""
        if not self.kept:
            sent = self._send(data)
            if sent == len(data):
                return
            data = data[sent:]
            self._pace, self._sent = Pace(time.monotonic()), 0
        self._keep(data)
        if self.kept > KEPT_BYTES:
            self._wait()

    send = sendall

    def flush(self) -> bool:
        """Send of what is kept as much as the reader takes; whether nothing is left. Raises OSError where the reader is gone."""
        while self.kept and self._file is not None:
            self._file.seek(self._start)
            piece = self._file.read(min(_PIECE, self.kept))
            sent = self._send(piece)
            self._start += sent
            self._sent += sent
            if sent < len(piece):
                return False
        if self._file is not None:
            self._file.close()
            self._file, self._start, self._end = None, 0, 0
        return True

    def is_too_slow(self, now: float, seconds: float) -> bool:
        """Tell whether the reader takes what is kept more slowly than a phone on a bad network."""
        return self._pace.is_too_slow(now, self._sent, seconds)

    def setblocking(self, _blocking: bool) -> None:
        """Do nothing: this socket never blocks."""

    def gettimeout(self) -> float:
        """A socket's timeout: 0, because this one never blocks."""
        return 0.0

    def close(self) -> None:
        """Close the socket, and forget what is kept."""
        if self._file is not None:
            self._file.close()
            self._file, self._start, self._end = None, 0, 0
        self._socket.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def _send(self, data: bytes) -> int:
        with suppress(BlockingIOError):
            return self._socket.send(data)
        return 0

    def _keep(self, data: bytes) -> None:
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed by flush or close
        self._file.seek(self._end)
        self._file.write(data)
        self._end += len(data)

    def _wait(self) -> None:
        """Wait until less is kept. Raises TimeoutError."""
        until = time.monotonic() + self._patience
        while self.kept > KEPT_BYTES // 2:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the reader of an answer is too slow")
            select.select([], [self._socket], [], left)
            self.flush()
