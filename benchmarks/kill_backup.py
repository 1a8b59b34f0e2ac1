"""`python -m benchmarks.kill_backup`: a backup is killed with SIGKILL at ten random moments.

Each time there must be no file of the backup's name, the earlier backup must be as it was, no pg_dump may be left, and a
file that is left must be unfinished and encrypted. The backup after it clears it away. Exit 1 when anything is otherwise.
"""

import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.owed import owe
from benchmarks.stage import stage
from lms.backup import encryption, place, restoring, writing
from lms.backup.encryption import Opener
from lms.backup.writing import Lock, Source

KILLS = 10
CLEAR = (b"PGDMP", b"PRIVATE KEY", b"SECRET_KEY", b"settings.json", b"database/0")


@dataclass(frozen=True)
class Kill:
    """A killed backup. fell: after how much of its usual time. faults: what was otherwise than it must be."""

    fell: float
    unfinished_bytes: int
    faults: tuple[str, ...]


def kill(source: Source, folder: Path, kills: int) -> Iterator[Kill]:
    """Make a backup, then kill so many at moments that are spread over the time which the first took."""
    identity, recipient = encryption.new_identity()
    opener = Opener([identity])
    earlier = folder / "lms-20260101T000000Z.age"
    began = time.monotonic()
    _back_up(source, earlier, recipient)
    usual = time.monotonic() - began
    content = earlier.read_bytes()
    for number in range(kills):
        path = folder / f"lms-20260102T0000{number:02d}Z.age"
        # A fork, so that a kill falls into the backup and not into the start of Python.
        process = multiprocessing.get_context("fork").Process(target=_back_up, args=(source, path, recipient))
        process.start()
        time.sleep(usual * random.uniform(number, number + 1) / kills)
        process.kill()
        process.join()
        # A run that had ended before the kill is no kill: its file is whole.
        ended = process.exitcode == 0
        time.sleep(0.2)  # pg_dump gets its signal when its parent is dead
        drafts = list(folder.glob(f".*{place.UNFINISHED}"))
        faults = [] if ended else list(_faults(path, drafts, process.pid or 0))
        if path.exists():
            restoring.verify(path, opener)
            path.unlink()
        if earlier.read_bytes() != content or restoring.verify(earlier, opener) is None:
            faults.append("the earlier backup is not as it was")
        yield Kill((number + 0.5) / kills, sum(draft.stat().st_size for draft in drafts), tuple(faults))
        if place.clear(folder) != drafts:
            faults.append("the unfinished file is not cleared away")


def _back_up(source: Source, path: Path, recipient: str) -> None:
    writing.make(source, path, Lock((recipient,)), lambda _: None)


def _faults(path: Path, drafts: list[Path], parent: int) -> Iterator[str]:
    if path.exists():
        yield "there is a file of the backup's name"
    for draft in drafts:
        written = draft.read_bytes()
        if any(mark in written for mark in CLEAR):
            yield "the unfinished file has something in clear"
        if draft.stat().st_mode & 0o777 != 0o600:
            yield "the unfinished file is readable to others"
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if b"pg_dump" in command and b"--snapshot" in command:
            yield f"pg_dump of {parent} still runs"


def main() -> int:
    """Run, print, judge."""
    with stage() as set_stage, tempfile.TemporaryDirectory(prefix="lms-bench-") as place_of_backups:
        owe(set_stage.app, 2000)
        settings = set_stage.app.config["SETTINGS"]
        source = Source(settings.database_url, settings.keys_dir, os.environ)
        wrong = 0
        for number, killed in enumerate(kill(source, Path(place_of_backups), KILLS), 1):
            wrong += bool(killed.faults)
            print(
                f"{number:>3}  {killed.unfinished_bytes:>9} bytes unfinished  {'; '.join(killed.faults) or 'ok'}",
                flush=True,
            )
    print(
        f"{KILLS} times killed with SIGKILL: {'WRONG' if wrong else 'no file of the name, earlier backup intact, nothing in clear'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
