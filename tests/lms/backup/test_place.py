"""A backup has its name only when it is whole, replaces nothing, and old ones go when a newer one is there."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lms.backup import BackupError, place
from tests.lms.backup.conftest import names

MOMENT = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


def test_a_folder_gets_a_name_by_the_moment(tmp_path: Path) -> None:
    assert place.target(tmp_path, MOMENT) == tmp_path / "lms-20260305T140000Z.age"
    assert place.target(tmp_path / "a.age", MOMENT) == tmp_path / "a.age"
    (tmp_path / "a.age").touch()
    with pytest.raises(BackupError, match="is there already"):
        place.target(tmp_path / "a.age", MOMENT)
    with pytest.raises(BackupError, match="is not a folder"):
        place.target(tmp_path / "none" / "a.age", MOMENT)


def test_the_name_comes_last_and_only_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "a.age"

    def break_off() -> None:
        with place.unfinished(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert names(tmp_path) == []
    with place.unfinished(path) as file:
        file.write(b"whole")
        place.write_down(file)
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.age"

    def write_meanwhile() -> None:
        with place.unfinished(path) as file:
            file.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(BackupError, match="somebody else"):
        write_meanwhile()
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_killed_runs_are_removed_and_those_of_running_ones_not(tmp_path: Path) -> None:
    killed = tmp_path / f".lms-x.age.1{place.UNFINISHED}"
    killed.write_bytes(b"half")
    with place.unfinished(tmp_path / "a.age") as file:
        assert not killed.exists()
        code = f"from pathlib import Path; from lms.backup import place; print(place.clear(Path({str(tmp_path)!r})))"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout == "[]\n"
        file.write(b"whole")
    assert names(tmp_path) == ["a.age"]


def test_the_newest_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    ours = [f"lms-2026030{day}T140000Z.age" for day in range(1, 6)]
    for name in [*ours, "lms-of-mine.age", "note.txt"]:
        (tmp_path / name).touch()
    assert [path.name for path in place.keep(tmp_path, 2)] == ours[:3]
    assert names(tmp_path) == sorted([*ours[3:], "lms-of-mine.age", "note.txt"])
    assert place.keep(tmp_path, 2) == []
