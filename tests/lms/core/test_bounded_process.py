"""A process for each file: it is stopped at its bounds, knows nothing of ours, and few of them run at a time."""

import os
import resource
import threading
import time
from collections.abc import Iterator

import pytest

from lms.core import bounded_process
from lms.core.bounded_process import Bounds, BoundsExceeded, ProgramFailed, run
from lms.core.errors import DomainError

PROGRAMS = "tests.lms.core.programs"
BOUNDS = Bounds(seconds=10, processor_seconds=1, memory_bytes=512 << 20, output_bytes=4 << 20)


def act(name: str, bounds: Bounds = BOUNDS, parts: Iterator[bytes] | tuple[bytes, ...] = ()) -> list[object]:
    return list(run(PROGRAMS, parts, bounds, act=name))


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_file_goes_in_by_parts_and_values_come_out() -> None:
    assert act("echo", parts=(b"a\nb", b"", b"c\n")) == [[0, "a\n"], [1, "b"]]  # an empty part is the end of the file
    assert act("echo", parts=("é\n".encode(), b"b")) == [[0, "é\n"], [1, "b"]]


def test_a_large_file_streams() -> None:
    """The last part is made after the first value has come out."""
    came: list[int] = []

    def parts() -> Iterator[bytes]:
        for number in range(200):
            yield b"%d\n" % number * 2000
        assert came

    for value in run(PROGRAMS, parts(), Bounds(seconds=30, processor_seconds=10, memory_bytes=512 << 20), act="echo"):
        came.append(value[0])
    assert came == list(range(400_000))


@pytest.mark.parametrize("name", ["spin", "allocate", "flood", "die"])
def test_a_program_is_stopped_at_its_bounds(name: str) -> None:
    with pytest.raises(BoundsExceeded):
        act(name)


def test_a_program_that_only_waits_is_stopped_too() -> None:
    began = time.monotonic()
    with pytest.raises(BoundsExceeded):
        act("sleep", Bounds(seconds=0.4, processor_seconds=9, memory_bytes=512 << 20))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("name", ["fail", "write", "recurse"])
def test_an_error_of_the_program_tells_its_kind_alone(name: str) -> None:
    with pytest.raises(ProgramFailed) as failed:
        act(name)
    assert "secret" not in str(failed.value)


def test_a_refusal_arrives_as_it_was_raised() -> None:
    values = run(PROGRAMS, (), BOUNDS, act="refuse")
    assert next(values) == 1
    with pytest.raises(DomainError) as refused:
        next(values)
    assert (refused.value.code, refused.value.status, refused.value.field) == ("no", 422, "file")
    assert refused.value.params == {"most": 3}


def test_the_process_has_no_setting_and_no_open_file_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a-secret")
    held = os.memfd_create("ours", 0)  # inheritable
    try:
        environment, descriptors, folder = act("look")
    finally:
        os.close(held)
    assert isinstance(environment, dict)
    assert not set(environment) - {"LD_LIBRARY_PATH", "LC_CTYPE"}
    assert isinstance(descriptors, list)
    assert len(descriptors) == 3
    assert [name.partition(":")[0] for name in descriptors] == ["pipe", "pipe", "/dev/null"]
    assert folder == "/"


def test_whoever_stops_iterating_stops_the_process() -> None:
    values = run(PROGRAMS, (), BOUNDS, act="flood")
    next(values)
    before = children()
    values.close()
    assert children() > before  # it was waited for


def test_few_run_at_a_time_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_process, "_places", bounded_process._Places())
    monkeypatch.setattr(bounded_process, "WAIT_SECONDS", 0.2)
    running = [run(PROGRAMS, (), BOUNDS, act="flood") for _ in range(bounded_process.RUNNING)]
    for values in running:
        next(values)
    codes: list[str] = []

    def wait() -> None:
        with pytest.raises(DomainError) as refused:
            act("echo")
        assert refused.value.status == 503
        codes.append(refused.value.code)

    waiting = [threading.Thread(target=wait) for _ in range(bounded_process.WAITING)]
    for thread in waiting:
        thread.start()
    while bounded_process._places._waiting._value:  # type: ignore[attr-defined]
        time.sleep(0.001)
    began = time.monotonic()
    wait()
    assert time.monotonic() - began < 0.1  # one too many is refused at once
    for thread in waiting:
        thread.join()
    assert codes == ["files_busy"] * (bounded_process.WAITING + 1)
    for values in running:
        values.close()
    assert act("echo", parts=(b"a",)) == [[0, "a"]]
