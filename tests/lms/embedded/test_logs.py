"""Logs grow to a size, and no line is lost or cut where one file ends and the next begins."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from lms.embedded.children import Children
from lms.embedded.logs import PlainLog, RotatingLog

LINES = 20_000
# Each process writes numbered lines of 60 bytes, also to standard error, as a program that logs does.
PRINT = f"""
import sys
for number in range({LINES}):
    (sys.stdout if number % 2 else sys.stderr).write(f"{{sys.argv[1]}} {{number:06}} {{'x' * 50}}\\n")
    if number % 50 == 0:
        sys.stdout.flush()
"""


def write(log: RotatingLog, *names: str) -> None:
    """Let processes write to the log side by side, to their end."""
    output = log.open()
    processes = [subprocess.Popen([sys.executable, "-c", PRINT, name], stdout=output, stderr=output) for name in names]
    os.close(output)
    assert [process.wait(60) for process in processes] == [0] * len(names)
    log.drain()


def test_no_line_is_lost_past_the_size(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "log" / "web.log", limit=200_000, kept=40)
    write(log, "first", "second")
    write(log, "third")
    files = sorted((tmp_path / "log").iterdir())
    assert len(files) > 10
    lines = [line for file in files for line in file.read_text().splitlines()]
    expected = {f"{name} {number:06} {'x' * 50}" for name in ("first", "second", "third") for number in range(LINES)}
    assert len(lines) == len(expected)
    assert set(lines) == expected
    assert max(file.stat().st_size for file in files) <= 200_000
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_so_many_are_kept_and_the_newest_line_is_last(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", limit=200_000, kept=2)
    write(log, "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.log", "web.log.1", "web.log.2"]
    older, newer = (tmp_path / "web.log.2").read_text(), (tmp_path / "web.log.1").read_text()
    assert older.splitlines()[0].split()[1] < newer.splitlines()[0].split()[1]
    assert f"a {LINES - 1:06}" in (tmp_path / "web.log").read_text()


def test_a_log_of_a_former_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("x" * 199_999 + "\n")
    path.chmod(0o644)
    log = RotatingLog(path, limit=200_000)
    write(log, "a")
    assert (tmp_path / "web.log.1").stat().st_size == 200_000 or (tmp_path / "web.log.2").exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_without_an_end_is_written_and_told(tmp_path: Path) -> None:
    for log in (RotatingLog(tmp_path / "a.log"), PlainLog(tmp_path / "b.log")):
        output = log.open()
        subprocess.run([sys.executable, "-c", "print('ValueError: no end', end='')"], stdout=output, check=True)
        os.close(output)
        assert log.said().strip() == "ValueError: no end"
        assert log.path.read_text().strip() == "ValueError: no end"


def test_a_childs_last_words_are_its_own(tmp_path: Path) -> None:
    children = Children(tmp_path, os.environ)
    first = children.start("import", [sys.executable, "-c", "raise SystemExit('ValueError: of the first')"])
    assert first.process.wait(30) == 1
    assert first.last_words() == "ValueError: of the first"
    children.forget(first)
    second = children.start("import", [sys.executable, "-c", "pass"])
    assert second.process.wait(30) == 0
    assert second.last_words() == "it said nothing"
    children.stop()
