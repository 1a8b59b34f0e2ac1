"""The web server with real sockets: slow clients occupy no thread and are cut, and odd requests get no 5xx and hang nowhere."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Event
from typing import Any

import pytest

from lms.config import ROOT, Settings

SLOW_SECONDS = 2
ANSWER = b"x" * 6_000_000
APPLICATION = """
import time
def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path == "/large":
        answer = b"x" * 6_000_000
    elif path == "/sleep":
        time.sleep(0.5)
        answer = b"slept"
    elif path == "/header":
        answer = environ["REMOTE_ADDR"].encode()
    else:
        answer = b"%d %d" % (len(body), sum(body))
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""


class Web:
    """A running gunicorn."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port, self.process = port, process

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, request: bytes) -> bytes:
        """Send a request and read until the server hangs up."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    answer = bytearray()
    with suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            answer += piece
    return bytes(answer)


def get(path: str = "/", *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *headers, b"", body])


@pytest.fixture(scope="module")
def web(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """gunicorn as `flask up` starts it, with an application that counts the bytes it gets."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "counting.py").write_text(APPLICATION)
    with running(settings, "counting:app", {"PYTHONPATH": f"{folder}:{ROOT}"}) as started:
        yield started


@contextmanager
def running(settings: Settings, target: str, more: dict[str, str]) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"], "LMS_EMBEDDED": "1", "BROKER_URL": "memory://", "LISTEN_FD": str(descriptor),
            "DATABASE_URL": settings.database_url, "SECRET_KEY": settings.secret_key, "FIELD_KEY": settings.field_key,
            "PUBLIC_URL": settings.public_url, "KEYS_DIR": str(settings.keys_dir), "WEB_SLOW_SECONDS": str(SLOW_SECONDS),
            "UPLOAD_LIMIT_BYTES": "100000", "IMPORT_LIMIT_BYTES": "100000", **more,
        }  # fmt: skip
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "lms/embedded/gunicorn.conf.py",
            "--log-level",
            "critical",
            target,
        ]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[descriptor], stderr=subprocess.DEVNULL)
        started = Web(port, process)
        try:
            assert started.ask(get()).startswith(b"HTTP/1.1 ")
            yield started
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def longest_wait(web: Web, what: str) -> Iterator[None]:
    """Ask honestly all the time; print the longest wait for an answer, which must be below a second."""
    over, longest, number = Event(), 0.0, 0

    def ask() -> None:
        nonlocal longest, number
        while not over.is_set():
            began = time.perf_counter()
            assert web.ask(get()).endswith(b"0 0")
            longest = max(longest, time.perf_counter() - began)
            number += 1

    with ThreadPoolExecutor(1) as honest:
        asking = honest.submit(ask)
        try:
            yield
        finally:
            over.set()
        asking.result()
    sys.stdout.write(f"{what}: {number} honest requests, the longest wait {longest * 1000:.0f} ms\n")
    assert number
    assert longest < 1


def drip(connections: list[socket.socket], data: Callable[[int], bytes], seconds: float) -> set[int]:
    """Send one byte a tenth of a second on each connection; the connections that were cut meanwhile, by number."""
    cut: set[int] = set()
    until, turn = time.monotonic() + seconds, 0
    with selectors.DefaultSelector() as selector:
        for number, connection in enumerate(connections):
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, number)
        while time.monotonic() < until and len(cut) < len(connections):
            for number, connection in enumerate(connections):
                if number not in cut:
                    try:
                        connection.send(data(turn))
                    except OSError:
                        cut.add(number)
            turn += 1
            again = time.monotonic() + 0.1
            while (left := again - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    cut.add(key.data)
                    selector.unregister(key.fileobj)
    return cut


def test_slow_heads_block_nobody_and_are_cut(web: Web) -> None:
    head = get("/", "X: " + "y" * 1000)
    with ExitStack() as stack, longest_wait(web, "600 slow heads"):
        slow = [stack.enter_context(web.connect()) for _ in range(600)]
        assert len(drip(slow, lambda turn: head[turn : turn + 1], SLOW_SECONDS * 4)) == 600


def test_slow_bodies_block_nobody_and_are_cut(web: Web) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
    with ExitStack() as stack, longest_wait(web, "100 slow bodies"):
        slow = [stack.enter_context(web.connect()) for _ in range(100)]
        for connection in slow:
            connection.sendall(head)
        assert len(drip(slow, lambda _turn: b"x", SLOW_SECONDS * 4)) == 100


def test_slow_readers_block_nobody_and_are_cut(web: Web) -> None:
    """Meanwhile a slow phone gets through: a photo takes longer than a pause may, and check-ins come with a pause."""
    photo = b"\1" * 40_000
    with ExitStack() as stack:
        slow = []
        for _ in range(9):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", web.port))
            connection.sendall(get("/large"))
            slow.append(connection)
        with longest_wait(web, "9 slow readers of 6 MB"):
            with web.connect() as phone:
                phone.sendall(post(b"Connection: close", b"Content-Length: %d" % len(photo)))
                for at in range(0, len(photo), 5000):
                    phone.sendall(photo[at : at + 5000])
                    time.sleep(0.45)
                assert read_all(phone).endswith(b"40000 40000")
            with web.connect() as phone:
                phone.sendall(post(b"Connection: close", b"Content-Length: 4", body=b"12"))
                time.sleep(SLOW_SECONDS * 0.6)
                phone.sendall(b"34")
                assert read_all(phone).endswith(b"4 202")
            time.sleep(2)
        for connection in slow:
            connection.settimeout(10)
            assert len(read_all(connection)) < len(ANSWER)


def test_a_patient_reader_gets_a_long_answer_whole(web: Web) -> None:
    with web.connect() as reader:
        reader.sendall(get("/large"))
        time.sleep(0.5)
        assert read_all(reader).endswith(ANSWER)


def test_one_connection_serves_many_requests(web: Web) -> None:
    """Requests that are sent ahead are answered in order, with the bodies that belong to them."""
    many = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\1\1\1" + (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n\2\2\r\n3\r\n\2\2\2\r\n0\r\nX: y\r\n\r\n"
    )
    answer = web.ask(many + many + get("/header"))
    assert answer.count(b"HTTP/1.1 200 OK") == 5
    assert answer.count(b"\r\n\r\n3 3HTTP") == 2
    assert answer.count(b"\r\n\r\n5 10HTTP") == 2
    assert answer.endswith(b"127.0.0.1")


def test_the_server_says_continue_before_it_has_the_body(web: Web) -> None:
    with web.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"\1\1")
        assert read_all(client).endswith(b"2 2")


CHUNKED = b"Transfer-Encoding: chunked"
ODDITIES: dict[str, tuple[bytes, bytes]] = {
    "length and chunks": (post(b"Content-Length: 4", CHUNKED, body=b"0\r\n\r\n"), b"400"),
    "two lengths": (post(b"Content-Length: 4", b"Content-Length: 5", body=b"abcde"), b"400"),
    "a list of lengths": (post(b"Content-Length: 4, 4", body=b"abcd"), b"400"),
    "a negative length": (post(b"Content-Length: -1"), b"400"),
    "a length with a sign": (post(b"Content-Length: +1", body=b"a"), b"400"),
    "a huge length": (post(b"Content-Length: " + b"9" * 30), b"200"),  # its reader sees the end at once
    "a length too long to be a number": (post(b"Content-Length: " + b"9" * 5000), b"400"),
    "an unknown coding": (post(b"Transfer-Encoding: xchunked"), b"400"),
    "chunks of HTTP/1.0": (post(CHUNKED, body=b"0\r\n\r\n").replace(b"1.1", b"1.0"), b"400"),
    "a chunk of no size": (post(CHUNKED, body=b"zz\r\n"), b"400"),
    "a chunk of negative size": (post(CHUNKED, body=b"-1\r\nab\r\n0\r\n\r\n"), b"400"),
    "a chunk with a prefix": (post(CHUNKED, body=b"0x2\r\nab\r\n0\r\n\r\n"), b"400"),
    "a chunk that goes on": (post(CHUNKED, body=b"1\r\nabc\r\n0\r\n\r\n"), b"400"),
    "an endless chunk line": (post(CHUNKED, body=b"1" * 20_000), b"400"),
    "chunks above the limit": (post(CHUNKED, body=b"fffffff\r\n" + b"x" * 68_000_000), b"413"),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: x\n\n", b"400"),
    "a bare line feed": (b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", b"400"),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", b"400"),
    "a NUL in a header": (b"GET / HTTP/1.1\r\nHost: x\0\r\n\r\n", b"400"),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
    "no version": (b"GET /\r\n\r\n", b"400"),
    "another version": (b"GET / HTTP/9.1\r\nHost: x\r\n\r\n", b"400"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", b"400"),
    "a method that is none": (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    "a long line": (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    "an endless line": (b"GET /" + b"x" * 10_000, b"414"),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"431"),
    "endless headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, b"431"),
    "an expectation": (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", b"417"),
}  # fmt: skip


@pytest.mark.parametrize("oddity", ODDITIES)
def test_odd_requests_are_refused_at_once(web: Web, oddity: str) -> None:
    request, status = ODDITIES[oddity]
    began = time.perf_counter()
    with web.connect() as connection:
        with suppress(OSError):  # refused while it is sent
            connection.sendall(request)
        answer = read_all(connection)
    assert answer.split(b" ", 2)[1] == status, answer[:200]
    assert answer.count(b"HTTP/1.") == 1
    assert time.perf_counter() - began < SLOW_SECONDS


def test_connections_beyond_the_limit_take_the_place_of_the_slowest(settings: Settings, tmp_path: Any) -> None:
    """TERM, too: what is in flight is answered, and slow clients do not keep the server from stopping."""
    (tmp_path / "counting.py").write_text(APPLICATION)
    more = {
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "GUNICORN_CMD_ARGS": "--worker-connections 50",
        "WEB_SLOW_SECONDS": "60",
    }
    with running(settings, "counting:app", more) as web, ExitStack() as stack:
        for _ in range(80):
            stack.enter_context(web.connect()).sendall(b"GET / HTTP/1.1\r\n")
        assert web.ask(get()).endswith(b"0 0")
        in_flight = stack.enter_context(web.connect())
        in_flight.sendall(get("/sleep"))
        time.sleep(0.1)
        web.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert read_all(in_flight).endswith(b"slept")
        assert web.process.wait(20) == 0
        assert time.monotonic() - began < 6
