"""A request that arrives in pieces: however it is cut, gunicorn's parser and the application read the same."""

import pytest
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st

from lms.embedded.receiving import BYTES_PER_SECOND, HEAD_BYTES, ChunkScanner, IncomingRequest, Pace

CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: z\r\n\r\n"


def post(*headers: bytes, body: bytes) -> bytes:
    return b"\r\n".join([b"POST /p HTTP/1.1", b"Host: x", *headers, b"", body])


def arriving(largest: int = 1000) -> IncomingRequest:
    return IncomingRequest(Config(), ("127.0.0.1", 1), 1, largest)


@given(
    st.sampled_from(
        [(post(CHUNKED, body=CHUNKS), b"abc0123456789"), (post(b"Content-Length: 4", body=b"abcd"), b"abcd")]
    ),
    st.data(),
)
def test_a_body_is_the_same_however_it_is_cut(case: tuple[bytes, bytes], data: st.DataObject) -> None:
    """The bytes after it belong to the next request."""
    sent, body = case
    whole = sent + b"GET / HTTP"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=5)))
    incoming = arriving()
    rest = b""
    done = False
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        if done:
            rest += whole[begin:end]
        else:
            done = incoming.feed(whole[begin:end])
    assert done
    incoming.decode()
    assert incoming.request.path == "/p"
    assert incoming.request.body.read() == body
    assert incoming.rest + rest == b"GET / HTTP"
    assert (incoming.fault, incoming.unread, incoming.too_large) == (None, False, False)
    incoming.close()


def test_a_body_above_the_limit_is_left_on_the_connection() -> None:
    incoming = arriving(largest=10)
    assert incoming.feed(post(b"Content-Length: 11", body=b"abc"))
    assert (incoming.unread, incoming.too_large) == (True, False)
    chunks = arriving(largest=10)
    assert not chunks.feed(post(CHUNKED, body=b"ffffff\r\n"))
    assert chunks.feed(b"x" * (HEAD_BYTES + 20))
    assert (chunks.unread, chunks.too_large) == (True, True)
    chunks.close()


@pytest.mark.parametrize("body", [b"-1\r\n", b"zz\r\n", b"1" * 9000, b"\r\n"])
def test_a_chunk_without_a_size_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        ChunkScanner().feed(body)


def test_a_head_is_late_after_some_seconds_and_a_body_when_it_stalls() -> None:
    head = arriving()
    head.feed(b"GET")
    assert not head.is_late(head._began + 9, 10)
    assert head.is_late(head._began + 11, 10)
    pace = Pace(0)
    assert not pace.is_too_slow(9, 0, 10)
    assert not pace.is_too_slow(10, 10 * BYTES_PER_SECOND, 10)  # then the next period begins
    assert not pace.is_too_slow(19, 10 * BYTES_PER_SECOND, 10)
    assert pace.is_too_slow(20, 20 * BYTES_PER_SECOND - 1, 10)
