"""An answer that its reader does not take: it is kept without a wait, and comes whole."""

import socket
from collections.abc import Iterator

import pytest

from lms.embedded import answering
from lms.embedded.answering import AnswerSocket


@pytest.fixture
def ends() -> Iterator[tuple[AnswerSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    answer = AnswerSocket(ours, patience=0.2)
    with theirs:
        yield answer, theirs
        answer.close()


def test_what_is_kept_comes_later_and_in_order(ends: tuple[AnswerSocket, socket.socket]) -> None:
    answer, reader = ends
    sent = b"".join(b"%07d\n" % number for number in range(500_000))
    for at in range(0, len(sent), 1 << 16):
        answer.sendall(sent[at : at + (1 << 16)])
    assert answer.kept
    received = bytearray()
    while not answer.flush():
        received += reader.recv(1 << 20)
    assert not answer.kept
    answer.sendall(b"end")
    reader.settimeout(1)
    while len(received) < len(sent) + 3:
        received += reader.recv(1 << 20)
    assert received == sent + b"end"


def test_an_answer_too_long_to_be_kept_waits_for_its_reader_and_then_ends(
    ends: tuple[AnswerSocket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "KEPT_BYTES", 1 << 20)
    with pytest.raises(TimeoutError):
        ends[0].sendall(b"x" * (4 << 20))


def test_a_reader_who_is_gone_is_an_error(ends: tuple[AnswerSocket, socket.socket]) -> None:
    answer, reader = ends
    reader.close()
    with pytest.raises(OSError, match=r"."):
        answer.sendall(b"x")
