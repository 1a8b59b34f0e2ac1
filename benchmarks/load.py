"""A client of our own: keep-alive connections that ask as fast as they are answered. Only ever this machine."""

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

HOST = "127.0.0.1"


class Unexpected(Exception):
    """The server answered with another status than the one that is measured."""


def _answer(connection: socket.socket, buffer: bytearray) -> int:
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        _more(connection, buffer)
    head = bytes(buffer[:end]).lower()
    marker = head.index(b"content-length:") + len(b"content-length:")
    length = int(head[marker:].split(b"\r\n", 1)[0])
    while len(buffer) < end + 4 + length:
        _more(connection, buffer)
    del buffer[: end + 4 + length]
    return int(head[9:12])


def _more(connection: socket.socket, buffer: bytearray) -> None:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the server closed the connection")
    buffer += received


def _ask(port: int, requests: Sequence[bytes], until: float, status: int) -> int:
    done = 0
    with socket.create_connection((HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        while time.perf_counter() < until:
            connection.sendall(requests[done % len(requests)])
            answered = _answer(connection, buffer)
            if answered != status:
                raise Unexpected(f"{answered} instead of {status}")
            done += 1
    return done


def get(path: str, *headers: str) -> bytes:
    """A GET request as it goes over the wire."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {HOST}", "Connection: keep-alive", *headers, "", "")
    return "\r\n".join(lines).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST request as it goes over the wire."""
    lines = (f"POST {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True)
class Answers:
    """How many requests were answered, and in how many seconds."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.count / self.seconds


def send(
    port: int, requests: Sequence[bytes], *, seconds: float = 3.0, connections: int = 4, status: int = 200
) -> Answers:
    """Ask for some seconds over some connections, each of which sends its share of the requests in turn."""
    began = time.perf_counter()
    shares = [requests[start::connections] or requests for start in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        counts = list(pool.map(lambda share: _ask(port, share, began + seconds, status), shares))
    return Answers(sum(counts), time.perf_counter() - began)


def latencies(port: int, request: bytes, *, seconds: float, connections: int, status: int = 200) -> list[float]:
    """Seconds of each answer to the same request, over some connections that ask again as soon as they are answered."""
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(connections) as pool:
        found = pool.map(lambda _number: _timed(port, request, until, status), range(connections))
    return [taken for each in found for taken in each]


def _timed(port: int, request: bytes, until: float, status: int) -> list[float]:
    taken = []
    with socket.create_connection((HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        while (began := time.perf_counter()) < until:
            connection.sendall(request)
            answered = _answer(connection, buffer)
            if answered != status:
                raise Unexpected(f"{answered} instead of {status}")
            taken.append(time.perf_counter() - began)
    return taken
