"""gunicorn's worker of threads, in which no thread waits for a slow client.

gunicorn's own gives a connection to a thread at its first byte: eight slow clients occupy eight threads, and everybody
else waits. Here the main loop collects a request (`receiving`), a thread answers it, and what the client does not take at
once is sent by the main loop (`answering`). A client that is too slow is cut, and when connections run out, the one
that has been sending its request for longest.
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from lms.embedded.answering import AnswerSocket
from lms.embedded.receiving import IncomingRequest

DEFAULT_SLOW_SECONDS = 20.0
LOOK_SECONDS = 0.5
LINGER_SECONDS = 2.0
LINGER_BYTES = 16 << 20
ACCEPTED_AT_ONCE = 64
PIECES_AT_ONCE = 16
_PIECE = 1 << 16
_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]
    """A connection and its present request. To gunicorn it is a connection whose parser has one request to give."""

    def __init__(self, worker: "BufferingWorker", connected: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, AnswerSocket(connected, worker.slow_seconds), client, server)
        self.initialized = self.data_ready = True
        self.parser = self
        self.number = 0
        self.incoming: IncomingRequest | None = None
        self.until = 0.0
        self.drained = 0
        self.is_registered = False

    def __next__(self) -> Any:
        """The request that has arrived. Raises what gunicorn's parser said of it."""
        if self.incoming is None:
            raise StopIteration
        if self.incoming.fault is not None:
            raise self.incoming.fault
        self.incoming.decode()
        return self.incoming.request

    def finish_body(self, deadline: float | None = None) -> bool:  # noqa: ARG002 - gunicorn's signature
        """Tell whether another request may follow: all of this one's body was taken off the connection."""
        return self.incoming is not None and not self.incoming.unread

    def close(self, graceful: bool = False) -> None:  # noqa: ARG002 - gunicorn's signature
        """Close the socket and forget the request."""
        if self.incoming is not None:
            self.incoming.close()
        with suppress(OSError):
            self.sock.close()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's `gthread`, with requests and answers buffered by the main loop."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.slow_seconds = float(os.environ.get("WEB_SLOW_SECONDS") or DEFAULT_SLOW_SECONDS)
        limits = (os.environ.get("UPLOAD_LIMIT_BYTES"), os.environ.get("IMPORT_LIMIT_BYTES"))
        self._largest_body = max([64 << 20, *(int(limit) for limit in limits if limit)])
        # In the order in which they began: of requests that arrive, answers that are sent, and ends that are awaited.
        self._receiving: dict[Connection, None] = {}
        self._sending: dict[Connection, bool] = {}
        self._lingering: dict[Connection, None] = {}
        self._stops_at = float("inf")
        self._look_at = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Take the connections that wait, and begin to read their requests."""
        for _ in range(ACCEPTED_AT_ONCE):
            if self.nr_conns >= self.worker_connections - 1 and not self._make_room():
                return
            try:
                connected, client = listener.accept()
            except OSError as error:
                if error.errno in {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK, errno.EMFILE, errno.ENFILE}:
                    return
                raise
            self.nr_conns += 1
            connection = Connection(self, connected, client, listener.getsockname())
            self._await_request(connection)
            self._read(connection)

    def on_client_socket_readable(self, connection: Connection, _client: Any) -> None:
        """Read the next request of a connection that was kept."""
        self._unregister(connection)
        self.keepalived_conns.remove(connection)
        self._await_request(connection)
        self._read(connection)

    def finish_request(self, connection: Connection, future: "Future[Any]") -> None:
        """Send what is left of an answer, then keep or close the connection."""
        keeps = not future.cancelled() and future.exception() is None and bool(future.result())
        if connection.sock.kept:
            self._sending[connection] = keeps
            self._register(connection, selectors.EVENT_WRITE, self._send)
            self._send(connection)
        else:
            self._finish(connection, keeps=keeps)

    def murder_pending(self) -> None:
        """Cut the clients that are too slow. gunicorn's loop calls this after each of its events, and every second."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        for connection in list(self._receiving):
            incoming = connection.incoming
            if incoming is not None and (now > self._stops_at or incoming.is_late(now, self.slow_seconds)):
                self._receiving.pop(connection)
                if incoming.received:
                    with suppress(OSError):
                        connection.sock.sendall(_TOO_LATE)
                self._drop(connection)
        for connection in list(self._sending):
            if connection.sock.is_too_slow(now, self.slow_seconds):
                self._sending.pop(connection)
                self._drop(connection)
        for connection in list(self._lingering):
            if now > connection.until:
                self._lingering.pop(connection)
                self._drop(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits no longer than this for requests that have not arrived."""
        super()._cap_keepalive(deadline)
        self._stops_at = deadline

    def _make_room(self) -> bool:
        """Close the connection whose request has been arriving for longest; whether there was one."""
        connection = next(iter(self._receiving), None)
        if connection is None:
            return False
        self._receiving.pop(connection)
        self._drop(connection)
        return True

    def _await_request(self, connection: Connection) -> None:
        connection.number += 1
        connection.incoming = IncomingRequest(self.cfg, connection.client, connection.number, self._largest_body)
        self._receiving[connection] = None

    def _read(self, connection: Connection) -> None:
        """Read what is there of a request. Without all of it, the poller says when there is more."""
        for _ in range(PIECES_AT_ONCE):
            try:
                data = connection.sock.recv(_PIECE)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._receiving.pop(connection)
                self._drop(connection)
                return
            if self._take(connection, data):
                return
        self._register(connection, selectors.EVENT_READ, self._read)

    def _take(self, connection: Connection, data: bytes) -> bool:
        """Give bytes to the request that arrives; whether it is whole and was handed to a thread."""
        incoming = connection.incoming
        if incoming is None or not incoming.feed(data):
            if incoming is not None and incoming.continues:
                incoming.continues = False
                connection.sock.sendall(_CONTINUE)
            return False
        self._receiving.pop(connection)
        self._unregister(connection)
        if incoming.too_large:
            connection.sock.sendall(_TOO_LARGE)
            self._hang_up(connection, linger=True)
        else:
            self.enqueue_req(connection)
        return True

    def _send(self, connection: Connection) -> None:
        try:
            done = connection.sock.flush()
        except OSError:
            self._sending.pop(connection)
            self._drop(connection)
            return
        if done:
            self._unregister(connection)
            self._finish(connection, keeps=self._sending.pop(connection))

    def _finish(self, connection: Connection, *, keeps: bool) -> None:
        incoming = connection.incoming
        rest = incoming.rest if incoming is not None else b""
        unread = incoming is None or incoming.unread
        if incoming is not None:
            incoming.close()
        if not keeps:
            self._hang_up(connection, linger=unread)
        elif rest:
            self._await_request(connection)
            if not self._take(connection, rest):
                self._read(connection)
        else:
            connection.set_timeout()
            if not self.alive:
                connection.timeout = min(connection.timeout, self._stops_at)
            self.keepalived_conns.append(connection)
            self._register(connection, selectors.EVENT_READ, partial(self.on_client_socket_readable, _client=None))

    def _hang_up(self, connection: Connection, *, linger: bool) -> None:
        """End the connection; where the client still sends, it may read our answer before (RFC 9112, section 9.6)."""
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            linger = False
        if not linger:
            self._drop(connection)
            return
        connection.until = time.monotonic() + LINGER_SECONDS
        self._lingering[connection] = None
        self._register(connection, selectors.EVENT_READ, self._drain)

    def _drain(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.drained += len(data)
        if not data or connection.drained > LINGER_BYTES:
            self._lingering.pop(connection)
            self._drop(connection)

    def _register(self, connection: Connection, event: int, callback: Callable[[Connection], None]) -> None:
        if not connection.is_registered:
            connection.is_registered = True
            self.poller.register(connection.sock, event, lambda _client: callback(connection))

    def _unregister(self, connection: Connection) -> None:
        if connection.is_registered:
            connection.is_registered = False
            with suppress(KeyError, ValueError):
                self.poller.unregister(connection.sock)

    def _drop(self, connection: Connection) -> None:
        self._unregister(connection)
        self.nr_conns -= 1
        connection.close()
